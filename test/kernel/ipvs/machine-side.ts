import { type Batch, Director, parseIptablesDump } from "../../../src/index.js";
import { write } from "../../../src/packet/octets.js";
import { type IpvsConnection, listedConnection } from "../../../src/ruleset/ipvs-connections.js";
import type { DirectorSide, Ruling } from "./director-side.js";
import { readListing, type ServerLines } from "./proc-net.js";
import type { RecordedListing, RecordedPacket } from "./recording.js";
import { addressOf, type Change, printChange, type Scenario } from "./scenario.js";
import { markRules, marksOf } from "./stand.js";

const MAC_LEN = 6;
/** Its one interface, by number and name. */
const UPLINK = "eth0";
/** The interface of packets that the node makes itself. */
const MADE_HERE = 0;

/** The project's own director. */
class MachineSide implements DirectorSide {
  readonly #director: Director;
  readonly #batch: Batch;
  readonly #in: number;
  readonly #mac: number;

  constructor(director: Director) {
    this.#director = director;
    this.#batch = director.batch(1);
    const { interfaces } = director.engine.ruleset;
    this.#in = director.engine.numbering.interfaces.findIndex(({ name }) => name === UPLINK) + 1;
    this.#mac = interfaces.find(({ name }) => name === UPLINK)?.mac ?? 0;
  }

  change(changes: readonly Change[]): void {
    this.#director.restore(changes.map((change) => `${printChange(change)}\n`).join(""));
  }

  answer(packet: RecordedPacket, now: number): void {
    this.#run(packet, MADE_HERE, now);
  }

  #run({ frame }: RecordedPacket, way: number, now: number): void {
    const octets = Uint8Array.from(Buffer.from(frame, "hex"));
    write(octets, 0, MAC_LEN, this.#mac, "mac");
    this.#batch.set(0, octets, way);
    this.#director.run(this.#batch, now);
  }

  judge(packet: RecordedPacket, now: number): Ruling {
    this.#run(packet, this.#in, now);
    const batch = this.#batch;
    const verdict = batch.verdict(0);
    const words = `${verdict} ${batch.reason(0)}`;
    if (verdict === "LOCAL") return { verdict, words };
    if (verdict !== "FORWARD") {
      const isAnswered = this.#director.engine.answer(batch, 0);
      return { verdict: isAnswered ? "REJECT" : "DROP", words };
    }
    return { verdict, words, out: { way: UPLINK, frame: Buffer.from(batch.frame(0)).toString("hex") } };
  }

  servers(now: number): readonly ServerLines[] {
    return readListing(this.#director.list({ now: now }).split("\n"));
  }

  connections(now: number): readonly IpvsConnection[] {
    return this.#director.connections(now).map(listedConnection);
  }

  list(option: RecordedListing["option"], now: number): readonly string[] {
    return this.#director.list({ columns: option, now: now }).split("\n").slice(0, -1);
  }
}

/** The project's own director, as a scenario begins. */
export async function machineSide(scenario: Scenario): Promise<DirectorSide> {
  const rules = ([4, 6] as const).map((family) => markRules(family, [scenario])).join("");
  const [tcp, tcpFin, udp] = scenario.timeouts ?? [900, 120, 300];
  const director = await Director.create({
    ipvs: { servers: [], timeouts: { tcp, tcpFin, udp } },
    sysctls: scenario.sysctls,
    // Segments far from their windows are tracked anew behind IPVS.
    windows: true,
    ...(rules === "" ? {} : { rules: parseIptablesDump(rules, "marks") }),
    localAddresses: [...marksOf([scenario]).keys()].map(addressOf),
  });
  return new MachineSide(director);
}

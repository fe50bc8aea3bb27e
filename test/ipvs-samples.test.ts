import { describe, expect, it } from "vitest";
import { Director, type ServiceMatch } from "../src/index.js";
import { parseIp, printIp } from "../src/net/ip.js";
import { printHostPort } from "../src/net/port.js";
import { Clients } from "./director/clients.js";
import {
  type Change,
  type Counters,
  type Event,
  SAMPLE_NAMES,
  SAMPLES,
  type Sample,
  samplesOf,
} from "./ipvs/samples.js";
import { skipWithout } from "./skipped.js";

const SYSCTLS = {
  "net.ipv4.vs.conntrack": 1,
  "net.ipv4.vs.conn_reuse_mode": 0,
  "net.ipv4.vs.expire_nodest_conn": 1,
  "net.ipv4.vs.expire_quiescent_template": 1,
};

const endOf = (address: string, port: number): string => {
  const read = parseIp(address);
  if (read === undefined) throw new Error(`«${address}» is no address`);
  return printHostPort(read, port);
};

/** Whoever recorded IPv6 may or may not have put brackets around. */
const plain = (end: string) => end.replace(/[[\]]/g, "");
const plainCounters = (all: readonly Counters[]) => all.map((one) => ({ ...one, dest: plain(one.dest) }));

/** One virtual server of a director beside the sample that a kernel made of it. */
class Replay {
  readonly #director: Director;
  readonly #clients: Clients;
  readonly #sample: Sample;
  readonly #service: string;
  readonly #open = new Map<number, { readonly client: string; readonly real: string }>();

  constructor(director: Director, sample: Sample) {
    this.#director = director;
    this.#clients = new Clients(director);
    this.#sample = sample;
    this.#service = endOf(sample.vip, sample.vport);
  }

  #match(): ServiceMatch {
    const { protocol, vip, vport } = this.#sample;
    return { protocol: protocol === "tcp" ? "TCP" : "UDP", address: parseIp(vip) ?? 0, port: vport };
  }

  /** As the kernel lists them, newest first. */
  #counters(): readonly Counters[] {
    return this.#director
      .counters(this.#match())
      .map(({ address, port, weight, active, inactive }) => {
        return { dest: `${printIp(address)}:${port}`, weight, active, inactive };
      })
      .toReversed();
  }

  #connect({ id, src, sport }: Event & { readonly op: "conn" }): string | null {
    const client = endOf(src, sport);
    const isTcp = this.#sample.protocol === "tcp";
    const real = isTcp ? this.#clients.open(client, this.#service) : this.#clients.say(client, this.#service);
    if (real === null) return null;
    this.#open.set(id, { client, real });
    return plain(real);
  }

  #close({ id }: Event & { readonly op: "close" }): void {
    const { client, real } = this.#open.get(id) ?? {};
    if (client === undefined || real === undefined) throw new Error(`connection ${id} is not open`);
    this.#clients.close(client, this.#service, real);
  }

  #change(event: Change): void {
    const service = `${this.#sample.protocol === "tcp" ? "-t" : "-u"} ${this.#service}`;
    const head = `${service} -r ${endOf(event.addr, event.port)}`;
    if (event.op === "del_dest") this.#director.restore(`-d ${head}`);
    else if (event.op === "set_weight") this.#director.restore(`-e ${head} -m -w ${event.weight}`);
    else this.#director.restore(`-a ${head} -m -w ${event.weight} ${event.extra ?? ""}`);
  }

  /** How many connections were asked for. */
  run(): number {
    let connections = 0;
    this.#director.restore(this.#sample.create.replace(/^ipvsadm /, ""));
    for (const event of this.#sample.events) {
      if (event.op === "conn") {
        const { id, chosen } = event;
        expect(this.#connect(event), `connection ${id}`).toBe(chosen === null ? null : plain(chosen));
        connections++;
      } else if (event.op === "close") this.#close(event);
      else this.#change(event);
      if ("counters_after" in event && event.counters_after !== undefined) {
        const { op, id, counters_after: expected } = event;
        expect(this.#counters(), `after ${op} ${id}`).toEqual(plainCounters(expected));
      }
    }
    const order = (all: readonly Counters[]) => all.map(({ dest, weight }) => ({ dest, weight }));
    expect(order(this.#counters())).toEqual(order(plainCounters(this.#sample.kernel_dest_order)));
    return connections;
  }
}

describe("a director chooses and counts as a kernel did", () => {
  skipWithout(SAMPLE_NAMES, SAMPLES);
  it.each(SAMPLE_NAMES)("%s", async (name) => {
    const director = await Director.create({ sysctls: SYSCTLS });
    const connections = samplesOf(name).map((sample) => new Replay(director, sample).run());
    expect(Math.min(...connections)).toBeGreaterThan(0);
  });
});

import { ETH_LEN } from "../../../assembly/abi/wire.js";
import type { Neighbour } from "../../../src/ruleset/neighbours.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { CaptureStream, tcpdumpIn } from "./capture-stream.js";
import { type Entering, type Leaving, NODE_WAY, packetOf } from "./conversation.js";
import { type Hearing, hearDelivered, preparing } from "./delivered.js";
import { buildProgram } from "./native.js";
import { fellNode, isWire, raising, type Spaces, setting } from "./node-space.js";
import { completeIcmp6, tagOf } from "./packet-octets.js";
import { putTogether } from "./pieces.js";
import { Sender } from "./sender.js";
import { type Call, run, within } from "./shell.js";

/** What one node of the rig is made of. */
export interface RigSetup {
  readonly ruleset: Ruleset;
  /** What loads its rules. */
  readonly texts: readonly Call[];
  /** Neighbours that packets go to beside the ruleset's. */
  readonly guests: readonly Neighbour[];
  readonly settings: Readonly<Record<string, number>>;
  readonly hearing: Hearing;
}

/** A packet that surely comes out at one place, so that what came before it and is not there was dropped. */
export interface Sentinel {
  readonly at: string;
  make(tag: number): Entering;
}

/** Fragments that are never complete have room: the machine counts it otherwise. */
const ROOMY = {
  "net.ipv4.ipfrag_high_thresh": 1 << 28,
  "net.netfilter.nf_conntrack_frag6_high_thresh": 1 << 28,
};

/** Tags from here on are the sentinels'. */
export const TAGS = 65_000;
const PATIENCE_MS = 20_000;

/** A node in the kernel: packets go in, and what comes out is told by the packets' tags. */
export class Rig {
  readonly #spaces: Spaces;
  readonly #ways: readonly string[];
  readonly #sentinels: readonly Sentinel[];
  readonly #sender: Sender;
  readonly #captures: CaptureStream[] = [];
  readonly #atExit = () => fellNode(this.#spaces);
  #heard = new Map<number, Leaving[]>();
  #missed: ((tag: number) => void) | undefined;

  private constructor(spaces: Spaces, ways: readonly string[], sentinels: readonly Sentinel[]) {
    this.#spaces = spaces;
    this.#ways = ways;
    this.#sentinels = sentinels;
    process.once("exit", this.#atExit);
    const program = buildProgram("sender");
    this.#sender = new Sender(
      program,
      ways.map((way) => (way === NODE_WAY ? `${spaces.node}:` : `${spaces.ends}:${way}`)),
    );
  }

  /** Raises the node, loads its rules and listens. What was made is taken away where that fails. */
  static async raise(setup: RigSetup, sentinels: readonly Sentinel[]): Promise<Rig> {
    const name = `packetyard-${process.pid}`;
    const spaces = { node: `${name}-node`, ends: `${name}-ends` };
    try {
      const { ruleset, guests, hearing, settings, texts } = setup;
      const before = [...raising(spaces, ruleset, guests), ...preparing(spaces.node, hearing)];
      const rules = texts.map((text) => within(spaces.node, text));
      run([...before, ...rules, setting(spaces.node, { ...ROOMY, ...settings })]);
      const wires = setup.ruleset.interfaces.filter(isWire).map(({ name: wire }) => wire);
      const rig = new Rig(spaces, [NODE_WAY, ...wires], sentinels);
      await rig.#listen(wires, setup.hearing);
      return rig;
    } catch (cause) {
      fellNode(spaces);
      throw cause;
    }
  }

  async #listen(wires: readonly string[], hearing: Hearing): Promise<void> {
    const { node, ends } = this.#spaces;
    for (const way of wires) {
      const heard = (octets: Uint8Array) => this.#hear({ way, octets });
      this.#captures.push(await CaptureStream.open(tcpdumpIn(ends, way), heard));
    }
    const delivered = (octets: Uint8Array) => this.#hear({ way: NODE_WAY, octets });
    this.#captures.push(await hearDelivered(node, hearing, delivered));
  }

  #hear(leaving: Leaving): void {
    const packet = packetOf(leaving);
    const tag = tagOf(packet);
    if (tag === undefined || tag === 0) return;
    completeIcmp6(packet);
    const before = this.#heard.get(tag);
    if (before === undefined) this.#heard.set(tag, [leaving]);
    else before.push(leaving);
    if (tag >= TAGS) this.#missed?.(tag);
  }

  /**
   * Sends packets in their order and resolves to what came out of each, by tag, once a later packet has come out
   * everywhere. Error where that does not come.
   */
  async exchange(entering: readonly Entering[]): Promise<ReadonlyMap<number, readonly Leaving[]>> {
    this.#heard = new Map();
    const last = this.#sentinels.map((sentinel, index) => sentinel.make(TAGS + index));
    const passed = this.#awaitSentinels();
    await this.#sender.send(
      [...entering, ...last].flatMap(({ way, frame, pieces = [frame] }) =>
        pieces.map((piece) => ({
          way: this.#ways.indexOf(way),
          octets: way === NODE_WAY ? piece.subarray(ETH_LEN) : piece,
        })),
      ),
    );
    await passed;
    return new Map([...this.#heard].map(([tag, heard]) => [tag, putTogether(heard)]));
  }

  #awaitSentinels(): Promise<void> {
    const missing = new Set(this.#sentinels.map((_, index) => TAGS + index));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const places = [...missing].map((tag) => this.#sentinels[tag - TAGS]?.at || "the node");
        reject(
          new Error(
            `The last packet did not come out at ${places.join(", ")} within ${PATIENCE_MS / 1000} s.`,
          ),
        );
      }, PATIENCE_MS);
      this.#missed = (tag) => {
        missing.delete(tag);
        if (missing.size > 0) return;
        clearTimeout(late);
        resolve();
      };
    });
  }

  /** Takes everything away; resolves to how many packets the captures missed. */
  async fell(): Promise<number> {
    this.#sender.close();
    const missed = await Promise.all(this.#captures.map((capture) => capture.close()));
    fellNode(this.#spaces);
    process.off("exit", this.#atExit);
    return missed.reduce((sum, count) => sum + count, 0);
  }
}

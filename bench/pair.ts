import { VERDICT_FORWARD } from "../assembly/abi/verdict.js";
import { ETH_LEN, IP4_LEN, UDP_CHECKSUM, UDP_SRC } from "../assembly/abi/wire.js";
import type { Batch } from "../src/engine/batch.js";
import { Engine } from "../src/engine/engine.js";
import { rulesetEntries } from "../src/engine/live/ruleset.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { dropReason, verdictName } from "../src/trace/codes.js";
import { PlainBatch } from "./baseline/batch.js";
import { PlainNode } from "./baseline/node.js";
import { answerTo, type FlowFrames } from "./scene.js";
import { type Contender, PLAIN, WASM } from "./topic.js";

const CONNECTIONS = 65_535;
const SEED = 1;
const NOW = 1;
const OUTER_UDP = ETH_LEN + IP4_LEN;

/** A frame as both must write it: the tunnel's source port is a hash of each one's own, and its checksum follows. */
function comparable(frame: Uint8Array, before: number): string {
  const octets = frame.slice();
  if (frame.length > before) {
    for (const field of [UDP_SRC, UDP_CHECKSUM]) octets.fill(0, OUTER_UDP + field, OUTER_UDP + field + 2);
  }
  return octets.toString();
}

/** A node twice, in the machine and in plain TypeScript, with the same frames before both. */
export class Pair {
  readonly engine: Engine;
  readonly #node: PlainNode;
  readonly #batch: Batch;
  readonly #plain: PlainBatch;

  private constructor(engine: Engine, count: number) {
    this.engine = engine;
    this.#node = new PlainNode(rulesetEntries(engine.ruleset), SEED, CONNECTIONS);
    this.#batch = engine.batch(count);
    this.#plain = new PlainBatch(count);
  }

  /** Both begin empty, with the same seed. */
  static async make(ruleset: Ruleset, count: number): Promise<Pair> {
    const options = { seed: SEED, connections: CONNECTIONS, checksums: "offload" } as const;
    return new Pair(await Engine.load(ruleset, options), count);
  }

  /** Both run the frames, as many as the pair was made for, and must say and write the same. */
  run(frames: readonly Uint8Array[], inName: string): void {
    for (const { prepare, run } of this.contenders(frames, inName, false)) {
      prepare?.();
      run();
    }
    for (const [index, before] of frames.entries()) {
      const [ours, theirs] = [this.#batch, this.#plain];
      const isSame =
        ours.verdict(index) === verdictName(theirs.verdicts[index] ?? 0) &&
        ours.reason(index) === dropReason(theirs.verdicts[index] ?? 0) &&
        ours.walked[index] === theirs.walked[index] &&
        comparable(ours.frame(index), before.length) === comparable(theirs.frame(index), before.length);
      if (isSame) continue;
      const { node, proxy } = this.engine.ruleset;
      throw new Error(`Node ${node}, mode ${proxy}: the baseline does otherwise with frame ${index}.`);
    }
  }

  /** Opens connections and answers them, so that their packets go the way of most: the last run is of their middle. */
  establish({ opening, middle }: FlowFrames, inName: string, answersIn: string): void {
    this.run(opening, inName);
    this.run(this.output.map(answerTo), answersIn);
    this.run(middle, inName);
    this.run(middle, inName);
  }

  /** Whether every packet of the last run was forwarded. */
  get forwardsAll(): boolean {
    return this.#batch.verdicts.every((verdict) => (verdict & 0xff) === VERDICT_FORWARD);
  }

  /** The frames as the last run left them. */
  get output(): readonly Uint8Array[] {
    return Array.from({ length: this.#batch.capacity }, (_, index) => this.#batch.frame(index).slice());
  }

  /** `forgets`: every run begins with an empty connection table, so that every packet opens a connection. */
  contenders(frames: readonly Uint8Array[], inName: string, forgets: boolean): readonly Contender[] {
    const { engine } = this;
    const [ours, theirs, node] = [this.#batch, this.#plain, this.#node];
    const inNumber = engine.interfaceNumber(frames[0] as Uint8Array, inName);
    const place = (batch: Batch | PlainBatch) => {
      for (let index = 0; index < frames.length; index++)
        batch.set(index, frames[index] as Uint8Array, inNumber);
    };
    const prepareOurs = () => {
      if (forgets) engine.clearConnections();
      place(ours);
    };
    const preparePlain = () => {
      if (forgets) node.clearConnections();
      place(theirs);
    };
    return [
      { name: WASM, prepare: prepareOurs, run: () => engine.run(ours, NOW) },
      { name: PLAIN, prepare: preparePlain, run: () => node.run(theirs, frames.length) },
    ];
  }
}

import type { Batch } from "../engine/batch.js";
import type { Engine } from "../engine/engine.js";
import { replyTo, SEGMENT_LEN } from "../packet/segment.js";
import { BATCH_LEN, FRAME_WORDS, type Frames } from "./traffic.js";

/** Milliseconds of the machine's clock: it stands still, so that nothing expires while it is measured. */
const NOW = 1;
/** What the node itself sent came in by no interface. */
const INTERFACE_NODE = 0;

/**
 * One engine under measurement: puts frames into its batch, runs them, and reads the clock around the run alone.
 * The engine's own state opens connections and forgets them; a copy of it, made by `know`, keeps some.
 */
export class Rig {
  readonly engine: Engine;
  readonly #batch: Batch;
  /** The batch as words, and where in them each frame begins as it comes in. */
  readonly #words: Uint32Array;
  readonly #starts: readonly number[];
  readonly #frames: Uint32Array;
  readonly #in: number;
  #known = 0;

  /** All frames come in by the interface that the source of this one is behind. */
  constructor(engine: Engine, frame: Uint8Array) {
    this.engine = engine;
    this.#batch = engine.batch(BATCH_LEN);
    this.#in = engine.interfaceNumber(frame);
    const { octets } = this.#batch;
    this.#words = new Uint32Array(octets.buffer, octets.byteOffset, octets.byteLength >> 2);
    for (let index = 0; index < BATCH_LEN; index++) this.#batch.set(index, frame, this.#in);
    this.#frames = this.#batch.frames.slice();
    this.#starts = [...this.#frames].map((at) => at >> 2);
  }

  /** Runs opening packets on an empty connection table; ns per packet. */
  open(frames: Frames): number {
    this.engine.clearConnections();
    return this.openMore(frames);
  }

  /** Runs opening packets beside the connections that there are; ns per packet. */
  openMore(frames: Frames): number {
    return this.#run(this.engine.state, frames);
  }

  /** Runs packets of known connections; ns per packet. `know` must have opened them. */
  pass(frames: Frames): number {
    return this.#run(this.#known, frames);
  }

  /** Rules walked and probes made by the packets of the last run, all together. */
  get walked(): number {
    return this.#batch.walked.reduce((sum, walked) => sum + walked, 0);
  }

  /** Sends opening packets; whether each got on its way to an endpoint. */
  probe(frames: Frames): boolean[] {
    this.open(frames);
    return Array.from({ length: frames.length / FRAME_WORDS }, (_, index) => {
      const verdict = this.#batch.verdict(index);
      return verdict === "FORWARD" || verdict === "LOCAL";
    });
  }

  /** Opens connections in a copy of the state, and has every one answered, so that they are ESTABLISHED. */
  know(opening: readonly Frames[]): void {
    const { engine } = this;
    engine.clearConnections();
    this.#known = engine.copyState();
    const answers = engine.batch(BATCH_LEN);
    let lost = 0;
    for (const frames of opening) {
      this.#run(this.#known, frames);
      for (let index = 0; index < BATCH_LEN; index++) this.#answer(answers, index);
      engine.machine.run(engine.image, this.#known, answers.address, BATCH_LEN, NOW);
      lost += answers.verdicts.filter((_, index) => answers.verdict(index) !== "FORWARD").length;
    }
    if (lost > 0) {
      throw new Error(`Node ${engine.ruleset.node}: ${lost} answers do not come back to their Pods.`);
    }
  }

  /** The answer to a packet of the last run, coming in by the interface (a tunnel's own) that it was routed to. */
  #answer(answers: Batch, index: number): void {
    const { hops, interfaces } = this.engine.numbering;
    const hop = hops[this.#batch.nextHops[index] ?? 0];
    const back = interfaces.findIndex(({ name }) => name === hop?.dev) + 1;
    const answer = replyTo(this.#batch.frame(index), hop?.kind === "vxlan");
    answers.set(index, answer, hop?.kind === "local" ? INTERFACE_NODE : back);
  }

  #run(state: number, frames: Frames): number {
    const count = this.#place(frames);
    const { machine, image } = this.engine;
    const begin = performance.now();
    machine.run(image, state, this.#batch.address, count, NOW);
    return ((performance.now() - begin) * 1e6) / count;
  }

  /** Writes the frames as they come in, whatever the last run made of their places; how many. */
  #place(frames: Frames): number {
    const [words, starts, batch] = [this.#words, this.#starts, this.#batch];
    const count = frames.length / FRAME_WORDS;
    for (let index = 0, from = 0; index < count; index++) {
      const to = starts[index] as number;
      for (let word = 0; word < FRAME_WORDS; word++) words[to + word] = frames[from++] as number;
    }
    batch.frames.set(this.#frames);
    batch.lengths.fill(SEGMENT_LEN);
    batch.ins.fill(this.#in);
    return count;
  }
}

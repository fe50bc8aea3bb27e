import { ETH_LEN } from "../../../assembly/abi/wire.js";
import type { Batch } from "../../../src/engine/batch.js";
import { Engine } from "../../../src/engine/engine.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import type { DropReason, VerdictName } from "../../../src/trace/codes.js";
import { type Entering, type Leaving, NODE_WAY } from "./conversation.js";
import { putTogether } from "./pieces.js";

/** What the machine says of a packet, or of its fragments together. */
export interface Judgement {
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  /** Where it comes out, of those that do; of fragments more than one packet may. */
  readonly leaving: readonly Leaving[];
  /** What the node sends back about those that do not. */
  readonly answers: readonly Leaving[];
}

const CONNECTIONS = 65_535;
/** Where a state says how many octets it has (assembly/state.ts). */
const LENGTH_WORD = 2;
/** Room enough for one packet's connection. */
const FEW_CONNECTIONS = 63;
/** Seeds that are tried until the machine chooses as the kernel did: nearly surely enough for a score of endpoints. */
const TRIES = 200;

/** Octets of the largest packet's frame. */
const FRAME_LENGTH = 65_536 + ETH_LEN + 100;
/** For fragments: as many as are sent without the rest. */
const FRAGMENTS = 1 << 25;
const NOTHING = { verdict: "NONE", reason: "NONE" } as const;

/** Everything that an engine's packets change. */
function stateOf({ memory, state }: Engine): Uint8Array {
  return memory.octets(state, memory.words(state, LENGTH_WORD + 1)[LENGTH_WORD] ?? 0);
}

/** The machine as it judges one packet at a time, choosing what the kernel has chosen. */
export class MachineSide {
  readonly #engine: Engine;
  readonly #scout: Engine;
  readonly #batch: Batch;
  readonly #scoutBatch: Batch;
  /** The scout's state before it has seen a packet. */
  readonly #ignorance: Uint8Array;
  #seed = 1;

  private constructor(engine: Engine, scout: Engine) {
    this.#engine = engine;
    this.#scout = scout;
    this.#batch = engine.batch(1, { frameLength: FRAME_LENGTH });
    this.#scoutBatch = scout.batch(1, { frameLength: FRAME_LENGTH });
    this.#ignorance = stateOf(scout).slice();
  }

  /** `windows`: those of TCP are followed. */
  static async load(ruleset: Ruleset, windows: boolean): Promise<MachineSide> {
    const engine = await Engine.load(ruleset, { connections: CONNECTIONS, windows, fragments: FRAGMENTS });
    return new MachineSide(engine, await Engine.load(ruleset, { connections: FEW_CONNECTIONS, windows }));
  }

  /** `now` in milliseconds. */
  judge(entering: Entering, now: number): Judgement {
    return this.#run(this.#engine, this.#batch, entering, now);
  }

  /**
   * As `judge`, of a packet that may open a connection: the random state is set so that it is judged as the kernel did,
   * if it can be. A second machine that knows no connection and no client finds out how; a client that the first one knows
   * goes where it went before, whatever is drawn.
   */
  judgeLike(entering: Entering, now: number, isLike: (judgement: Judgement) => boolean): Judgement {
    // What a scheduler chooses follows from what it chose before: nothing is drawn.
    const tries = this.#engine.ruleset.proxy === "ipvs" ? 0 : TRIES;
    for (let tried = 0; tried < tries; tried++) {
      stateOf(this.#scout).set(this.#ignorance);
      this.#seedBoth(++this.#seed);
      if (isLike(this.#scouted(entering))) break;
    }
    return this.judge(entering, now);
  }

  /** What the second machine says of a packet once it knows of the fragments that came before. */
  #scouted(entering: Entering): Judgement {
    const { earlier = [] } = entering;
    if (earlier.length > 0) this.#run(this.#scout, this.#scoutBatch, { ...entering, pieces: earlier }, 0);
    return this.#run(this.#scout, this.#scoutBatch, entering, 0);
  }

  #seedBoth(seed: number): void {
    for (const engine of [this.#engine, this.#scout]) engine.machine.stateSeed(engine.state, seed, 0);
  }

  #run(engine: Engine, batch: Batch, { way, frame, pieces = [frame] }: Entering, now: number): Judgement {
    const judgements = pieces.map((piece) => this.#runOne(engine, batch, way, piece, now));
    const telling = judgements.find(({ leaving, answers }) => leaving.length > 0 || answers.length > 0);
    const { verdict, reason } = telling ?? judgements.at(-1) ?? NOTHING;
    const answers = judgements.flatMap((one) => one.answers);
    const leaving = putTogether(judgements.flatMap((one) => one.leaving));
    return { verdict, reason, leaving, answers };
  }

  #runOne(engine: Engine, batch: Batch, way: string, frame: Uint8Array, now: number): Judgement {
    batch.set(0, frame, way === NODE_WAY ? 0 : engine.interfaceNumber(frame, way));
    engine.run(batch, now);
    const [verdict, reason] = [batch.verdict(0), batch.reason(0)];
    const leaving = this.#leaving(engine, batch);
    const answers = engine.answer(batch, 0) ? this.#leaving(engine, batch) : [];
    return { verdict, reason, leaving, answers };
  }

  #leaving(engine: Engine, batch: Batch): readonly Leaving[] {
    const verdict = batch.verdict(0);
    if (verdict === "LOCAL") return [{ way: NODE_WAY, octets: batch.frame(0).slice(ETH_LEN) }];
    if (verdict !== "FORWARD") return [];
    const way = engine.numbering.interfaces[(batch.outs[0] ?? 0) - 1]?.name ?? "?";
    return batch.leaving(0).map((octets) => ({ way, octets }));
  }
}

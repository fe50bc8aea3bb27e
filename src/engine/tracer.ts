import type { Ruleset } from "../ruleset/ruleset.js";
import { tellAnswer } from "../trace/answer.js";
import type { DropReason, VerdictName } from "../trace/codes.js";
import type { Numbering } from "../trace/numbering.js";
import { traceSteps } from "../trace/steps.js";
import { Batch, DATAGRAM_LENGTH } from "./batch.js";
import { DrawList } from "./draw-list.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import type { Answer, Trace } from "./options.js";

const TRACE_RECORDS = 8192;

/** One packet as it comes in, by an interface's number. */
export interface Arrival {
  readonly frame: Uint8Array;
  readonly in: number;
  /** Whether the node answers it, where it drops or refuses it. */
  readonly isAnswered?: boolean;
}

/** What numbers in records stand for. */
interface Known {
  readonly numbering: Numbering;
  readonly ruleset: Ruleset;
}

/** Where a packet is run: addresses of an image and a state, and milliseconds. */
export interface RunPlace {
  readonly image: number;
  readonly state: number;
  readonly now: number;
}

const PASSES: ReadonlySet<VerdictName> = new Set(["FORWARD", "LOCAL"]);

/** What stands in a batch's first slot, if it is an answer that is sent. */
function answerOf(batch: Batch, reason: DropReason, { numbering, ruleset }: Known): Answer | undefined {
  const verdict = batch.verdict(0);
  if (!PASSES.has(verdict)) return undefined;
  const step = tellAnswer(traceSteps(batch.records(), numbering, ruleset), reason);
  const out = verdict === "FORWARD" ? numbering.interfaces[(batch.outs[0] ?? 0) - 1]?.name : undefined;
  return { step, verdict, out, frame: batch.frame(0).slice() };
}

/** Runs single packets through the trace build. */
export class Tracer {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #batch: Batch | undefined;
  #list: DrawList | undefined;

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  /**
   * A packet's way, with choices as they are given; the state moves on. RangeError for a frame that the memory does not
   * hold, or more choices than a way may meet.
   */
  follow(
    { image, state, now }: RunPlace,
    { frame, in: inNumber, isAnswered = false }: Arrival,
    known: Known,
    choices: readonly number[] | undefined,
  ): Trace {
    const { numbering, ruleset } = known;
    // The packet may complete a datagram.
    const whole = this.#machine.stateCells(state) === 0 ? 0 : DATAGRAM_LENGTH;
    const batch = this.#batchFor(Math.max(frame.length, whole));
    this.#tell(batch, choices);
    batch.set(0, frame, inNumber);
    this.#machine.run(image, state, batch.address, 1, now);
    const records = batch.records();
    const trace = {
      steps: traceSteps(records, numbering, ruleset),
      records,
      verdict: batch.verdict(0),
      reason: batch.reason(0),
      out: numbering.interfaces[(batch.outs[0] ?? 0) - 1]?.name,
      frame: batch.frame(0).slice(),
      frames: batch.leaving(0),
    };
    if (!isAnswered || PASSES.has(trace.verdict)) return { ...trace, answer: undefined };
    this.#machine.answer(image, state, batch.address, 0);
    return { ...trace, answer: answerOf(batch, trace.reason, known) };
  }

  #tell(batch: Batch, choices: readonly number[] | undefined): void {
    if (choices === undefined) {
      this.#list?.withdraw();
      return;
    }
    this.#list ??= new DrawList(this.#memory, batch);
    this.#list.words.set(choices);
    this.#list.tell(choices.length);
  }

  #batchFor(frameLength: number): Batch {
    if (this.#batch === undefined || this.#batch.frameLength < frameLength) {
      this.#batch = new Batch(this.#machine, this.#memory, 1, { frameLength, traces: TRACE_RECORDS });
      this.#list = undefined;
    }
    return this.#batch;
  }
}

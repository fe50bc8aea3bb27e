import { BATCH_DRAWS, BATCH_DRAWS_COUNT, BATCH_DRAWS_TAKEN } from "../../assembly/abi/packet.js";
import { drawsOf } from "../explore/draw.js";
import { type Fate, type Outcome, outcomesOf } from "../explore/outcome.js";
import { allWays, type Run } from "../explore/ways.js";
import { expectFrame, expectInteger, expectNow } from "./arguments.js";
import { Batch } from "./batch.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import type { ExploreOptions } from "./options.js";
import type { StateStore } from "./state.js";
import type { Arrival, RunPlace } from "./tracer.js";

const WAYS_DEFAULT = 65_536;
const WAYS_MAX = 4_194_304;
/** Choices that one way may meet, and what the run that first meets them may record beside. */
const DRAWS_MAX = 32_768;
const RECORDS_BESIDE = 8192;

/** Runs one packet again and again, each time with other outcomes of what is left to chance, on a copy of the state. */
export class Explorer {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  /** The address of the list of outcomes, once there is one. */
  #list = 0;
  #batch: Batch | undefined;

  /** Of the trace build. */
  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  #batchFor(frameLength: number): Batch {
    if (this.#list === 0) this.#list = this.#memory.take(DRAWS_MAX * 4, "a list of choices");
    if (this.#batch === undefined || this.#batch.frameLength < frameLength) {
      const traces = DRAWS_MAX + RECORDS_BESIDE;
      this.#batch = new Batch(this.#machine, this.#memory, 1, { frameLength, traces });
    }
    return this.#batch;
  }

  /**
   * All that may become of a packet that comes in by an interface's number, from a state that stays as it is. RangeError for
   * more ways or choices than there is room for.
   */
  explore(image: number, state: StateStore, arrival: Arrival, options: ExploreOptions): readonly Outcome[] {
    const { now = 0, limit = WAYS_DEFAULT } = options;
    expectFrame(arrival.frame);
    expectNow(now);
    expectInteger("limit", limit, 1, WAYS_MAX);
    const batch = this.#batchFor(arrival.frame.length);
    const original = state.octets;
    return this.#memory.borrow(original.length, (copy) => {
      this.#memory.octets(copy, original.length).set(original);
      const run = (told: number): Run<Fate> => {
        this.#tell(batch, told);
        const result = this.#run(batch, { image, state: copy, now }, arrival);
        this.#takeBack(state, copy, result);
        return { draws: drawsOf(result.records), result };
      };
      return outcomesOf(allWays(run, this.#memory.words(this.#list, DRAWS_MAX), limit));
    });
  }

  #run(batch: Batch, { image, state, now }: RunPlace, { frame, in: inNumber }: Arrival): Fate {
    batch.set(0, frame, inNumber);
    this.#machine.run(image, state, batch.address, 1, now);
    return { verdict: batch.verdict(0), reason: batch.reason(0), records: batch.records() };
  }

  /** Says that the first outcomes of the list are to be taken. */
  #tell({ address }: Batch, told: number): void {
    const header = this.#memory.view(address, BATCH_DRAWS_TAKEN + 4);
    header.setUint32(BATCH_DRAWS, this.#list - address, true);
    header.setUint32(BATCH_DRAWS_COUNT, told, true);
    header.setUint32(BATCH_DRAWS_TAKEN, 0, true);
  }

  /** Makes the copy what it was before the packet, but for connections that were given up and the random state. */
  #takeBack(state: StateStore, copy: number, { records }: Fate): void {
    const opened = records.find(({ event }) => event === "OPEN");
    if (opened !== undefined) this.#machine.flowClose(copy, opened.a);
    const { octets } = state;
    const at = state.parts.connections;
    this.#memory.octets(copy + at, octets.length - at).set(octets.subarray(at));
  }
}

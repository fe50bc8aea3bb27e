import { findingsIn } from "../explore/fate.js";
import { type Outcome, Outcomes, type Told } from "../explore/outcome.js";
import { Tape } from "../explore/tape.js";
import { forEachWay, type Run } from "../explore/ways.js";
import { expectFlag, expectFrame, expectInteger, expectNow } from "./arguments.js";
import { Batch, DATAGRAM_LENGTH } from "./batch.js";
import { DRAWS_MAX, DrawList } from "./draw-list.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import type { ExploreOptions } from "./options.js";
import type { StateStore } from "./state.js";
import type { Arrival, RunPlace } from "./tracer.js";

const WAYS_DEFAULT = 65_536;
const WAYS_MAX = 4_194_304;
/** What the run that first meets a way's choices may record beside them. */
const RECORDS_BESIDE = 8192;
/** Copies of states up to here have a place of their own; that of a larger one is given back each time. */
const KEPT_OCTETS = 1 << 24;

/** A slot for one packet, and what its choices come to. */
interface Slot {
  readonly batch: Batch;
  readonly list: DrawList;
}

/** Of a state and its copy, what lies behind the connections, and before those of IPVS. */
interface Tails {
  readonly original: Uint8Array;
  readonly copy: Uint8Array;
}

/** A run, and what it needs beside the packet. */
interface Rig extends Slot, RunPlace {
  /** Address of the state whose copy is run. */
  readonly original: number;
  readonly tails: Tails;
  readonly tape: Tape;
}

/** Runs one packet again and again, each time with other outcomes of what is left to chance, on a copy of the state. */
export class Explorer {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #slot: Slot | undefined;
  /** What is lent is written over, what is kept is not. */
  readonly #lent = new Tape();
  readonly #kept = new Tape();
  #place: { readonly address: number; readonly octets: number } | undefined;
  /** The state whose copy stands there. */
  #copied: { readonly address: number; readonly octets: number } | undefined;

  /** Of the trace build. */
  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  #slotFor(frameLength: number): Slot {
    if (this.#slot === undefined || this.#slot.batch.frameLength < frameLength) {
      const traces = DRAWS_MAX + RECORDS_BESIDE;
      const batch = new Batch(this.#machine, this.#memory, 1, { frameLength, traces });
      this.#slot = { batch, list: new DrawList(this.#memory, batch) };
    }
    return this.#slot;
  }

  /**
   * All that may become of a packet that comes in by an interface's number, from a state that stays as it is. RangeError for
   * more ways or choices than there is room for.
   */
  explore(image: number, state: StateStore, arrival: Arrival, options: ExploreOptions): readonly Outcome[] {
    const { now = 0, limit = WAYS_DEFAULT, lends = false } = options;
    expectFrame(arrival.frame);
    expectNow(now);
    expectInteger("limit", limit, 1, WAYS_MAX);
    expectFlag("lends", lends);
    const whole = this.#machine.stateCells(state.address) === 0 ? 0 : DATAGRAM_LENGTH;
    const slot = this.#slotFor(Math.max(arrival.frame.length, whole));
    const outcomes = new Outcomes();
    const tape = lends ? this.#lent : this.#kept;
    if (lends) tape.rewind();
    const { length } = state.octets;
    this.#withRoom(length, (address) => {
      // Only now: a memory that grows takes older views along.
      const original = state.octets;
      const copy = this.#memory.octets(address, length);
      if (this.#isCopied(address, state)) this.#machine.stateRenew(address, state.address);
      else copy.set(original);
      const { connections: at, fragments, positions, clients } = state.parts;
      const end = at + fragments + positions + clients;
      const tails = { original: original.subarray(at, end), copy: copy.subarray(at, end) };
      const rig = { ...slot, image, state: address, original: state.address, now, tails, tape };
      const run = (told: number) => this.#run(rig, told, arrival);
      this.#copied = undefined;
      forEachWay(run, slot.list.words, limit, (way) => outcomes.add(way));
      this.#copied = { address: state.address, octets: length };
    });
    return outcomes.all;
  }

  /** Whether the kept place has an older copy of the state, in which every packet was undone. */
  #isCopied(place: number, { address, octets }: StateStore): boolean {
    const copied = this.#copied;
    return place === this.#place?.address && copied?.address === address && copied.octets === octets.length;
  }

  /** Room for a copy of the state. */
  #withRoom(octets: number, use: (address: number) => void): void {
    if (octets > KEPT_OCTETS) {
      this.#memory.borrow(octets, use);
      return;
    }
    if (this.#place === undefined || this.#place.octets < octets)
      this.#place = { address: this.#memory.take(octets, "a copy of the state"), octets };
    use(this.#place.address);
  }

  /** Runs the packet with so many told choices, and makes the copy what it was, but for its random state. */
  #run(rig: Rig, told: number, { frame, in: inNumber }: Arrival): Run<Told> {
    const { batch, list, image, state, now, tails, tape } = rig;
    list.tell(told);
    batch.set(0, frame, inNumber);
    this.#machine.run(image, state, batch.address, 1, now);
    const view = batch.recordView();
    const { draws, opened, destination, masquerade } = findingsIn(view);
    if (opened !== 0) this.#machine.flowClose(state, opened);
    tails.copy.set(tails.original);
    this.#machine.sessionsRestore(image, state, rig.original);
    const [verdict, reason] = [batch.verdict(0), batch.reason(0)];
    return { draws, result: { verdict, reason, destination, masquerade, taped: tape.write(view) } };
  }
}

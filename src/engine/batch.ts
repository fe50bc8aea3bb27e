import {
  BATCH_DONE,
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BATCH_TRACE,
  BATCH_TRACE_COUNT,
  BATCH_TRACE_LOST,
  COLUMN_CONNECTION,
  COLUMN_COUNT,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_NEXT_HOP,
  COLUMN_OUT,
  COLUMN_VERDICT,
  COLUMN_WALKED,
  INTERFACE_NODE,
  PARTS_LENGTHS,
  SLOT_HEADROOM,
  SLOT_STRIDE,
} from "../../assembly/abi/packet.js";
import { TRACE_RECORD_LEN } from "../../assembly/abi/trace.js";
import { LEAVES_IN_PARTS } from "../../assembly/abi/verdict.js";
import { expectOptions } from "../arguments.js";
import { cutFrame } from "../packet/fragment.js";
import { type DropReason, dropReason, type VerdictName, verdictName } from "../trace/codes.js";
import { readRecords, type TraceRecord } from "../trace/record.js";
import { expectFrame, expectInteger } from "./arguments.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import { partsAt } from "./parts.js";

export interface BatchOptions {
  /** Octets of the largest frame; default 2048. Datagrams that come in fragments need more: DATAGRAM_LENGTH is enough for all. */
  readonly frameLength?: number;
  /** Room for trace records; default 0. */
  readonly traces?: number;
}

/** Octets of a slot's frame that any datagram fits which came in fragments, with what is said of those (abi/packet.ts). */
export const DATAGRAM_LENGTH = 54 + 65_535 + PARTS_LENGTHS + 2 * 8_192;
const INTERFACES_MAX = 65_535;
const BATCH = "a batch";
const U32_MAX = 0xffff_ffff;

/** A slot holds headroom and a frame; 128 octets beyond a power of two keep headers out of the same cache sets. */
function strideOf(frameLength: number): number {
  return Math.max(SLOT_STRIDE, Math.ceil((frameLength + SLOT_HEADROOM) / 128) * 128);
}

/**
 * A batch of packets in the engine's linear memory: slots to fill, columns to read. Columns are live views, one
 * unsigned 32-bit number a packet (assembly/abi/packet.ts).
 */
export class Batch {
  readonly capacity: number;
  readonly stride: number;
  /** Where it stands in linear memory. */
  readonly address: number;
  /** Offset of each frame from the batch's start. */
  readonly frames: Uint32Array;
  readonly lengths: Uint32Array;
  /** Interface number each packet came in by, 0 for packets made on the node. */
  readonly ins: Uint32Array;
  /** VERDICT_ code, DROP_ reason << 8, and of what was dropped or refused REFUSED_ bits << 16; LEAVES_IN_PARTS beside FORWARD. */
  readonly verdicts: Uint32Array;
  readonly outs: Uint32Array;
  readonly nextHops: Uint32Array;
  /** Rules walked and probes made for each packet. */
  readonly walked: Uint32Array;
  readonly connections: Uint32Array;
  /** The whole batch, in place: a copy of it restores every frame and column. */
  readonly octets: Uint8Array;
  readonly #view: DataView;
  readonly #slots: number;
  readonly #memory: LinearMemory;
  readonly #interfaces: number;

  /** Whose run it is lent to; nobody else runs or fills it then. */
  #borrower: string | undefined;

  /** For a node of so many interfaces. Use `engine.batch`. */
  constructor(
    machine: Machine,
    memory: LinearMemory,
    capacity: number,
    options: BatchOptions = {},
    interfaces = INTERFACES_MAX,
  ) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`A batch holds at least one packet, not ${capacity}.`);
    }
    expectOptions(options, "engine.batch()");
    const { frameLength = SLOT_STRIDE - SLOT_HEADROOM, traces = 0 } = options;
    expectInteger("frameLength", frameLength, 0, U32_MAX);
    expectInteger("traces", traces, 0, U32_MAX);
    this.#memory = memory;
    this.#interfaces = interfaces;
    this.capacity = capacity;
    this.stride = strideOf(frameLength);
    // Before the machine, which counts in 32 bits.
    memory.expectRoom(capacity * (this.stride + COLUMN_COUNT * 4) + traces * TRACE_RECORD_LEN, BATCH);
    const length = machine.batchLength(capacity, this.stride, traces) >>> 0;
    this.address = memory.take(length, BATCH);
    machine.batchCreate(this.address, capacity, this.stride, traces);
    const column = (number: number) =>
      memory.words(this.address + BATCH_HEADER_LEN + number * capacity * 4, capacity);
    this.frames = column(COLUMN_FRAME);
    this.lengths = column(COLUMN_LENGTH);
    this.ins = column(COLUMN_IN);
    this.verdicts = column(COLUMN_VERDICT);
    this.outs = column(COLUMN_OUT);
    this.nextHops = column(COLUMN_NEXT_HOP);
    this.walked = column(COLUMN_WALKED);
    this.connections = column(COLUMN_CONNECTION);
    this.octets = memory.octets(this.address, length);
    this.#view = memory.view(this.address, length);
    this.#slots = this.#view.getUint32(BATCH_SLOTS, true);
  }

  /** Octets of the largest frame that a slot takes. */
  get frameLength(): number {
    return this.stride - SLOT_HEADROOM;
  }

  /** Whether it stands in this memory: another engine's machine would find something else there. */
  isIn(memory: LinearMemory): boolean {
    return this.#memory === memory;
  }

  /**
   * Copies a frame into a slot. RangeError when the slot or the frame is too large for the batch or the node has no
   * interface of that number, TypeError for a frame that is no Uint8Array.
   */
  set(index: number, frame: Uint8Array, inNumber: number = INTERFACE_NODE): void {
    this.expectFree();
    this.#expectSlot(index);
    expectFrame(frame);
    expectInteger("in", inNumber, INTERFACE_NODE, this.#interfaces);
    if (frame.length > this.frameLength) {
      throw new RangeError(
        `A frame of ${frame.length} octets does not fit a slot of ${this.frameLength}; state frameLength for the batch.`,
      );
    }
    const at = this.#slots + index * this.stride + SLOT_HEADROOM;
    this.octets.set(frame, at);
    this.frames[index] = at;
    this.lengths[index] = frame.length;
    this.ins[index] = inNumber;
    this.verdicts[index] = 0;
  }

  /** The frame as it stands, in place: valid until the slot is set again. RangeError for a slot that is not there. */
  frame(index: number): Uint8Array {
    this.#expectSlot(index);
    const at = this.frames[index] ?? 0;
    return this.octets.subarray(at, at + (this.lengths[index] ?? 0));
  }

  /**
   * The frames that leave instead of the one that stands there: itself, or the fragments that its packet is sent in.
   * Copies. RangeError for a slot that is not there.
   */
  leaving(index: number): readonly Uint8Array[] {
    const frame = this.frame(index).slice();
    if (this.verdict(index) !== "FORWARD" || ((this.verdicts[index] ?? 0) & LEAVES_IN_PARTS) === 0)
      return [frame];
    const end = (this.frames[index] ?? 0) + frame.length;
    return cutFrame(frame, partsAt(this.#view, Math.ceil(end / 4) * 4));
  }

  verdict(index: number): VerdictName {
    this.#expectSlot(index);
    return verdictName(this.verdicts[index] ?? 0);
  }

  reason(index: number): DropReason {
    this.#expectSlot(index);
    return dropReason(this.verdicts[index] ?? 0);
  }

  #expectSlot(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.capacity) return;
    throw new RangeError(`The batch has ${this.capacity} slots; there is no slot ${String(index)}.`);
  }

  /** Error while a worker runs it. */
  expectFree(): void {
    if (this.#borrower !== undefined)
      throw new Error(`The batch is ${this.#borrower}'s until its run is done: await that first.`);
  }

  /** Lends it for the length of a run. Error while it is lent. */
  async lend<T>(borrower: string, use: () => Promise<T>): Promise<T> {
    this.expectFree();
    this.#borrower = borrower;
    try {
      return await use();
    } finally {
      this.#borrower = undefined;
    }
  }

  /** Packets from the first one on that the last run has judged. */
  get done(): number {
    return this.#view.getUint32(BATCH_DONE, true);
  }

  /** What the last traced run recorded. RangeError when there was no room for all of it. */
  records(): TraceRecord[] {
    return readRecords(this.recordView());
  }

  /** The same as it stands in memory (assembly/abi/trace.ts), valid until the next run. */
  recordView(): DataView {
    const lost = this.#view.getUint32(BATCH_TRACE_LOST, true);
    if (lost > 0)
      throw new RangeError(`${lost} trace records found no room; state more traces for the batch.`);
    const count = this.#view.getUint32(BATCH_TRACE_COUNT, true);
    const at = this.#view.byteOffset + this.#view.getUint32(BATCH_TRACE, true);
    return new DataView(this.#view.buffer, at, count * TRACE_RECORD_LEN);
  }
}

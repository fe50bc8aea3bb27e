import { readRecords, type TraceRecord } from "../trace/record.js";

/** Trace records of one way, which are read when they are asked for: of most ways nobody does. */
export interface Taped {
  read(): readonly TraceRecord[];
}

/** Keeps the records of a packet's ways together: a buffer for each would cost more than its run. */
export class Tape {
  #octets: Uint8Array<ArrayBuffer>;
  #end = 0;

  /** `room`: octets that it will probably take. */
  constructor(room: number) {
    this.#octets = new Uint8Array(room);
  }

  /** Octets that it has taken. */
  get length(): number {
    return this.#end;
  }

  /** Copies the records that a view is full of. */
  write({ buffer, byteOffset, byteLength }: DataView): Taped {
    const from = this.#end;
    this.#reach(from + byteLength);
    this.#octets.set(new Uint8Array(buffer, byteOffset, byteLength), from);
    this.#end += byteLength;
    return { read: () => readRecords(new DataView(this.#octets.buffer, from, byteLength)) };
  }

  #reach(length: number): void {
    if (length <= this.#octets.length) return;
    const longer = new Uint8Array(Math.max(length, this.#octets.length * 2));
    longer.set(this.#octets.subarray(0, this.#end));
    this.#octets = longer;
  }
}

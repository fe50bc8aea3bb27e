import { TRACE_RECORD_LEN } from "../../assembly/abi/trace.js";
import { readRecords, type TraceRecord } from "../trace/record.js";

/** A reel holds the ways of some hundred packets. */
const REEL_OCTETS = 4096 * TRACE_RECORD_LEN;

/** Trace records of one way, which are read when they are asked for: of most ways nobody does. */
export interface Taped {
  read(): readonly TraceRecord[];
}

/** Keeps the records of ways one behind another: a buffer for each would cost more than its run. */
export class Tape {
  #reel = new Uint8Array(0);
  #end = 0;
  #rewound = 0;

  /** Begins anew over what was written: it can no longer be read. */
  rewind(): void {
    this.#end = 0;
    this.#rewound++;
  }

  /** Copies the records that a view is full of. */
  write({ buffer, byteOffset, byteLength }: DataView): Taped {
    if (this.#end + byteLength > this.#reel.length) {
      // What is on the old reel stays there for who may ask.
      this.#reel = new Uint8Array(Math.max(byteLength, REEL_OCTETS));
      this.#end = 0;
    }
    const [reel, from] = [this.#reel.buffer, this.#end];
    this.#reel.set(new Uint8Array(buffer, byteOffset, byteLength), from);
    this.#end += byteLength;
    const written = this.#rewound;
    const read = () => {
      if (written === this.#rewound) return readRecords(new DataView(reel, from, byteLength));
      throw new TypeError(
        "These records were lent until the next packet was explored: read them before, or keep them.",
      );
    };
    return { read };
  }
}

const PAGE = 65536;
/** The machine is built for a shared memory of at most 2 GiB. */
const PAGES_MAX = 32768;
/** Below this nothing is placed, so that address 0 is never valid. */
const FIRST = PAGE;
const ALIGNMENT = 128;

/** A `WebAssembly.Memory`, declared here so that who uses the package needs no types of the DOM. */
export interface SharedPages {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/**
 * The linear memory of an engine: regions taken one after another. Growth of a shared memory leaves old views
 * valid, but they do not see what was added.
 */
export class LinearMemory {
  readonly memory: SharedPages;
  #top = FIRST;

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 2, maximum: PAGES_MAX, shared: true });
  }

  /** The address of a fresh region of so many octets; RangeError when 2 GiB do not hold it. */
  take(octets: number): number {
    this.expectRoom(octets);
    const address = this.#next;
    const end = address + octets;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
    this.#top = end;
    return address;
  }

  /** RangeError when 2 GiB do not hold so many octets more. */
  expectRoom(octets: number): void {
    if (this.#next + octets <= PAGES_MAX * PAGE) return;
    throw new RangeError(
      `An engine's memory holds 2 GiB; ${octets} octets more do not fit. State fewer connections or smaller batches.`,
    );
  }

  get #next(): number {
    return Math.ceil(this.#top / ALIGNMENT) * ALIGNMENT;
  }

  /** Lends a fresh region for the length of a call, and takes it back. */
  borrow<T>(octets: number, use: (address: number) => T): T {
    const top = this.#top;
    try {
      return use(this.take(octets));
    } finally {
      this.#top = top;
    }
  }

  octets(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, count);
  }

  view(address: number, length: number): DataView {
    return new DataView(this.memory.buffer, address, length);
  }
}

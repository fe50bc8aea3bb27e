const PAGE = 65536;
/** The machine is built for a shared memory of at most 2 GiB. */
const PAGES_MAX = 32768;
/** Below this nothing is placed, so that address 0 is never valid. */
const FIRST = PAGE;
const ALIGNMENT = 128;
const UNSHARED_DEFAULT = 2 ** 28;
const THIS = "this";

/** A `WebAssembly.Memory`, declared here so that who uses the package needs no types of the DOM. */
export interface SharedPages {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** Whether the host lets threads share memory (a browser only on pages that are cross-origin isolated). */
export function hasSharedMemory(): boolean {
  return typeof SharedArrayBuffer !== "undefined";
}

/**
 * The linear memory of an engine: regions taken one after another. Growth of a shared memory leaves old views
 * valid, but they do not see what was added. A memory that is not shared would lose its views, so it has all its
 * octets from the beginning.
 */
export class LinearMemory {
  readonly memory: SharedPages;
  readonly isShared: boolean;
  readonly #pages: number;
  #top = FIRST;

  /** `octets`: of a memory that is not shared; default 256 MiB. */
  constructor(octets: number = UNSHARED_DEFAULT) {
    if (!Number.isInteger(octets) || octets < FIRST + PAGE)
      throw new RangeError(`memory: ${String(octets)} is no number of octets of ${FIRST + PAGE} or more.`);
    this.isShared = hasSharedMemory();
    this.#pages = this.isShared ? PAGES_MAX : Math.min(PAGES_MAX, Math.ceil(octets / PAGE));
    const initial = this.isShared ? 2 : this.#pages;
    this.memory = new WebAssembly.Memory({ initial, maximum: PAGES_MAX, shared: this.isShared });
  }

  /** The address of a fresh region of so many octets for what is named; RangeError when the memory does not hold it. */
  take(octets: number, what = THIS): number {
    this.expectRoom(octets, what);
    const address = this.#next;
    const end = address + octets;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
    this.#top = end;
    return address;
  }

  hasRoom(octets: number): boolean {
    return this.#next + octets <= this.#pages * PAGE;
  }

  /** RangeError when 2 GiB, or what a memory that is not shared has, do not hold so many octets more for what is named. */
  expectRoom(octets: number, what = THIS): void {
    if (this.hasRoom(octets)) return;
    const holds = this.isShared ? "2 GiB" : `${(this.#pages * PAGE) / 2 ** 20} MiB`;
    const more = this.isShared ? "" : ", or more memory";
    throw new RangeError(
      `An engine's memory holds ${holds}; ${Math.ceil(octets)} octets more for ${what} do not fit. ` +
        `Load fewer Services and routes, state fewer connections or smaller batches${more}.`,
    );
  }

  get #next(): number {
    return Math.ceil(this.#top / ALIGNMENT) * ALIGNMENT;
  }

  /** Lends a fresh region for the length of a call, takes it back and clears it: what is fresh is all zero. */
  borrow<T>(octets: number, use: (address: number) => T): T {
    const top = this.#top;
    const address = this.take(octets);
    try {
      return use(address);
    } finally {
      this.octets(address, octets).fill(0);
      this.#top = top;
    }
  }

  /** A copy of octets of this memory, after the machine changed it in some other place. */
  copyOf(octets: Uint8Array, change: (address: number, length: number) => void): Uint8Array {
    return this.borrow(octets.length, (address) => {
      const copy = this.octets(address, octets.length);
      copy.set(octets);
      change(address, octets.length);
      return copy.slice();
    });
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

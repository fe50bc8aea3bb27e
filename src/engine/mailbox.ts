import type { LinearMemory } from "./memory.js";

/** One run of a batch, as a worker thread is told to do it. */
export interface Job {
  readonly image: number;
  readonly state: number;
  readonly batch: number;
  /** Packets first … count - 1. */
  readonly first: number;
  readonly count: number;
  readonly now: number;
}

/** Octets of a mailbox, which lies in linear memory: words, and the clock as a double at CLOCK. */
export const MAILBOX_LEN = 64;
const POSTED = 0;
/** image, state, batch, first, count. */
const JOB = 2;
const JOB_WORDS = 5;
const STATUS = 7;
const CLOCK = 4;

/** A number that no job has: the thread ends. */
const END = -1;

/**
 * A place in shared memory through which one thread gives another jobs, one at a time. The one that gives may not block
 * (it serves an event loop); the one that takes does nothing else.
 */
export class Mailbox {
  readonly #words: Int32Array;
  readonly #clock: Float64Array;

  constructor(memory: LinearMemory["memory"], address: number) {
    this.#words = new Int32Array(memory.buffer, address, MAILBOX_LEN / 4);
    this.#clock = new Float64Array(memory.buffer, address, MAILBOX_LEN / 8);
  }

  /** Posts a job; one at a time. The thread that takes it tells when it is done (`status` then has what came of it). */
  post({ image, state, batch, first, count, now }: Job): void {
    const words = this.#words;
    words.set([image, state, batch, first, count], JOB);
    this.#clock[CLOCK] = now;
    Atomics.add(words, POSTED, 1);
    Atomics.notify(words, POSTED);
  }

  /** The machine's status of the job done last. */
  get status(): number {
    return Atomics.load(this.#words, STATUS);
  }

  /** Lets the thread that takes jobs end. */
  close(): void {
    Atomics.store(this.#words, POSTED, END);
    Atomics.notify(this.#words, POSTED);
  }

  /** Does jobs as they come, and tells of each, until the mailbox is closed. */
  serve(work: (job: Job) => number, tell: () => void): void {
    const words = this.#words;
    for (let last = 0; ; ) {
      Atomics.wait(words, POSTED, last);
      const number = Atomics.load(words, POSTED);
      if (number === END) return;
      if (number === last) continue;
      const [image = 0, state = 0, batch = 0, first = 0, count = 0] = words.subarray(JOB, JOB + JOB_WORDS);
      const status = work({ image, state, batch, first, count, now: this.#clock[CLOCK] ?? 0 });
      Atomics.store(words, STATUS, status);
      tell();
      last = number;
    }
  }
}

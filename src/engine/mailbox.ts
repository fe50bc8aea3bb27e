import type { LinearMemory } from "./memory.js";

/** One run of a batch, as a worker thread is told to do it. */
export interface Job {
  readonly image: number;
  readonly state: number;
  readonly batch: number;
  readonly count: number;
  readonly now: number;
}

/** Octets of a mailbox, which lies in linear memory: words, and the clock as a double at CLOCK. */
export const MAILBOX_LEN = 64;
const POSTED = 0;
const DONE = 1;
/** image, state, batch, count. */
const JOB = 2;
const JOB_WORDS = 4;
const STATUS = 6;
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

  /** Posts a job; the machine's status once it is done. One at a time. */
  async post({ image, state, batch, count, now }: Job): Promise<number> {
    const words = this.#words;
    const number = Atomics.load(words, POSTED) + 1;
    words.set([image, state, batch, count], JOB);
    this.#clock[CLOCK] = now;
    Atomics.store(words, POSTED, number);
    Atomics.notify(words, POSTED);
    for (let done = Atomics.load(words, DONE); done !== number; done = Atomics.load(words, DONE)) {
      await Atomics.waitAsync(words, DONE, done).value;
    }
    return Atomics.load(words, STATUS);
  }

  /** Lets the thread that takes jobs end. */
  close(): void {
    Atomics.store(this.#words, POSTED, END);
    Atomics.notify(this.#words, POSTED);
  }

  /** Does jobs as they come, until the mailbox is closed. */
  serve(work: (job: Job) => number): void {
    const words = this.#words;
    for (let last = 0; ; ) {
      Atomics.wait(words, POSTED, last);
      const number = Atomics.load(words, POSTED);
      if (number === END) return;
      if (number === last) continue;
      const [image = 0, state = 0, batch = 0, count = 0] = words.subarray(JOB, JOB + JOB_WORDS);
      const status = work({ image, state, batch, count, now: this.#clock[CLOCK] ?? 0 });
      Atomics.store(words, STATUS, status);
      Atomics.store(words, DONE, number);
      Atomics.notify(words, DONE);
      last = number;
    }
  }
}

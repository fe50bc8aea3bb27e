import { Worker } from "node:worker_threads";
import { STATUS_AGAIN, STATUS_OK } from "../../assembly/abi/image.js";
import { expectInteger, expectNow } from "./arguments.js";
import { Batch } from "./batch.js";
import type { Machine } from "./machine.js";
import { type Job, MAILBOX_LEN, Mailbox } from "./mailbox.js";
import type { LinearMemory } from "./memory.js";
import { type StateNeeds, type StateOptions, StateStore } from "./state.js";
import { type MachineModule, workerScript } from "./wasm.js";
import type { WorkerStart } from "./worker-thread.js";

/** What workers share with their engine. */
export interface Shared {
  readonly machine: Machine;
  readonly module: MachineModule;
  readonly memory: LinearMemory;
  /** Where the image is now: a change may move it. */
  readonly image: () => number;
  /** What it asks of a state now. */
  readonly needs: () => StateNeeds;
}

/** Runs one job at a time, in a thread or in this one; the machine's status. */
type Run = (job: Job) => Promise<number>;

const CLOSED = "The workers are closed: make others with engine.workers().";

/**
 * One worker: connections, schedulers and random state of its own, over the engine's tables. Both directions of a
 * connection must be given to the same worker.
 */
export class EngineWorker {
  readonly #shared: Shared;
  readonly #state: StateStore;
  readonly #run: Run;
  #isRunning = false;
  #isClosed = false;

  constructor(shared: Shared, state: StateStore, run: Run) {
    this.#shared = shared;
    this.#state = state;
    this.#run = run;
  }

  /** Address of its state, for direct calls. */
  get state(): number {
    return this.#state.address;
  }

  /** Live connections. */
  get connections(): number {
    return this.#shared.machine.flowsCount(this.state) >>> 0;
  }

  /**
   * Runs the first `count` packets of a batch of the engine's, as `engine.run` does, beside what other threads do; the
   * batch is the worker's until then. Error while it runs another, for a batch that another runs, and after `close`.
   * TypeError and RangeError as of `engine.run`.
   */
  async run(batch: Batch, now = 0, count: number = batch?.capacity): Promise<void> {
    const { memory } = this.#shared;
    if (!(batch instanceof Batch) || !batch.isIn(memory))
      throw new TypeError("The batch is not one of this worker's engine.");
    expectNow(now);
    expectInteger("count", count, 0, batch.capacity);
    if (this.#isClosed) throw new Error(CLOSED);
    if (this.#isRunning) throw new Error("The worker still runs another batch: await that first.");
    this.#isRunning = true;
    try {
      await batch.lend("a worker", () => this.#runAll(batch, count, now));
    } finally {
      this.#isRunning = false;
    }
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** No more runs. */
  close(): void {
    this.#isClosed = true;
  }

  async #runAll(batch: Batch, count: number, now: number): Promise<void> {
    let status = await this.#runFrom(batch, 0, count, now);
    // A change moved the image, or brought virtual servers: the rest is run over what is there now.
    while (status === STATUS_AGAIN) status = await this.#runFrom(batch, batch.done, count, now);
    if (status !== STATUS_OK) throw new Error(`The machine refused to run the batch (status ${status}).`);
  }

  #runFrom(batch: Batch, first: number, count: number, now: number): Promise<number> {
    const { image, needs } = this.#shared;
    this.#state.reach(needs());
    return this.#run({ image: image(), state: this.state, batch: batch.address, first, count, now });
  }
}

/** So many workers of one engine. */
export class Workers {
  readonly all: readonly EngineWorker[];
  /** Threads they run in; 0 where the host lacks SharedArrayBuffer: they run in this one, one after another. */
  readonly threads: number;
  readonly #mailboxes: readonly Mailbox[];

  private constructor(all: readonly EngineWorker[], mailboxes: readonly Mailbox[]) {
    this.all = all;
    this.threads = mailboxes.length;
    this.#mailboxes = mailboxes;
  }

  /** The seeds of their states are the one given and those after it. */
  static start(shared: Shared, count: number, options: StateOptions): Workers {
    const { machine, memory, needs } = shared;
    const stores = Array.from({ length: count }, (_, index) => {
      const store = new StateStore(machine, memory);
      const seed = BigInt.asUintN(64, options.seed + BigInt(index));
      store.create({ ...options, seed }, needs());
      return store;
    });
    if (!memory.isShared) {
      const run = async ({ image: at, state, batch, first, count: end, now }: Job) =>
        machine.runFrom(at, state, batch, first, end, now);
      return new Workers(
        stores.map((store) => new EngineWorker(shared, store, run)),
        [],
      );
    }
    const threads = stores.map((store) => {
      const { mailbox, run } = startThread(shared);
      return { mailbox, worker: new EngineWorker(shared, store, run) };
    });
    return new Workers(
      threads.map(({ worker }) => worker),
      threads.map(({ mailbox }) => mailbox),
    );
  }

  /** Addresses of their states. */
  get states(): readonly number[] {
    return this.all.map(({ state }) => state);
  }

  /**
   * Lets the threads end. Error while one runs a batch. Their memory stays the engine's, as that of batches does: make
   * workers once, not for every job.
   */
  close(): void {
    if (this.all.some((worker) => worker.isRunning))
      throw new Error("A worker still runs a batch: await that before you close them.");
    for (const worker of this.all) worker.close();
    for (const mailbox of this.#mailboxes) mailbox.close();
  }
}

function startThread({ module, memory }: Shared): { readonly mailbox: Mailbox; readonly run: Run } {
  const address = memory.take(MAILBOX_LEN, "a worker");
  const workerData: WorkerStart = { module, memory: memory.memory, mailbox: address };
  const mailbox = new Mailbox(memory.memory, address);
  const thread = new Worker(workerScript(), { workerData });
  const failure = new Promise<never>((_, reject) => thread.once("error", reject));
  // Whoever runs a batch hears of it.
  failure.catch(() => undefined);
  // An idle thread does not keep the process.
  thread.unref();
  const run = async (job: Job): Promise<number> => {
    thread.ref();
    try {
      const done = new Promise((resolve) => thread.once("message", resolve));
      mailbox.post(job);
      await Promise.race([done, failure]);
      return mailbox.status;
    } finally {
      thread.unref();
    }
  };
  return { mailbox, run };
}

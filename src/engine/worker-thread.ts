import { parentPort, workerData } from "node:worker_threads";
import { link } from "./machine.js";
import { Mailbox } from "./mailbox.js";
import type { LinearMemory } from "./memory.js";
import type { MachineModule } from "./wasm.js";

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly module: MachineModule;
  readonly memory: LinearMemory["memory"];
  readonly mailbox: number;
}

const { module, memory, mailbox } = workerData as WorkerStart;
const machine = await link(module, memory);
new Mailbox(memory, mailbox).serve(
  ({ image, state, batch, first, count, now }) => {
    try {
      return machine.runFrom(image, state, batch, first, count, now);
    } finally {
      // A change waits for bursts on their way: were there a fault, it would wait for this one for ever.
      machine.stateRest(state);
    }
  },
  () => parentPort?.postMessage(null),
);

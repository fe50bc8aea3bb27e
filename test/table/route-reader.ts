/**
 * Runs in a worker thread, as plain JavaScript: looks up the same keys in a shared image until it is told to stop, and
 * counts answers that are none of those allowed for their key. Of `watch` word 0 tells it to stop; words 1 and 2 tell how
 * many rounds it has made, and how many look-ups it has repeated, so far.
 */
export const ROUTE_READER = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, image, lookUp, keys, count, results, watch, allowed } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const answers = new Uint32Array(memory.buffer, results, count);
let strange = 0;
parentPort.postMessage("ready");
while (Atomics.load(watch, 0) === 0) {
  Atomics.add(watch, 2, exports[lookUp](image, keys, count, results));
  for (let i = 0; i < count; i++) if (!allowed[i].includes(answers[i])) strange++;
  Atomics.add(watch, 1, 1);
}
parentPort.postMessage(strange);
`;

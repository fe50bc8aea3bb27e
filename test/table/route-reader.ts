/**
 * Runs in a worker thread, as plain JavaScript: looks up the same keys in a shared image until it is told to stop, and
 * counts answers that are none of those allowed for their key.
 */
export const ROUTE_READER = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, image, lookUp, keys, count, results, stop, allowed } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const answers = new Uint32Array(memory.buffer, results, count);
let [rounds, repeated, strange] = [0, 0, 0];
parentPort.postMessage("ready");
while (Atomics.load(stop, 0) === 0) {
  repeated += exports[lookUp](image, keys, count, results);
  for (let i = 0; i < count; i++) if (!allowed[i].includes(answers[i])) strange++;
  rounds++;
}
parentPort.postMessage({ rounds, repeated, strange });
`;

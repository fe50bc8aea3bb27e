import { parentPort, workerData } from "node:worker_threads";
import { link } from "../src/engine/machine.js";
import { SHARES, type VerifyResult, type VerifyTask } from "./verify-lpm-task.js";

/** Addresses of a share, and of those how many are looked up in a call: what fits the first cache. */
const SHARE = 2 ** 32 / SHARES;
const CHUNK = 1 << 12;
const WRONG_MAX = 100;

/** Whether all results from `from` to `to` are `hop`: no branch within the loop. */
function areAll(results: Uint32Array, from: number, to: number, hop: number): boolean {
  let different = 0;
  for (let at = from; at < to; at++) different |= (results[at] as number) ^ hop;
  return different === 0;
}

/** Compares share after share of all IPv4 addresses with the intervals, until none is left. */
async function run(task: VerifyTask): Promise<VerifyResult> {
  const { image, scratch, starts, hops, next } = task;
  const machine = await link(task.module, task.memory);
  const keys = new Uint32Array(task.memory.buffer, scratch, CHUNK);
  const results = new Uint32Array(task.memory.buffer, scratch + CHUNK * 4, CHUNK);
  const wrong: string[] = [];
  let compared = 0;
  let interval = 0;
  const compareChunk = (first: number) => {
    for (let index = 0; index < CHUNK; index++) keys[index] = first + index;
    machine.routeLookupMany(image, scratch, CHUNK, scratch + CHUNK * 4);
    for (let at = 0; at < CHUNK; ) {
      while (interval + 1 < starts.length && (starts[interval + 1] as number) <= first + at) interval++;
      const end = Math.min(CHUNK, (starts[interval + 1] ?? 2 ** 32) - first);
      const hop = hops[interval] as number;
      if (!areAll(results, at, end, hop) && wrong.length < WRONG_MAX)
        wrong.push(`from ${(first + at).toString(16)} on: not always ${hop}`);
      compared += end - at;
      at = end;
    }
  };
  for (let share = Atomics.add(next, 0, 1); share < SHARES; share = Atomics.add(next, 0, 1)) {
    for (let chunk = 0; chunk < SHARE; chunk += CHUNK) compareChunk(share * SHARE + chunk);
  }
  return { compared, wrong };
}

parentPort?.postMessage(await run(workerData as VerifyTask));

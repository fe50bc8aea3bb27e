import { createInterface } from "node:readline";
import { quantile } from "../../src/report/statistics.js";
import { type Kernel, MissingExport } from "./kernel.js";
import {
  decapsulatorKernel,
  flowKernel,
  maglevKernel,
  routerKernel,
  translatorKernel,
} from "./packet-kernels.js";
import { build4Kernel, hashKernel, lpm4Kernel, lpm6Kernel } from "./table-kernels.js";

/**
 * packetyard's side of the comparison: a process of its own that answers the same requests as the native harness
 * (bench/native/main.c), or `missing EXPORT` where the machine cannot do yet what is asked.
 */
const SUBJECTS: Readonly<Record<string, (folder: string) => Promise<Kernel>>> = {
  build4: build4Kernel,
  lpm4: lpm4Kernel,
  lpm6: lpm6Kernel,
  hash: hashKernel,
  encap: routerKernel,
  decap: routerKernel,
  connection: translatorKernel,
  whole: flowKernel,
  strip: decapsulatorKernel,
  maglev: maglevKernel,
};

const PASSES_MIN = 10;
const PASSES_MAX = 4096;
const WARM_MS = 2;

/** What a pass costs undisturbed: the lowest decile of those that so many milliseconds hold, once caches are warm. */
function timePasses(one: Kernel, ms: number): number {
  const begin = performance.now();
  const samples: number[] = [];
  while (performance.now() < begin + WARM_MS) one.pass();
  while (samples.length < PASSES_MIN || (samples.length < PASSES_MAX && performance.now() < begin + ms))
    samples.push(one.pass());
  return quantile(samples, 0.1);
}

let kernel: Kernel | undefined;

async function answer([request = "", first = "", second = ""]: readonly string[]): Promise<string> {
  if (request === "open") {
    const make = SUBJECTS[first];
    if (make === undefined) return `error there is no subject ${first}`;
    kernel = await make(second);
    return "ok";
  }
  if (kernel === undefined) return `error ${request}: nothing is open`;
  if (request === "keys") return `ok ours:${kernel.keys(first, Number(second))}`;
  if (request === "check") return `ok ${kernel.check()}`;
  if (request === "time") return `ok ${timePasses(kernel, Number(second)).toFixed(5)}`;
  return `error ${request} is no request`;
}

process.stdout.write(`ok Node ${process.versions.node}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const text = await answer(line.split(" ")).catch((error: Error) =>
    error instanceof MissingExport ? `missing ${error.missing}` : `error ${error.stack ?? error.message}`,
  );
  process.stdout.write(`${text.replaceAll("\n", " ")}\n`);
}

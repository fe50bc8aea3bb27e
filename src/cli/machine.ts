import { cpus, release, totalmem, type } from "node:os";
import type { ComparisonMachine } from "../report/comparison.js";
import { packageVersion } from "./package.js";

/** The machine that this runs on, as reports name it. */
export function describeMachine(): ComparisonMachine {
  const processors = cpus();
  const model = processors[0]?.model.trim().replace(/\s+/g, " ");
  return {
    cpu: model === undefined || model === "" ? `unknown ${process.arch} processor` : model,
    cores: processors.length,
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    packetyard: packageVersion(),
  };
}

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** The two builds of the machine's one source. */
export type Build = "run" | "trace";

/** A `WebAssembly.Module`, named here so that who uses the package needs no types of the DOM. */
export type MachineModule = object;

const compiled = new Map<Build, Promise<MachineModule>>();

async function compileFile(build: Build): Promise<MachineModule> {
  const path = createRequire(import.meta.url).resolve(`#wasm/${build}`);
  return WebAssembly.compile(await readFile(path));
}

/** The machine's module as the package ships it, compiled once. Hosts without files pass their own. */
export function findModule(build: Build): Promise<MachineModule> {
  const known = compiled.get(build) ?? compileFile(build);
  compiled.set(build, known);
  return known;
}

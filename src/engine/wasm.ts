import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** The two builds of the machine's one source. */
export type Build = "run" | "trace";

const compiled = new Map<Build, Promise<WebAssembly.Module>>();

async function compileFile(build: Build): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve(`#wasm/${build}`);
  return WebAssembly.compile(await readFile(path));
}

/** The machine's module as the package ships it, compiled once. Hosts without files pass their own. */
export function findModule(build: Build): Promise<WebAssembly.Module> {
  const known = compiled.get(build) ?? compileFile(build);
  compiled.set(build, known);
  return known;
}

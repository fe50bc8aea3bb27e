import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** The two builds of the machine's one source. */
export type Build = "run" | "trace";

/** A `WebAssembly.Module`, named here so that who uses the package needs no types of the DOM. */
export type MachineModule = object;

/** A build of the machine, or a `WebAssembly.Module` of one. */
export type MachineSource = Uint8Array | ArrayBuffer | MachineModule;

const compiled = new Map<string, Promise<MachineModule>>();

async function compileFile(build: Build, isShared: boolean): Promise<MachineModule> {
  const path = createRequire(import.meta.url).resolve(`#wasm/${build}`);
  return compileOctets(await readFile(path), isShared);
}

/** "env", "memory", an import of a memory with a maximum that is shared: what the machine's builds import. */
const IMPORT = Uint8Array.of(3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3);
const FLAG_MAXIMUM = 1;

/**
 * A build that imports a memory which is not shared: its atomic instructions work on such as well (threads proposal),
 * only the import's flag says otherwise.
 */
function withoutSharing(octets: Uint8Array): Uint8Array {
  const at = octets.findIndex((_, start) => IMPORT.every((octet, index) => octets[start + index] === octet));
  if (at < 0) throw new TypeError("These octets are no build of the machine: they import no shared memory.");
  const changed = octets.slice();
  changed[at + IMPORT.length - 1] = FLAG_MAXIMUM;
  return changed;
}

function compileOctets(octets: Uint8Array, isShared: boolean): Promise<MachineModule> {
  return WebAssembly.compile((isShared ? octets : withoutSharing(octets)) as BufferSource);
}

/** The machine's module as the package ships it, for a memory of that kind, compiled once. */
export function findModule(build: Build, isShared = true): Promise<MachineModule> {
  const key = `${build} ${isShared}`;
  const known = compiled.get(key) ?? compileFile(build, isShared);
  compiled.set(key, known);
  return known;
}

/** A module of a build that the host gave: octets, or a module for the kind of memory that it has. */
async function compileSource(source: MachineSource, isShared: boolean): Promise<MachineModule> {
  if (source instanceof WebAssembly.Module) return source;
  const octets = source instanceof Uint8Array ? source : new Uint8Array(source as ArrayBuffer);
  return compileOctets(octets, isShared);
}

/** The module that the host gave for a build, or else the package's. */
export function moduleOf(
  build: Build,
  given: Readonly<Partial<Record<Build, MachineSource>>> | undefined,
  isShared: boolean,
): Promise<MachineModule> {
  const source = given?.[build];
  return source === undefined ? findModule(build, isShared) : compileSource(source, isShared);
}

/** Where the script of worker threads is: in the built package, also when this file is run from its source. */
export function workerScript(): string {
  return createRequire(import.meta.url).resolve("#engine/worker-thread");
}

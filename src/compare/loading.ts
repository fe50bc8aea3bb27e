import { type CompileOptions, compile } from "../compile.js";
import { Engine } from "../engine/engine.js";
import type { Cluster } from "../model/cluster.js";
import { median } from "../report/statistics.js";
import type { ProxyMode } from "../ruleset/ruleset.js";

/** An engine of one mode, and what it took to get it. */
export interface Loaded {
  readonly mode: ProxyMode;
  readonly engine: Engine;
  /** Milliseconds of `compile` and `Engine.load` together, median. */
  readonly compileMs: number;
}

export interface LoadOptions {
  readonly node: string;
  readonly modes: readonly ProxyMode[];
  /** How kube-proxy runs, in every mode. */
  readonly proxy: Omit<CompileOptions, "node" | "proxy">;
  readonly seed: number;
  readonly connections: number;
  /** Timed so often at most. */
  readonly times: number;
}

/** What takes long is not compiled again after this. */
const ENOUGH_MS = 1000;

async function loadOnce(cluster: Cluster, mode: ProxyMode, options: LoadOptions): Promise<Loaded> {
  const { node, seed, connections } = options;
  const begin = performance.now();
  const ruleset = compile(cluster, { ...options.proxy, node, proxy: mode });
  const engine = await Engine.load(ruleset, { seed, connections, checksums: "offload" });
  return { mode, engine, compileMs: performance.now() - begin };
}

/**
 * Compiles and loads a cluster in every mode, in turn, as often as time allows. The first time, in which code warms
 * up, counts only if there is no other.
 */
export async function loadModes(cluster: Cluster, options: LoadOptions): Promise<readonly Loaded[]> {
  const begin = performance.now();
  const passes: (readonly Loaded[])[] = [];
  do {
    const pass: Loaded[] = [];
    for (const mode of options.modes) pass.push(await loadOnce(cluster, mode, options));
    passes.push(pass);
  } while (passes.length <= options.times && performance.now() - begin < ENOUGH_MS);
  const counted = passes.length > 1 ? passes.slice(1) : passes;
  return (counted.at(-1) ?? []).map((one, index) => ({
    ...one,
    compileMs: median(counted.map((pass) => pass[index]?.compileMs ?? 0)),
  }));
}

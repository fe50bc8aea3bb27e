import { type CompileOptions, compile } from "../compile.js";
import { Engine } from "../engine/engine.js";
import type { Cluster } from "../model/cluster.js";
import { median } from "../report/statistics.js";
import type { Scheduler } from "../ruleset/ipvs.js";
import type { ProxyMode, Ruleset } from "../ruleset/ruleset.js";

/** An engine of one mode, and what it took to get it. */
export interface Loaded {
  /** As reports name it: `nftables`, and `ipvs mh` where the scheduler was said. */
  readonly mode: string;
  /** Of mode ipvs, where it was said. */
  readonly scheduler: Scheduler | undefined;
  readonly engine: Engine;
  /** Milliseconds of `compile` and `Engine.load` together, median. */
  readonly compileMs: number;
}

export interface LoadOptions {
  readonly node: string;
  readonly modes: readonly ProxyMode[];
  /** Mode ipvs is measured with each; default with the one that `proxy` says. */
  readonly ipvsSchedulers?: readonly Scheduler[];
  /** How kube-proxy runs, in every mode. */
  readonly proxy: Omit<CompileOptions, "node" | "proxy">;
  readonly seed: number;
  readonly connections: number;
  /** Timed so often at most. */
  readonly times: number;
  /** What becomes of a compiled ruleset before it is loaded; default nothing. */
  readonly change?: (ruleset: Ruleset) => Ruleset;
}

/** What takes long is not compiled again after this. */
const ENOUGH_MS = 1000;

/** One way of running kube-proxy, of those that take turns. */
interface Contender extends Pick<Loaded, "mode" | "scheduler"> {
  readonly proxy: CompileOptions;
}

function contendersOf({ modes, ipvsSchedulers }: LoadOptions): readonly Contender[] {
  return modes.flatMap((mode): readonly Contender[] => {
    if (mode !== "ipvs" || ipvsSchedulers === undefined)
      return [{ mode, scheduler: undefined, proxy: { proxy: mode } }];
    return ipvsSchedulers.map((ipvsScheduler) => {
      return {
        mode: `${mode} ${ipvsScheduler}`,
        scheduler: ipvsScheduler,
        proxy: { proxy: mode, ipvsScheduler },
      };
    });
  });
}

async function loadOnce(cluster: Cluster, contender: Contender, options: LoadOptions): Promise<Loaded> {
  const { mode, scheduler, proxy } = contender;
  const { node, seed, connections, change = (ruleset) => ruleset } = options;
  const begin = performance.now();
  const ruleset = change(compile(cluster, { ...options.proxy, ...proxy, node }));
  const engine = await Engine.load(ruleset, { seed, connections, checksums: "offload" });
  return { mode, scheduler, engine, compileMs: performance.now() - begin };
}

/**
 * Compiles and loads a cluster in every mode, in turn, as often as time allows. The first time, in which code warms
 * up, counts only if there is no other.
 */
export async function loadModes(cluster: Cluster, options: LoadOptions): Promise<readonly Loaded[]> {
  const begin = performance.now();
  const contenders = contendersOf(options);
  const passes: (readonly Loaded[])[] = [];
  do {
    const pass: Loaded[] = [];
    for (const contender of contenders) pass.push(await loadOnce(cluster, contender, options));
    passes.push(pass);
  } while (passes.length <= options.times && performance.now() - begin < ENOUGH_MS);
  const counted = passes.length > 1 ? passes.slice(1) : passes;
  return (counted.at(-1) ?? []).map((one, index) => ({
    ...one,
    compileMs: median(counted.map((pass) => pass[index]?.compileMs ?? 0)),
  }));
}

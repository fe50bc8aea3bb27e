import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, type } from "node:os";

/** A program or library is not installed; the message says which package has it. */
export class NotInstalled extends Error {}

const PROGRAMS = [
  { name: "gcc", words: ["--version"], package: "gcc" },
  { name: "make", words: ["--version"], package: "make" },
  { name: "pkg-config", words: ["--version"], package: "pkg-config" },
  { name: "taskset", words: ["--version"], package: "util-linux" },
] as const;

function output(program: string, words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** NotInstalled unless everything that builds and runs the harness is there. Names Debian's packages. */
export function findToolchain(run: typeof output = output): void {
  for (const { name, words, package: owner } of PROGRAMS) {
    if (run(name, words) === undefined)
      throw new NotInstalled(`There is no ${name} here: apt-get install ${owner}`);
  }
  if (run("pkg-config", ["--exists", "libdpdk"]) === undefined)
    throw new NotInstalled("The native peers need DPDK: apt-get install libdpdk-dev");
}

/** Builds bench/native/ with make; the harness's path. Error with the compiler's words when it does not build. */
export function buildHarness(root: string): string {
  const { status, stderr } = spawnSync("make", ["--silent", "-C", `${root}/bench/native`, "CC=gcc"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The harness does not build:\n${stderr}`);
  return `${root}/build/native/peers`;
}

/** Before both sides' commands: one core for both, in turn. */
export function pinned(core: number): readonly string[] {
  return ["taskset", "-c", String(core)];
}

/** How DPDK is started on one core: 4 KB pages, no devices, the widest vectors there are. */
export function harnessCommand(path: string, core: number): readonly string[] {
  const eal = ["--no-huge", "--no-shconf", "-m", "4096", "--no-pci", "--no-telemetry"];
  const simd = "--force-max-simd-bitwidth=512";
  return [...pinned(core), path, ...eal, "-l", String(core), simd, "--log-level=error"];
}

/** The machine in a line. */
export function describeNative(dpdk: string): string {
  const gcc = output("gcc", ["-dumpfullversion"]) ?? "?";
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const { node, v8 } = process.versions;
  return (
    `${model}, ${availableParallelism()} cores, one of them used, ${type()} ${release()}, 4 KB pages; ` +
    `Node ${node} (V8 ${v8}); ${dpdk}, gcc ${gcc} -O3 -march=native`
  );
}

/** Load beyond this share of the cores disturbs the one that is measured on, and the caches of all. */
const BUSY = 0.5;

/** A remark when other work keeps the machine busy, to be asked before the run's own. */
export function describeLoad(load: number = loadavg()[0] ?? 0, cores = availableParallelism()): string[] {
  if (load <= cores * BUSY) return [];
  return [
    `Other work kept the machine busy (a load of ${load.toFixed(1)} on ${cores} cores): these times are longer than ` +
      "on a quiet one and even their ratios are not to be relied on.",
  ];
}

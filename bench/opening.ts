import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describeMachine } from "../src/cli/machine.js";
import { median } from "../src/report/statistics.js";
import type { PlainScheduler } from "./baseline/director.js";
import { type Director, machineDirector, plainDirector, RING, type SceneOptions } from "./opening-scene.js";

/**
 * New connections of IPVS a second, in short windows of which the lowest decile counts: where a machine is shared, that is
 * nearest to what it does when left alone. The C loop (bench/native/opening), which gives servers out by turns and
 * nothing else, has its windows in between, and so has plain TypeScript.
 */

const ROUNDS = 5;
const WINDOWS = 40;
const NATIVE = fileURLToPath(new URL("../../native", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../../bench/native", import.meta.url));

function lowestDecile(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 10)] as number;
}

function settle(director: Director, live: number): void {
  for (let opened = 0; opened < live + 4 * RING; opened += RING) {
    director.prepare();
    director.run();
  }
  if (director.refused() !== 0 || director.live() !== live)
    throw new Error("some connections are not opened");
}

/** Nanoseconds a connection. */
function timed(director: Director): number {
  const times = Array.from({ length: WINDOWS }, () => {
    director.prepare();
    const begin = performance.now();
    director.run();
    return ((performance.now() - begin) * 1e6) / RING;
  });
  return lowestDecile(times);
}

/** The same of the C loop; nothing where it cannot be built. */
function builtLoop(): ((options: SceneOptions) => number) | undefined {
  try {
    execFileSync("make", ["-s", "-C", SOURCES, `OUT=${NATIVE}`, `${NATIVE}/opening`], { stdio: "ignore" });
  } catch {
    process.stdout.write("The C loop is not built: it wants make, gcc and libdpdk-dev.\n");
    return undefined;
  }
  return ({ services, reals, live }) => {
    const words = [services, reals, live, 2 * WINDOWS].map(String);
    return Number(execFileSync(`${NATIVE}/opening`, words, { encoding: "utf8" }).split(" ")[0]);
  };
}

function print(cells: readonly string[]): void {
  const [first = "", ...others] = cells;
  process.stdout.write(`${first.padEnd(26)}${others.map((cell) => cell.padStart(14)).join("")}\n`);
}

async function measure(
  name: string,
  options: SceneOptions,
  loop: ReturnType<typeof builtLoop>,
): Promise<void> {
  const ours = await machineDirector(options);
  const plain = plainDirector(options);
  settle(ours, options.live);
  settle(plain, options.live);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    ours: timed(ours),
    native: options.scheduler === "rr" ? (loop?.(options) ?? 0) : 0,
    plain: timed(plain),
  }));
  const ns = median(rounds.map((round) => round.ours));
  const ratio = (of: (round: (typeof rounds)[number]) => number) =>
    median(rounds.map((round) => of(round) / round.ours));
  const toNative = 1 / ratio(({ native }) => native);
  print([
    name,
    ns.toFixed(0),
    (1000 / ns).toFixed(2),
    Number.isFinite(toNative) ? toNative.toFixed(2) : "",
    ratio((round) => round.plain).toFixed(1),
  ]);
}

const { cpu, cores, node, os } = describeMachine();
process.stdout.write(`Node ${node}, ${cpu}, ${cores} cores, ${os}\n`);
const loop = builtLoop();
print(["", "ns", "million/s", "to C", "TypeScript to"]);
for (const live of [65_536, 1_024_000])
  for (const scheduler of ["rr", "wrr", "sh", "mh"] satisfies PlainScheduler[])
    await measure(`${scheduler}, ${live} live`, { scheduler, services: 10_000, reals: 5, live }, loop);
for (const scheduler of ["lc", "wlc", "sed", "nq"] satisfies PlainScheduler[])
  for (const reals of [10, 100, 1000])
    await measure(`${scheduler} of ${reals}`, { scheduler, services: 100, reals, live: 65_536 }, loop);

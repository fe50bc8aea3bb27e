import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Command } from "commander";
import { NEXT_HOP_ENTRY_LEN } from "../assembly/abi/entry.js";
import { progress } from "../src/cli/progress.js";
import { findModule } from "../src/engine/wasm.js";
import type { Route } from "../test/oracle/fib4.js";
import type { Route6 } from "../test/oracle/fib6.js";
import { fullTablePath, HOPS_OWN, HOPS_SHARED, readTable } from "../test/oracle/full-table.js";
import { intervalsOf } from "../test/oracle/intervals.js";
import { keys6, rows4, rows6 } from "../test/table/route-rows.js";
import { PlainImage } from "./image.js";
import { SHARES, type VerifyResult, type VerifyTask } from "./verify-lpm-task.js";

/** No next hop, as look-ups answer it. */
const NONE = 0xffffffff;
const REDRAW_MS = 200;
/** Octets of a worker's own: keys and results. */
const SCRATCH = 1 << 16;

function hopsOf(hops: readonly (number | undefined)[]): Uint32Array {
  return Uint32Array.from(hops, (hop) => hop ?? NONE);
}

async function imageOf(routes4: readonly Route[], routes6: readonly Route6[]): Promise<PlainImage> {
  const image = await PlainImage.make(1 << 29);
  const { machine, address } = image;
  const last = [...routes4, ...routes6].reduce((most, { hop }) => Math.max(most, hop), 0);
  const entry = image.words(new Uint32Array(NEXT_HOP_ENTRY_LEN / 4));
  image.check(machine.nextHopSet(address, last, entry.at));
  image.check(machine.routesInsert(address, image.words(rows4(routes4)).at, routes4.length));
  image.check(machine.routes6Insert(address, image.words(rows6(routes6)).at, routes6.length));
  return image;
}

/** All addresses of IPv4, share by share, in as many workers as there are cores. */
async function verifyAll4(image: PlainImage, routes: readonly Route[]): Promise<VerifyResult> {
  const { starts, hops } = intervalsOf(
    routes.map(({ address, ...rest }) => ({ address: BigInt(address), ...rest })),
    32,
  );
  const task = {
    module: await findModule("run"),
    memory: image.memory.memory,
    image: image.address,
    starts: Uint32Array.from(starts, Number),
    hops: hopsOf(hops),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
  const workers = Array.from({ length: availableParallelism() }, () => {
    const scratch = image.memory.take(SCRATCH);
    const workerData: VerifyTask = { ...task, scratch };
    return new Promise<VerifyResult>((resolve, reject) => {
      const worker = new Worker(new URL("./verify-lpm-worker.js", import.meta.url), { workerData });
      worker.once("message", resolve).once("error", reject);
    });
  });
  const bar = progress("IPv4, every address: share", SHARES);
  let shown = 0;
  const redraw = setInterval(() => {
    const taken = Math.min(SHARES, Atomics.load(task.next, 0));
    bar.tick(taken - shown);
    shown = taken;
  }, REDRAW_MS);
  const results = await Promise.all(workers);
  clearInterval(redraw);
  bar.stop();
  return {
    compared: results.reduce((sum, { compared }) => sum + compared, 0),
    wrong: results.flatMap(({ wrong }) => wrong),
  };
}

/** Every address where the answer changes, its neighbours, and what the machine says there. */
function verifyEdges(
  name: string,
  routes: readonly { readonly address: number | bigint; readonly length: number; readonly hop: number }[],
  bits: number,
  lookup: (addresses: readonly bigint[]) => Uint32Array,
): VerifyResult {
  const { starts, hops } = intervalsOf(
    routes.map(({ address, ...rest }) => ({ address: BigInt(address), ...rest })),
    bits,
  );
  const edge = 1n << BigInt(bits);
  const addresses: bigint[] = [];
  const expected: number[] = [];
  const add = (address: bigint, interval: number) => {
    if (address < 0n || address >= edge) return;
    const within =
      interval + 1 < starts.length && address >= (starts[interval + 1] as bigint) ? interval + 1 : interval;
    addresses.push(address);
    expected.push(hops[within] ?? NONE);
  };
  for (const [index, start] of starts.entries()) {
    add(start - 1n, index - 1);
    add(start, index);
    add(start + 1n, index);
  }
  add(edge - 1n, starts.length - 1);
  const found = lookup(addresses);
  const wrong = addresses.flatMap((address, index) =>
    found[index] === expected[index]
      ? []
      : [`${name} ${address.toString(16)}: ${found[index]}, not ${expected[index]}`],
  );
  return { compared: addresses.length, wrong };
}

function lookups4(image: PlainImage): (addresses: readonly bigint[]) => Uint32Array {
  return (addresses) => {
    const keys = image.words(Uint32Array.from(addresses, Number));
    const results = image.words(new Uint32Array(addresses.length));
    image.machine.routeLookupMany(image.address, keys.at, addresses.length, results.at);
    return results.words;
  };
}

function lookups6(image: PlainImage): (addresses: readonly bigint[]) => Uint32Array {
  return (addresses) => {
    const keys = image.words(keys6(addresses));
    const results = image.words(new Uint32Array(addresses.length));
    image.machine.route6LookupMany(image.address, keys.at, addresses.length, results.at);
    return results.words;
  };
}

function report(what: string, { compared, wrong }: VerifyResult, since: number): void {
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  const verdict =
    wrong.length === 0 ? "all right" : `${wrong.length} wrong, among them:\n${wrong.slice(0, 5).join("\n")}`;
  process.stdout.write(`${what}: ${compared.toLocaleString("en")} addresses in ${seconds} s: ${verdict}\n`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function verify(): Promise<void> {
  const path = fullTablePath();
  if (path === undefined) {
    process.stderr.write(
      "There is no *full-table*.txt.gz under $PACKETYARD_SHARED/data/routing (or ../shared/data/routing).\n",
    );
    process.exitCode = 2;
    return;
  }
  for (const [name, hopOf] of [
    ["4,096 next hops", HOPS_SHARED],
    ["a next hop a prefix", HOPS_OWN],
  ] as const) {
    const { routes4, routes6 } = readTable(path, hopOf);
    const image = await imageOf(routes4, routes6);
    let since = performance.now();
    if (hopOf === HOPS_SHARED)
      report(`IPv4, ${name}, every address`, await verifyAll4(image, routes4), since);
    since = performance.now();
    report(`IPv4, ${name}, edges`, verifyEdges("IPv4", routes4, 32, lookups4(image)), since);
    since = performance.now();
    report(`IPv6, ${name}, edges`, verifyEdges("IPv6", routes6, 128, lookups6(image)), since);
  }
}

await new Command("verify:lpm")
  .description(
    "look every IPv4 address of a full Internet table up, and IPv6 at every edge, and compare with sorted intervals.\n" +
      "The table is *full-table*.txt.gz in the folder data/routing of the one that PACKETYARD_SHARED names.",
  )
  .action(verify)
  .parseAsync();

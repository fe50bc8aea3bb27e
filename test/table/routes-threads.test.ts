import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { findModule } from "../../src/engine/wasm.js";
import type { Route } from "../oracle/fib4.js";
import { mask6, type Route6 } from "../oracle/fib6.js";
import { RouteImage } from "./route-image.js";
import { ROUTE_READER } from "./route-reader.js";
import { keys6 } from "./route-rows.js";

const HOPS = 64;
const NONE = 0xffffffff;
const KEYS = 4096;
/** Times that all routes come and go: so many at least, and more until the reader met changes. */
const [CHANGES_MIN, CHANGES_MAX] = [12, 600];
/** Rounds of the reader, each of all keys. */
const ROUNDS_MIN = 10;

function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Watched {
  /** Answers that no state of the routes gives. */
  readonly strange: number;
  /** The sum of the changes' statuses. */
  readonly refused: number;
  /** Whether look-ups met changes, so that they were repeated. */
  readonly hasMet: boolean;
}

/** Changes routes under the look-ups of another thread; what that thread saw. */
async function changeUnderReader(
  image: RouteImage,
  lookUp: string,
  keys: Uint32Array,
  allowed: readonly (readonly number[])[],
  change: () => number,
): Promise<Watched> {
  const { memory, address } = image.bare;
  const keysAt = memory.take(keys.byteLength);
  memory.words(keysAt, keys.length).set(keys);
  const watch = new Int32Array(new SharedArrayBuffer(12));
  const [STOP, ROUNDS, REPEATED] = [0, 1, 2];
  const worker = new Worker(ROUTE_READER, {
    eval: true,
    workerData: {
      module: await findModule("run"),
      memory: memory.memory,
      image: address,
      lookUp,
      keys: keysAt,
      count: KEYS,
      results: memory.take(KEYS * 4),
      watch,
      allowed,
    },
  });
  await once(worker, "message");
  let refused = 0;
  // Routes grow from none to 4,000 and back, so that every layout is built and given back under the reader.
  const hasMet = () => Atomics.load(watch, ROUNDS) > ROUNDS_MIN && Atomics.load(watch, REPEATED) > 0;
  for (let round = 0; round < CHANGES_MIN || (round < CHANGES_MAX && !hasMet()); round++) refused += change();
  Atomics.store(watch, STOP, 1);
  const [strange] = (await once(worker, "message")) as [number];
  return { strange, refused, hasMet: hasMet() };
}

/** Where the /24 of a key leads; the n-th of the routes lies in the n-th from 10.0.0.0 on. */
function hopOf(key: number, routes: readonly Route[]): number {
  return routes[(key - 0x0a000000) >>> 8]?.hop ?? NONE;
}

function expectWhole(watched: Watched): void {
  expect(watched).toEqual({ strange: 0, refused: STATUS_OK, hasMet: true });
}

describe("routes under a reader's hands", () => {
  it("a reader in another thread sees whole answers only, while layouts come and go", async () => {
    const image = await RouteImage.make(1 << 24, HOPS);
    const { machine, address } = image.bare;
    const draw = draws(99);
    const routes: Route[] = Array.from({ length: 4000 }, (_, index) => ({
      address: (0x0a000000 + index * 256 + (index % 3 === 0 ? 0 : 128)) >>> 0,
      length: index % 3 === 0 ? 24 : 25 + (index % 2) * 7,
      hop: index % HOPS,
    }));
    const keys = Uint32Array.from({ length: KEYS }, () => 0x0a000000 + draw(1 << 20));
    // A /24 has one route, of it all or a part.
    const allowed = Array.from(keys, (key) => [NONE, hopOf(key, routes)]);
    expectWhole(
      await changeUnderReader(image, "routeLookupMany", keys, allowed, () => {
        let refused = 0;
        for (const route of routes)
          refused += machine.routeInsert(address, route.address, route.length, route.hop);
        for (const route of routes) refused += machine.routeRemove(address, route.address, route.length);
        return refused;
      }),
    );
  });

  it("and while panes are taken, doubled and given back beside a window that stays", async () => {
    const image = await RouteImage.make(1 << 24, HOPS);
    const { machine, address } = image.bare;
    const draw = draws(97);
    const pods = Array.from({ length: 4000 }, (_, index) => ({
      address: 0x0a000000 + index * 256,
      length: 24,
      hop: index % HOPS,
    }));
    expect(image.load4(pods)).toBe(STATUS_OK);
    const longer = pods
      .filter((_, index) => index % 4 === 0)
      .map((pod, index) => ({ ...pod, length: 26 + (index % 7) }));
    const keys = Uint32Array.from({ length: KEYS }, () => 0x0a000000 + draw(1 << 20));
    // What comes and goes leads where the /24 around it does.
    const allowed = Array.from(keys, (key) => [hopOf(key, pods)]);
    expectWhole(
      await changeUnderReader(image, "routeLookupMany", keys, allowed, () => {
        let refused = 0;
        for (let time = 0; time < 25; time++) {
          for (const { address: at, length, hop } of longer)
            refused += machine.routeInsert(address, at, length, hop);
          for (const { address: at, length } of longer) refused += machine.routeRemove(address, at, length);
        }
        return refused;
      }),
    );
  });

  it("and so does a reader of IPv6 routes", async () => {
    const image = await RouteImage.make(1 << 24, HOPS);
    const draw = draws(98);
    const base = 0x20010db8n << 96n;
    const routes: Route6[] = Array.from({ length: 4000 }, (_, index) => {
      const length = [40, 44, 48, 56, 64, 128][index % 6] as number;
      const bits = (BigInt(index) << 80n) | (BigInt(index % 7) << 72n);
      return { address: (base | bits) & mask6(length), length, hop: index % HOPS };
    });
    const held = [...new Map(routes.map((route) => [`${route.address}/${route.length}`, route])).values()];
    const keys = keys6(
      Array.from(
        { length: KEYS },
        () => base | (BigInt(draw(1 << 12)) << 80n) | (BigInt(draw(2 ** 32)) << 48n),
      ),
    );
    const hops = [NONE, ...Array.from({ length: HOPS }, (_, hop) => hop)];
    const allowed = Array.from({ length: KEYS }, () => hops);
    expectWhole(
      await changeUnderReader(image, "route6LookupMany", keys, allowed, () => {
        let refused = 0;
        for (let at = 0; at < held.length; at += 16) refused += image.load6(held.slice(at, at + 16));
        for (const route of held) refused += image.remove6([route]);
        return refused;
      }),
    );
  });
});

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { findModule } from "../../src/engine/wasm.js";
import type { Route } from "../oracle/fib4.js";
import { RouteImage } from "./route-image.js";
import { ROUTE_READER } from "./route-reader.js";

/** Next hops of the routes; offsets and freed octets read as leaves would exceed them. */
const HOPS = 64;
const KEYS = 4096;

function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("routes under a reader's hands", () => {
  it("a reader in another thread sees whole answers only, while layouts come and go", async () => {
    const image = await RouteImage.make(1 << 24, HOPS);
    const { machine, memory, address } = image.bare;
    const draw = draws(99);
    const routes: Route[] = Array.from({ length: 4000 }, (_, index) => ({
      address: (0x0a000000 + index * 256 + (index % 3 === 0 ? 0 : 128)) >>> 0,
      length: index % 3 === 0 ? 24 : 25 + (index % 2) * 7,
      hop: index % HOPS,
    }));
    const keys = memory.take(KEYS * 4);
    memory.words(keys, KEYS).set(Uint32Array.from({ length: KEYS }, () => 0x0a000000 + draw(1 << 20)));
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(ROUTE_READER, {
      eval: true,
      workerData: {
        module: await findModule("run"),
        memory: memory.memory,
        image: address,
        keys,
        count: KEYS,
        results: memory.take(KEYS * 4),
        stop,
        most: HOPS - 1,
      },
    });
    await once(worker, "message");
    let refused = 0;
    // Routes grow from none to 4,000 and back, so that every layout is built and given back under the reader.
    for (let round = 0; round < 12; round++) {
      for (const route of routes)
        refused += machine.routeInsert(address, route.address, route.length, route.hop);
      for (const route of routes) refused += machine.routeRemove(address, route.address, route.length);
    }
    Atomics.store(stop, 0, 1);
    const [{ rounds, repeated, strange }] = (await once(worker, "message")) as [Record<string, number>];
    expect(refused).toBe(STATUS_OK);
    expect(strange).toBe(0);
    expect(rounds).toBeGreaterThan(10);
    expect(repeated).toBeGreaterThan(0);
  });
});

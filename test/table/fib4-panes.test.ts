import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PART_FIB, STATUS_OK } from "../../assembly/abi/image.js";
import { Random } from "../../bench/baseline/random.js";
import { maskOf } from "../../src/net/prefix.js";
import type { Route } from "../oracle/fib4.js";
import { painted } from "../oracle/painted.js";
import { RouteImage } from "./route-image.js";

const HOPS = 64;
/** The last /16 of 10/8, whose last /24 the window has no leaf for. */
const FIRST = 0x0aff0000;
const ADDRESSES = 1 << 16;
/** /24 of the /16 in which prefixes crowd. */
const CROWDED = [0, 1, 2, 63, 64, 128, 254, 255];
/** Enough /24 elsewhere in 10/8 that it has a window. */
const PODS: readonly Route[] = Array.from({ length: 2100 }, (_, index) => ({
  address: 0x0a000000 + index * 512,
  length: 24,
  hop: index % HOPS,
}));

/** Every address of the /16, so that neighbours are in different /24. */
const ALL = Uint32Array.from({ length: ADDRESSES }, (_, index) => FIRST + ((index * 40503) % ADDRESSES));
const nameOf = ({ address, length }: Route) => `${address}/${length}`;

/** An image with a window, and the routes that it holds beside the pods'. */
class Windowed {
  readonly held = new Map<string, Route>();

  private constructor(readonly image: RouteImage) {}

  static async make(capacity = 1 << 23): Promise<Windowed> {
    const image = await RouteImage.make(capacity, HOPS);
    expect(image.load4(PODS)).toBe(STATUS_OK);
    return new Windowed(image);
  }

  insert(route: Route): void {
    const { machine, address } = this.image.bare;
    expect(machine.routeInsert(address, route.address, route.length, route.hop)).toBe(STATUS_OK);
    this.held.set(nameOf(route), route);
  }

  remove(route: Route): void {
    if (!this.held.delete(nameOf(route))) return;
    const { machine, address } = this.image.bare;
    expect(machine.routeRemove(address, route.address, route.length)).toBe(STATUS_OK);
  }

  /** Compares every address of the /16. */
  expectAll(): void {
    const expected = painted(this.held.values(), FIRST, ADDRESSES);
    const found = this.image.lookup4(ALL);
    const wrong = ALL.filter((key, index) => found[index] !== expected[key - FIRST]);
    expect([...wrong.slice(0, 5)].map((address) => address.toString(16))).toEqual([]);
  }

  get octets(): number {
    return this.image.bare.octets(PART_FIB);
  }
}

const arbitraryRoute: fc.Arbitrary<Route> = fc
  .record({
    block: fc.constantFrom(...CROWDED),
    last: fc.nat(255),
    length: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 24, max: 32 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 23 }) },
    ),
    hop: fc.nat(HOPS - 1),
  })
  .map(({ block, last, length, hop }) => ({
    address: ((FIRST + block * 256 + last) & maskOf(length)) >>> 0,
    length,
    hop,
  }));

/** A route that comes, or one that was there goes. */
const arbitraryChanges = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: arbitraryRoute },
    { weight: 2, arbitrary: fc.record({ removed: fc.nat(1000) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

describe("IPv4 routes below /24 in a window", () => {
  it("are right for every address of a /16 after every change", async () => {
    let changed = 0;
    const property = fc.asyncProperty(arbitraryChanges, async (changes) => {
      const windowed = await Windowed.make();
      const octets = windowed.octets;
      const seen: Route[] = [];
      for (const change of changes) {
        if ("removed" in change) {
          const victim = seen[change.removed % Math.max(1, seen.length)];
          if (victim !== undefined) windowed.remove(victim);
        } else {
          windowed.insert(change);
          seen.push(change);
        }
        windowed.expectAll();
        changed++;
      }
      for (const route of seen) windowed.remove(route);
      windowed.expectAll();
      // What stays is a cell for a next hop that the root ever named.
      expect(windowed.octets - octets).toBeLessThanOrEqual((HOPS + 1) * 32);
    });
    await fc.assert(property, { numRuns: 60 });
    expect(changed).toBeGreaterThan(300);
  });

  it("take a pane with the first longer prefix of a /24 and give it back with the last", async () => {
    const windowed = await Windowed.make();
    const routes = Array.from({ length: 40 }, (_, index) => ({
      address: FIRST + (index >> 1) * 256 + (index & 1) * 128,
      length: 26,
      hop: 0,
    }));
    windowed.insert(routes[0] as Route);
    const one = windowed.octets;
    windowed.insert(routes[1] as Route);
    expect(windowed.octets).toBe(one);
    for (const route of routes) windowed.insert(route);
    // Sixteen panes became 32, beside blocks of the root.
    expect(windowed.octets - one).toBeGreaterThan(16 * 512);
    windowed.expectAll();
    for (const route of routes.slice(1)) windowed.remove(route);
    windowed.remove(routes[0] as Route);
    windowed.insert(routes[0] as Route);
    expect(windowed.octets).toBe(one);
  });

  it("are, after 100,000 changes, those of an image built from scratch; memory does not grow", async () => {
    const windowed = await Windowed.make();
    const random = new Random(1618);
    const routes = Array.from({ length: 400 }, () => {
      const length = 24 + random.below(9);
      const address = FIRST + random.below(24) * 256 + random.below(256);
      return { address: (address & maskOf(length)) >>> 0, length, hop: random.below(HOPS) };
    });
    const distinct = [...new Map(routes.map((route) => [nameOf(route), route])).values()];
    const change = () => {
      const route = distinct[random.below(distinct.length)] as Route;
      if (random.below(2) === 0) windowed.insert({ ...route, hop: random.below(HOPS) });
      else windowed.remove(route);
    };
    for (const route of distinct) windowed.insert(route);
    const { top } = windowed.image.bare;
    for (let count = 1; count <= 100_000; count++) {
      change();
      if (count % 5000 === 0) windowed.expectAll();
    }
    expect(windowed.image.bare.top).toBe(top);
    const scratch = await RouteImage.make(1 << 23, HOPS);
    expect(scratch.load4([...PODS, ...windowed.held.values()])).toBe(STATUS_OK);
    expect([...windowed.image.lookup4(ALL)]).toEqual([...scratch.lookup4(ALL)]);
  });

  it("are right where more /24 hold longer prefixes than there are panes, and when some of them go", async () => {
    const windowed = await Windowed.make(1 << 25);
    const far = Array.from({ length: 18_000 }, (_, index) => ({
      address: 0x0a200000 + index * 256 + (index % 256),
      length: 32,
      hop: index % HOPS,
    }));
    const near = [7, 9, 255].flatMap((block) => [
      { address: FIRST + block * 256, length: 25, hop: block % HOPS },
      { address: FIRST + block * 256 + 200, length: 32, hop: 1 },
    ]);
    for (const route of [...far, ...near]) windowed.insert(route);
    const keys = Uint32Array.from(far, ({ address }) => address);
    const expectFar = () =>
      expect([...windowed.image.lookup4(keys)]).toEqual(
        far.map((route) => windowed.held.get(nameOf(route))?.hop ?? 0xffffffff),
      );
    windowed.expectAll();
    expectFar();
    for (const route of far.filter((_, index) => index % 3 !== 0)) windowed.remove(route);
    for (const route of near) windowed.insert({ ...route, hop: 5 });
    windowed.expectAll();
    expectFar();
  });
});

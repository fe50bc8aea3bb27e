import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  IMAGE_TAIL,
  PART_FIB,
  STATUS_BAD_ENTRY,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "../../assembly/abi/image.js";
import { maskOf, printPrefix } from "../../src/net/prefix.js";
import { BareImage } from "../bare-image.js";
import { Fib4Oracle, type Route } from "../oracle/fib4.js";
import { RouteImage } from "./route-image.js";

const NONE = 0xffffffff;
const HOPS = 64;
/** Octets that must be free before a route is added. */
const ROUTE_NEEDS = 24 * 1024;

/** The table under test and the scan that is right by inspection, changed together. */
class Both {
  readonly oracle = new Fib4Oracle();

  constructor(readonly image: BareImage) {
    image.setHops(HOPS);
  }

  static async make(capacity?: number): Promise<Both> {
    return new Both(await BareImage.make(capacity === undefined ? {} : { capacity }));
  }

  insert(route: Route): number {
    const { machine, address } = this.image;
    const status = machine.routeInsert(address, route.address, route.length, route.hop);
    if (status === STATUS_OK) this.oracle.insert(route);
    return status;
  }

  remove(address: number, length: number): void {
    const status = this.image.machine.routeRemove(this.image.address, address, length);
    const expected = this.oracle.remove(address, length) ? STATUS_OK : STATUS_BAD_ENTRY;
    if (status !== expected)
      throw new Error(`removing ${printPrefix({ address, length })}: status ${status}`);
  }

  /** Compares next hop and prefix length; true when the look-up hit. */
  check(destination: number): boolean {
    const { machine, address } = this.image;
    const best = this.oracle.lookup(destination);
    const found = machine.routeLookup(address, destination) >>> 0;
    const length = machine.routeLookupLength(address, destination) >>> 0;
    if (found !== (best?.hop ?? NONE) || length !== (best?.length ?? NONE)) {
      const routes = this.oracle.routes.map((route) => `${printPrefix(route)} → ${route.hop}`);
      throw new Error(
        `${destination.toString(16)}: ${found}/${length}, not ${best?.hop}/${best?.length}: ${routes.join(", ")}`,
      );
    }
    return best !== undefined;
  }

  /** Leaves so many octets of the image free. */
  shrink(spare: number): void {
    const { machine, address, top } = this.image;
    expect(machine.imageResize(address, top + IMAGE_TAIL + spare)).toBe(STATUS_OK);
  }

  widen(): void {
    expect(this.image.machine.imageResize(this.image.address, this.image.capacity)).toBe(STATUS_OK);
  }

  get octets(): number {
    return this.image.octets(PART_FIB);
  }
}

/** Addresses at the edges of a prefix: its first and last, and one past either. */
function edges({ address, length }: Pick<Route, "address" | "length">): number[] {
  const last = (address | ~maskOf(length)) >>> 0;
  return [address, last, (last + 1) >>> 0, (address - 1) >>> 0];
}

function drawOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Prefixes that crowd into few places, so that they nest and cross the trie's strides at 16 and 24. */
const arbitraryPrefix = fc
  .tuple(
    fc.constantFrom(0x0a000000, 0x0a01ff00, 0x0a0200ff, 0x0a010203, 0xffffffff, 0),
    fc.integer({ min: 0, max: 0xffff }),
    fc.integer({ min: 0, max: 32 }),
  )
  .map(([base, low, length]) => ({ address: ((base ^ low) & maskOf(length)) >>> 0, length }));

type Change = { readonly insert: Route } | { readonly removeAt: number };

const arbitraryChanges: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.tuple(arbitraryPrefix, fc.nat(HOPS - 1)).map(([p, hop]) => ({ insert: { ...p, hop } })),
    },
    { weight: 1, arbitrary: fc.nat(1000).map((removeAt) => ({ removeAt })) },
  ),
  { minLength: 1, maxLength: 60 },
);

describe("fib4", () => {
  it("finds what a scan of all routes finds, after every insertion, replacement and removal", async () => {
    let hits = 0;
    let misses = 0;
    const property = fc.asyncProperty(
      arbitraryChanges,
      fc.array(fc.nat(NONE), { maxLength: 8 }),
      async (changes, anywhere) => {
        const both = await Both.make();
        const base = both.octets;
        const seen: Route[] = [];
        for (const change of changes) {
          if ("insert" in change) {
            expect(both.insert(change.insert)).toBe(STATUS_OK);
            seen.push(change.insert);
          } else {
            const victim = seen[change.removeAt % Math.max(1, seen.length)];
            if (victim !== undefined) both.remove(victim.address, victim.length);
          }
          for (const at of seen.slice(-3).flatMap(edges)) both.check(at) ? hits++ : misses++;
        }
        for (const at of [...seen.flatMap(edges), ...anywhere]) both.check(at) ? hits++ : misses++;
        for (const { address, length } of both.oracle.routes) both.remove(address, length);
        // What stays is a cell for a next hop that the root ever named.
        expect(both.octets - base).toBeLessThanOrEqual(HOPS * 32);
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect(Math.min(hits, misses)).toBeGreaterThan(500);
  });

  it.each([14, 22, 28])(
    "is right for every three of the 31 prefixes of %i bits and four more",
    async (bits) => {
      const both = await Both.make();
      const base = 0xc0a85a96 & maskOf(bits);
      const prefixes = [0, 1, 2, 3, 4].flatMap((more) =>
        Array.from({ length: 1 << more }, (_, index) => ({
          address: (base + index * 2 ** (32 - bits - more)) >>> 0,
          length: bits + more,
        })),
      );
      const places = prefixes.slice(15).map(({ address }) => address);
      let hop = 0;
      const walk = (depth: number) => {
        for (const prefix of prefixes) {
          if (
            both.oracle.routes.some(
              ({ address, length }) => address === prefix.address && length === prefix.length,
            )
          )
            continue;
          both.insert({ ...prefix, hop: hop++ % HOPS });
          for (const place of depth === 1 ? places : []) both.check(place);
          if (depth > 1) walk(depth - 1);
          both.remove(prefix.address, prefix.length);
          if (depth === 1) both.check(prefix.address);
        }
      };
      walk(3);
      expect(both.oracle.routes).toEqual([]);
      expect(hop).toBeGreaterThan(25_000);
    },
  );

  it("nests all 33 prefixes of an address in any order", async () => {
    const own = 0x0af4c3a5;
    const property = fc.asyncProperty(
      fc.shuffledSubarray(
        Array.from({ length: 33 }, (_, length) => length),
        { minLength: 33 },
      ),
      fc.shuffledSubarray(Array.from({ length: 33 }, (_, length) => length)),
      async (order, removed) => {
        const both = await Both.make();
        for (const length of order)
          both.insert({ address: (own & maskOf(length)) >>> 0, length, hop: length });
        for (const length of removed) both.remove((own & maskOf(length)) >>> 0, length);
        for (let bit = 0; bit < 32; bit++) both.check((own ^ (1 << bit)) >>> 0);
        both.check(own);
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  it("holds 40,000 host routes, loaded or added", async () => {
    const [loaded, added] = [await RouteImage.make(1 << 25, HOPS), await RouteImage.make(1 << 25, HOPS)];
    const routes = Array.from({ length: 40_000 }, (_, index) => ({
      address: (Math.imul(index, 0x9e3779b1) & ~1) >>> 0,
      length: 32,
      hop: index % HOPS,
    }));
    expect(loaded.load4(routes)).toBe(STATUS_OK);
    for (const route of routes) expect(added.load4([route])).toBe(STATUS_OK);
    const keys = Uint32Array.from(routes, ({ address }) => address);
    const hops = routes.map(({ hop }) => hop);
    for (const image of [loaded, added]) {
      expect([...image.lookup4(keys)]).toEqual(hops);
      expect(new Set(image.lookup4(keys.map((address) => address | 1)))).toEqual(new Set([NONE]));
    }
  });

  it("takes kilobytes for ten routes", async () => {
    const both = await Both.make();
    for (let index = 0; index < 10; index++)
      both.insert({ address: (0x0af40000 + index * 256) >>> 0, length: 24, hop: index });
    expect(both.octets).toBeLessThan(4096);
  });

  it("takes no more memory for 100,000 changes of one set of routes", async () => {
    const both = await Both.make(1 << 24);
    const base = both.octets;
    const draw = drawOf(12345);
    const routes = Array.from({ length: 2000 }, () => {
      const length = 12 + draw(21);
      return { address: ((0x0a000000 | draw(1 << 22)) & maskOf(length)) >>> 0, length, hop: draw(HOPS) };
    });
    for (const route of routes) expect(both.insert(route)).toBe(STATUS_OK);
    const { top } = both.image;
    for (let change = 0; change < 100_000; change++) {
      const route = routes[draw(routes.length)] as Route;
      if (draw(2) === 0) both.insert(route);
      else both.remove(route.address, route.length);
    }
    expect(both.image.top).toBe(top);
    for (const route of routes.slice(0, 300)) both.check(route.address);
    for (const { address, length } of both.oracle.routes) both.remove(address, length);
    expect(both.image.octets(PART_FIB) - base).toBeLessThanOrEqual(HOPS * 32);
  });

  it("changes no look-up when there is no room, and takes the route once there is", async () => {
    let refusals = 0;
    const property = fc.asyncProperty(
      fc.array(fc.tuple(arbitraryPrefix, fc.nat(HOPS - 1)), { minLength: 20, maxLength: 40 }),
      fc.nat(8),
      async (drawn, blocks) => {
        const both = await Both.make();
        both.shrink(ROUTE_NEEDS + blocks * 1024);
        const refused: Route[] = [];
        for (const [prefix, hop] of drawn) {
          const route = { ...prefix, hop };
          if (both.insert(route) === STATUS_NO_SPACE) refused.push(route);
          for (const at of drawn.flatMap(([one]) => edges(one))) both.check(at);
        }
        for (const { address, length } of both.oracle.routes) both.remove(address, length);
        both.widen();
        for (const route of refused) {
          expect(both.insert(route)).toBe(STATUS_OK);
          both.check(route.address);
          both.remove(route.address, route.length);
        }
        refusals += refused.length;
      },
    );
    await fc.assert(property, { numRuns: 40 });
    expect(refusals).toBeGreaterThan(40);
  });

  it("has room to remove a route where there is none to add one", async () => {
    const both = await Both.make();
    both.shrink(ROUTE_NEEDS + 65_536);
    for (let part = 0; part < 16; part++)
      both.insert({ address: 0x0a000000 + part * 16, length: 28, hop: 7 });
    both.insert({ address: 0x0a000001, length: 32, hop: 9 });
    both.remove(0x0a000001, 32);
    let next = 0x0b000000;
    while (both.insert({ address: next, length: 32, hop: 1 }) === STATUS_OK) next += 0x10000;
    both.remove(0x0a000010, 28);
    both.check(0x0a000010);
    both.check(0x0a000020);
  });

  it("refuses host bits, lengths beyond 32 and next hops that are not set", async () => {
    const both = await Both.make();
    expect(both.insert({ address: 0x0a000001, length: 24, hop: 0 })).toBe(STATUS_BAD_ENTRY);
    expect(both.insert({ address: 0, length: 33, hop: 0 })).toBe(STATUS_BAD_ENTRY);
    expect(both.insert({ address: 0, length: 0, hop: 1 << 20 })).toBe(STATUS_BAD_ENTRY);
    both.remove(0x0a000000, 8);
    both.check(0x0a000000);
  });

  it("answers many addresses at a time as a scan does, whether most routes lie in one /8 or not", async () => {
    const image = await RouteImage.make(1 << 25, HOPS);
    const { machine, address: at } = image.bare;
    const oracle = new Fib4Oracle();
    const draw = drawOf(2718);
    const drawRoute = (): Route => {
      const length = [24, 24, 24, 24, 24, 22, 26, 32, 13, 9][draw(10)] as number;
      const base = draw(12) === 0 ? draw(2 ** 32) : 0x0a000000 + draw(1 << 24);
      return { address: (base & maskOf(length)) >>> 0, length, hop: draw(HOPS) };
    };
    const routes = Array.from({ length: 3000 }, drawRoute);
    expect(image.load4(routes)).toBe(STATUS_OK);
    for (const route of routes) oracle.insert(route);
    let inside = 0;
    const check = () => {
      // A last turn that is not whole, and bursts of which none, few and all addresses lie in 10/8.
      const keys = Uint32Array.from({ length: 2048 + draw(16) }, (_, index) =>
        draw(256) < (index >> 3) % 256 ? draw(2 ** 32) : 0x0a000000 + draw(1 << 24),
      );
      keys.set([0x0a000000, 0x0affffff, 0x0affff00, 0x0afffeff, 0x09ffffff, 0x0b000000], 3);
      const expected = Array.from(keys, (key) => oracle.lookup(key)?.hop ?? NONE);
      expect([...image.lookup4(keys)]).toEqual(expected);
      inside += expected.filter((hop) => hop !== NONE).length;
    };
    const whole = [
      { address: 0x0a000000, length: 8, hop: 1 },
      { address: 0, length: 0, hop: 2 },
      { address: 0x0a400000, length: 10, hop: 3 },
      { address: 0x0affff00, length: 24, hop: 4 },
    ];
    const insert = (route: Route) => {
      expect(machine.routeInsert(at, route.address, route.length, route.hop)).toBe(STATUS_OK);
      oracle.insert(route);
    };
    const remove = ({ address, length }: Route) => {
      if (oracle.remove(address, length)) expect(machine.routeRemove(at, address, length)).toBe(STATUS_OK);
    };
    check();
    for (const route of whole) {
      insert(route);
      check();
    }
    for (let round = 0; round < 3; round++) {
      for (let change = 0; change < 200; change++)
        if (draw(2) === 0) insert(drawRoute());
        else remove(routes[draw(routes.length)] as Route);
      check();
    }
    for (const route of whole) remove(route);
    check();
    expect(inside).toBeGreaterThan(3000);
  });
});

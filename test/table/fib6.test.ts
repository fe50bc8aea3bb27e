import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PART_FIB6, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import { Fib6Oracle, mask6, type Route6 } from "../oracle/fib6.js";
import { RouteImage } from "./route-image.js";
import { keys6 } from "./route-rows.js";

const NONE = 0xffffffff;
const HOPS = 64;
const LAST = (1n << 128n) - 1n;

/** The table under test and the scan that is right by inspection, changed together. */
class Both {
  readonly oracle = new Fib6Oracle();

  private constructor(readonly image: RouteImage) {}

  static async make(): Promise<Both> {
    return new Both(await RouteImage.make(1 << 22, HOPS));
  }

  insert(...routes: readonly Route6[]): void {
    for (const route of routes) {
      expect(this.image.load6([route])).toBe(STATUS_OK);
      this.oracle.insert(route);
    }
  }

  remove(route: Route6): void {
    const expected = this.oracle.remove(route.address, route.length) ? STATUS_OK : STATUS_BAD_ENTRY;
    expect(this.image.remove6([route])).toBe(expected);
  }

  /** Compares bursts, single look-ups and prefix lengths; how many hit. */
  check(addresses: readonly bigint[]): number {
    const { machine, address } = this.image.bare;
    const found = this.image.lookup6(keys6(addresses));
    let hits = 0;
    for (const [index, destination] of addresses.entries()) {
      const best = this.oracle.lookup(destination);
      const [one, length] = this.image.bare.withWords(keys6([destination]), (at) => [
        machine.route6Lookup(address, at) >>> 0,
        machine.route6LookupLength(address, at) >>> 0,
      ]);
      const answers = [found[index], one, length];
      if (`${answers}` !== `${[best?.hop ?? NONE, best?.hop ?? NONE, best?.length ?? NONE]}`) {
        const routes = this.oracle.routes.map(
          (route) => `${route.address.toString(16)}/${route.length} → ${route.hop}`,
        );
        throw new Error(
          `${destination.toString(16)}: ${answers}, not ${best?.hop}/${best?.length}: ${routes}`,
        );
      }
      if (best !== undefined) hits++;
    }
    return hits;
  }
}

/** Addresses at the edges of a prefix: its first and last, and one past either. */
function edges({ address, length }: Pick<Route6, "address" | "length">): bigint[] {
  const last = address | (LAST ^ mask6(length));
  return [address, last, (last + 1n) & LAST, (address - 1n) & LAST];
}

/** Prefixes that crowd into few places and cross the border between the address's halves. */
const arbitraryRoute: fc.Arbitrary<Route6> = fc
  .tuple(
    fc.constantFrom(0x20010db8n << 96n, (0x20010db8n << 96n) | (0xffffn << 48n), 0xfd00n << 112n, LAST, 0n),
    fc.bigInt({ min: 0n, max: 0xffffn }),
    fc.constantFrom(0n, 16n, 48n, 56n, 64n, 80n, 112n),
    fc.integer({ min: 0, max: 128 }),
    fc.nat(HOPS - 1),
  )
  .map(([base, bits, shift, length, hop]) => ({
    address: (base ^ (bits << shift)) & mask6(length),
    length,
    hop,
  }));

type Change = { readonly insert: Route6 } | { readonly removeAt: number };

const arbitraryChanges: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: arbitraryRoute.map((insert) => ({ insert })) },
    { weight: 1, arbitrary: fc.nat(1000).map((removeAt) => ({ removeAt })) },
  ),
  { minLength: 1, maxLength: 50 },
);

describe("fib6", () => {
  it("finds what a scan of all routes finds, after every insertion, replacement and removal", async () => {
    let hits = 0;
    let all = 0;
    const property = fc.asyncProperty(arbitraryChanges, async (changes) => {
      const both = await Both.make();
      const base = both.image.bare.octets(PART_FIB6);
      const seen: Route6[] = [];
      const check = (routes: readonly Route6[]) => {
        all += routes.length * 4;
        hits += both.check(routes.flatMap(edges));
      };
      for (const change of changes) {
        if ("insert" in change) {
          both.insert(change.insert);
          seen.push(change.insert);
        } else {
          const victim = seen[change.removeAt % Math.max(1, seen.length)];
          if (victim !== undefined) both.remove(victim);
        }
        check(seen.slice(-3));
      }
      check(seen);
      for (const route of both.oracle.routes) both.remove(route);
      expect(both.image.bare.octets(PART_FIB6)).toBe(base);
    });
    await fc.assert(property, { numRuns: 60 });
    expect(Math.min(hits, all - hits)).toBeGreaterThan(500);
  });

  it("nests all 129 prefixes of an address in any order", async () => {
    const own = 0x2a02_8109_9c40_3a5f_8c1d_77e0_5b93_e6d1n;
    const lengths = Array.from({ length: 129 }, (_, length) => length);
    const property = fc.asyncProperty(
      fc.shuffledSubarray(lengths, { minLength: 129 }),
      fc.shuffledSubarray(lengths),
      async (order, removed) => {
        const both = await Both.make();
        const route = (length: number) => ({ address: own & mask6(length), length, hop: length % HOPS });
        both.insert(...order.map(route));
        for (const length of removed) both.remove(route(length));
        both.check([own, ...lengths.slice(0, 128).map((bit) => own ^ (1n << BigInt(bit)))]);
      },
    );
    await fc.assert(property, { numRuns: 8 });
  });

  it("loaded at once is as added one by one, in any order", async () => {
    const property = fc.asyncProperty(
      fc.uniqueArray(arbitraryRoute, {
        minLength: 20,
        maxLength: 120,
        selector: ({ address, length }) => `${address}/${length}`,
      }),
      fc.infiniteStream(fc.nat()),
      async (routes, draws) => {
        const [loaded, added] = [await Both.make(), await Both.make()];
        expect(loaded.image.load6(routes)).toBe(STATUS_OK);
        for (const route of routes) loaded.oracle.insert(route);
        const order = routes.map((route) => ({ route, key: draws.next().value as number }));
        added.insert(...order.sort((a, b) => a.key - b.key).map(({ route }) => route));
        const keys = routes.flatMap(edges);
        expect(added.check(keys)).toBe(loaded.check(keys));
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });

  it("takes kilobytes for ten routes", async () => {
    const both = await Both.make();
    for (let index = 0n; index < 10n; index++)
      both.insert({ address: (0xfd00_0010_0244n << 80n) | (index << 64n), length: 64, hop: Number(index) });
    expect(both.image.bare.octets(PART_FIB6)).toBeLessThan(8192);
  });

  it("refuses host bits, lengths beyond 128 and next hops that are not set, and changes nothing", async () => {
    const both = await Both.make();
    const { image } = both;
    const good = Array.from({ length: 40 }, (_, index) => ({
      address: BigInt(index) << 120n,
      length: 8,
      hop: 1,
    }));
    for (const bad of [
      { address: 1n, length: 127, hop: 0 },
      { address: 1n << 64n, length: 63, hop: 0 },
      { address: 0n, length: 129, hop: 0 },
      { address: 0n, length: 0, hop: 1 << 20 },
    ]) {
      expect(image.load6([bad])).toBe(STATUS_BAD_ENTRY);
      expect(image.load6([...good, bad])).toBe(STATUS_BAD_ENTRY);
      expect(image.remove6([bad])).toBe(STATUS_BAD_ENTRY);
    }
    expect(both.check(good.map(({ address }) => address))).toBe(0);
  });

  it("changes nothing without room", async () => {
    const [loaded, small] = [await RouteImage.make(1 << 18, HOPS), await RouteImage.make(1 << 18, HOPS)];
    const routes = Array.from({ length: 20_000 }, (_, index) => ({
      address: (0x2001n << 112n) | (BigInt(index * 7919) << 80n),
      length: 48,
      hop: index % HOPS,
    }));
    const keys = keys6(routes.map(({ address }) => address));
    expect(loaded.load6(routes)).toBe(STATUS_NO_SPACE);
    expect([...new Set(loaded.lookup6(keys))]).toEqual([NONE]);
    const accepted = routes.findIndex((route) => small.load6([route]) !== STATUS_OK);
    expect(accepted).toBeGreaterThan(100);
    const found = small.lookup6(keys);
    expect([...found]).toEqual(routes.map(({ hop }, index) => (index < accepted ? hop : NONE)));
  });

  it("finds what a scan finds while the runs below a prefix become many and few again", async () => {
    let state = 31;
    const draw = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let hits = 0;
    for (const [base, from, to] of [
      [0x20010db8n << 96n, 33, 56],
      [0x20010db8000fn << 80n, 49, 56],
      [0x20010d00n << 96n, 25, 48],
      [0x20010db8n << 96n, 49, 64],
    ] as const) {
      const both = await Both.make();
      const routes: Route6[] = [];
      for (let count = 0; count < 24; count++) {
        const length = from + draw(to - from + 1);
        const bits = (BigInt(draw(2 ** 32)) << 64n) | (BigInt(draw(2 ** 32)) << 80n);
        const route = { address: (base | (bits & ~mask6(from - 1))) & mask6(length), length, hop: count };
        routes.push(route);
        both.insert(route);
        hits += both.check(routes.flatMap(edges));
      }
      for (const route of routes) {
        if (
          both.oracle.routes.some(
            ({ address, length }) => address === route.address && length === route.length,
          )
        )
          both.remove(route);
        hits += both.check(routes.flatMap(edges));
      }
    }
    expect(hits).toBeGreaterThan(5000);
  });
});

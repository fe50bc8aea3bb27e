import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../assembly/abi/image.js";
import { maskOf } from "../../src/net/prefix.js";
import { Fib4Oracle, type Route } from "../oracle/fib4.js";
import { Fib6Oracle, mask6, type Route6 } from "../oracle/fib6.js";
import { RouteImage } from "./route-image.js";
import { keys6 } from "./route-rows.js";
import { CAPACITY, callAtLimit, contents, expectWhole } from "./whole.js";

const HOPS = 64;
const ROOM = 1 << 21;

const hop = fc.nat(HOPS - 1);
const route: fc.Arbitrary<Route> = fc
  .record({ bits: fc.nat(0xffff), length: fc.integer({ min: 6, max: 32 }), hop })
  .map(({ bits, length, hop: to }) => {
    const address = (0x0a000000 | Math.imul(bits, 0x9e5)) & maskOf(length);
    return { address: address >>> 0, length, hop: to };
  });
const route6: fc.Arbitrary<Route6> = fc
  .record({
    bits: fc.bigInt({ min: 0n, max: (1n << 24n) - 1n }),
    length: fc.integer({ min: 16, max: 128 }),
    hop,
  })
  .map(({ bits, length, hop: to }) => {
    const spread = (bits << 84n) | (bits << 60n) | (bits << 36n) | bits;
    return { address: ((0x2001n << 112n) | spread) & mask6(length), length, hop: to };
  });
const many = { maxLength: 160 };
/** Tables before a change: some of a layout for few routes, some for more. */
const tables = <T>(one: fc.Arbitrary<T>) =>
  fc.record({ before: fc.array(one, many), more: fc.array(one, { minLength: 1, ...many }) });

function expectRoutes4(image: RouteImage, routes: readonly Route[]): void {
  const oracle = new Fib4Oracle();
  for (const one of routes) oracle.insert(one);
  const keys = routes.flatMap(({ address }) => [address, (address - 1) >>> 0, address | 1]);
  const wanted = keys.map((key) => oracle.lookup(key >>> 0)?.hop ?? 0xffffffff);
  expect([...image.lookup4(Uint32Array.from(keys))]).toEqual(wanted);
}

function expectRoutes6(image: RouteImage, routes: readonly Route6[]): void {
  const oracle = new Fib6Oracle();
  for (const one of routes) oracle.insert(one);
  const keys = routes.flatMap(({ address }) => [address, address - 1n, address | 1n]);
  const wanted = keys.map((key) => oracle.lookup(key)?.hop ?? 0xffffffff);
  expect([...image.lookup6(keys6(keys))]).toEqual(wanted);
}

describe("routes, many at once", () => {
  it("are taken whole or not at all, whatever the table holds already", async () => {
    await expectWhole(tables(route), async ({ before, more }) => {
      const image = await RouteImage.make(CAPACITY, HOPS);
      expect(image.load4(before)).toBe(STATUS_OK);
      const limit = callAtLimit(image.bare, ROOM, () => image.load4(more));
      expectRoutes4(image, [...before, ...more]);
      return limit;
    });
  });

  it("of IPv6 likewise", async () => {
    await expectWhole(tables(route6), async ({ before, more }) => {
      const image = await RouteImage.make(CAPACITY, HOPS);
      expect(image.load6(before)).toBe(STATUS_OK);
      const limit = callAtLimit(image.bare, ROOM, () => image.load6(more));
      expectRoutes6(image, [...before, ...more]);
      return limit;
    });
  });

  it("are removed whole or not at all, one that stands twice once", async () => {
    await expectWhole(tables(route6), async ({ before, more }) => {
      const image = await RouteImage.make(CAPACITY, HOPS);
      expect(image.load6(before)).toBe(STATUS_OK);
      expect(image.load6(more)).toBe(STATUS_OK);
      const limit = callAtLimit(image.bare, ROOM, () => image.remove6([...more, more[0] as Route6]));
      const gone = new Set(more.map(({ address, length }) => `${address}/${length}`));
      const left = before.filter(({ address, length }) => !gone.has(`${address}/${length}`));
      expectRoutes6(image, [...left, ...left]);
      expect(image.remove6([...left.slice(0, 3), more[0] as Route6])).toBe(STATUS_BAD_ENTRY);
      expectRoutes6(image, left);
      return limit;
    });
  });

  it("fill a table that holds a few thousand, with the room that a fresh one would need twice", async () => {
    const image = await RouteImage.make(CAPACITY, HOPS);
    const of = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        address: (0x0a000000 + (first + index) * 256) >>> 0,
        length: 24,
        hop: index % HOPS,
      }));
    expect(image.load4(of(0, 3000))).toBe(STATUS_OK);
    // Counted one by one these would need 24 MB.
    expect(callAtLimit(image.bare, 1 << 23, () => image.load4(of(2000, 8000)))).toBeLessThan(1 << 21);
    expectRoutes4(image, [...of(0, 3000), ...of(2000, 8000)]);
    const octets = image.bare.top;
    for (let round = 0; round < 20; round++) expect(image.load4(of(2000, 8000))).toBe(STATUS_OK);
    expect(image.bare.top).toBeLessThan(octets + (1 << 22));
  });

  it("are refused for one that is none, or whose next hop there is not", async () => {
    const image = await RouteImage.make(CAPACITY, HOPS);
    const good = Array.from({ length: 40 }, (_, index) => ({ address: index * 2 ** 24, length: 8, hop: 0 }));
    const bad: readonly Route[] = [
      { address: 0x0a000001, length: 24, hop: 0 },
      { address: 0x0a000000, length: 33, hop: 0 },
      { address: 0x0a000000, length: 24, hop: HOPS },
    ];
    for (const one of bad) {
      const before = contents(image.bare);
      for (const rows of [
        [...good, one],
        [good[0] as Route, one],
      ]) {
        expect(image.load4(rows)).toBe(STATUS_BAD_ENTRY);
        const six = rows.map(({ address, ...rest }) => ({ address: BigInt(address) << 96n, ...rest }));
        expect(
          image.load6(one.length === 33 ? [...six.slice(0, -1), { address: 0n, length: 129, hop: 0 }] : six),
        ).toBe(STATUS_BAD_ENTRY);
      }
      expect(contents(image.bare).equals(before)).toBe(true);
    }
  });
});

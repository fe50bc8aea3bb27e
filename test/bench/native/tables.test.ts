import { describe, expect, it } from "vitest";
import { Random } from "../../../bench/baseline/random.js";
import {
  k8sRoutes,
  POD_CIDRS,
  packRoutes4,
  packRoutes6,
  readFullTable,
} from "../../../bench/native/tables.js";
import { maskOf } from "../../../src/net/prefix.js";

describe("bench:native tables", () => {
  it("numbers the next hops of a full table by its lines", () => {
    const lines = Array.from({ length: 4097 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`);
    const { ip4, ip6 } = readFullTable(`${[...lines, "2001:db8::/32"].join("\n")}\n`);
    expect(ip4.length).toBe(4097);
    expect(ip4[0]).toEqual({ address: 0x0a000000, length: 24, nextHop: 1 });
    expect([ip4[4095]?.nextHop, ip4[4096]?.nextHop]).toEqual([4096, 1]);
    expect(ip6).toEqual([{ address: 0x20010db8n << 96n, length: 32, nextHop: 2 }]);
  });

  it("refuses a table with a line that is no prefix, and names it", () => {
    expect(() => readFullTable("10.0.0.0/8\n10.0.0.1/8\n")).toThrow("Line 2");
  });

  it("draws a cluster's routes: all differ, none has host bits, every next hop is another", () => {
    const routes = k8sRoutes(new Random(1));
    expect(routes.length).toBe(POD_CIDRS + 22);
    expect(new Set(routes.map(({ address, length }) => `${address}/${length}`)).size).toBe(routes.length);
    expect(routes.filter(({ address, length }) => (address & ~maskOf(length)) !== 0)).toEqual([]);
    expect(routes.map(({ nextHop }) => nextHop)).toEqual(routes.map((_, index) => index + 1));
    expect(routes.slice(0, POD_CIDRS).every(({ address }) => address >>> 24 === 10)).toBe(true);
    // rte_lpm has no /0.
    expect(Math.min(...routes.map(({ length }) => length))).toBe(1);
  });

  it("packs rows as the C side reads them", () => {
    expect([...packRoutes4([{ address: 0xc0000200, length: 24, nextHop: 7 }])]).toEqual([0xc0000200, 24, 7]);
    const row = packRoutes6([{ address: 0x20010db8n << 96n, length: 32, nextHop: 258 }]);
    expect([...row]).toEqual([0x20, 1, 0x0d, 0xb8, ...new Array(12).fill(0), 32, 0, 0, 0, 2, 1, 0, 0]);
  });
});

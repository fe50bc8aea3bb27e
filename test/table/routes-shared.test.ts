import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { PART_FIB, PART_FIB6, PART_ROUTES, STATUS_OK } from "../../assembly/abi/image.js";
import { parsePrefix } from "../../src/net/prefix.js";
import type { Route } from "../oracle/fib4.js";
import type { Route6 } from "../oracle/fib6.js";
import { fullTablePath, HOPS_OWN, HOPS_SHARED, readTable } from "../oracle/full-table.js";
import { intervalsOf, type OracleRoute } from "../oracle/intervals.js";
import { filesUnder, readMaybeZipped } from "../packet/shared-captures.js";
import { RouteImage } from "./route-image.js";
import { keys6 } from "./route-rows.js";

const NONE = 0xffffffff;
const MB = 1_000_000;
const FOLDER = join(process.env.PACKETYARD_SHARED ?? "../shared", "data", "routing");
const UPDATES = filesUnder(FOLDER)
  .filter((file) => /updates.*\.expected\.txt\.gz$/.test(file))
  .map((path) => ({ path, name: basename(path) }));
const FORWARDING = filesUnder(FOLDER)
  .filter((file) => file.endsWith("-prefix-nexthop.txt.gz"))
  .map((path) => ({ path, name: basename(path) }));
const PATH = fullTablePath();

/** Compares the first address of every interval, and the last of the one before, with the machine's answer. */
function expectEdges(
  routes: readonly OracleRoute[],
  bits: number,
  lookup: (edges: readonly bigint[]) => Uint32Array,
) {
  const { starts, hops } = intervalsOf(routes, bits);
  const edges = starts.flatMap((start) => (start === 0n ? [start] : [start - 1n, start]));
  const expected = hops.flatMap((hop, index) =>
    index === 0 ? [hop ?? NONE] : [hops[index - 1] ?? NONE, hop ?? NONE],
  );
  const found = lookup(edges);
  const wrong = edges.filter((_, index) => found[index] !== expected[index]).map((edge) => edge.toString(16));
  expect(wrong.slice(0, 5)).toEqual([]);
  return edges.length;
}

function expectAll(image: RouteImage, routes4: Iterable<Route>, routes6: Iterable<Route6>): number {
  const wide = [...routes4].map(({ address, ...rest }) => ({ address: BigInt(address), ...rest }));
  return (
    expectEdges(wide, 32, (edges) => image.lookup4(Uint32Array.from(edges, Number))) +
    expectEdges([...routes6], 128, (edges) => image.lookup6(keys6(edges)))
  );
}

function drawOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.skipIf(PATH === undefined)("routes of a full table (skipped without one)", () => {
  const path = PATH as string;

  it.each([
    ["16-bit leaves", HOPS_SHARED, 8 * MB],
    ["a next hop a prefix", HOPS_OWN, 12 * MB],
  ] as const)(
    "fit with %s",
    async (_, hopOf, most) => {
      const { routes4, routes6 } = readTable(path, hopOf);
      const image = await RouteImage.make(1 << 29, 1 + routes4.length + routes6.length);
      expect([image.load4(routes4), image.load6(routes6)]).toEqual([STATUS_OK, STATUS_OK]);
      expect(image.bare.octets(PART_FIB)).toBeLessThan(most);
      expect(image.bare.octets(PART_FIB6)).toBeLessThan(most);
      expect(image.bare.octets(PART_ROUTES)).toBeLessThan(16 * MB);
      expect(expectAll(image, routes4, routes6)).toBeGreaterThan(1_000_000);
    },
    240_000,
  );

  it("are, after 100,000 random changes, those of a table built from scratch; a million do not grow it", async () => {
    const { routes4, routes6 } = readTable(path, HOPS_SHARED);
    const image = await RouteImage.make(1 << 27, 8192);
    expect([image.load4(routes4), image.load6(routes6)]).toEqual([STATUS_OK, STATUS_OK]);
    const draw = drawOf(4711);
    const changed = new Map(routes4.map((route, index) => [index, route]));
    const { machine, address } = image.bare;
    let refused = 0;
    const change = (index: number) => {
      const route = routes4[index] as Route;
      if (changed.has(index) && draw(2) === 0) {
        refused += machine.routeRemove(address, route.address, route.length);
        changed.delete(index);
      } else {
        const hop = draw(8192);
        refused += machine.routeInsert(address, route.address, route.length, hop);
        changed.set(index, { ...route, hop });
      }
    };
    for (let count = 0; count < 90_000; count++) change(draw(routes4.length));
    const left6 = new Set(routes6);
    for (let count = 0; count < 10_000; count++) {
      const route = routes6[draw(routes6.length)] as Route6;
      if (left6.delete(route)) expect(image.remove6([route])).toBe(STATUS_OK);
    }
    expectAll(image, changed.values(), left6);
    const { top } = image.bare;
    for (let count = 0; count < 1_000_000; count++) change(draw(routes4.length));
    expect(image.bare.top - top).toBeLessThan(MB);
    expect(refused).toBe(0);
  }, 240_000);
});

describe.skipIf(FORWARDING.length === 0)("routes of shared forwarding tables (skipped without them)", () => {
  it.each(FORWARDING)("$name", async ({ path }) => {
    const image = await RouteImage.make(1 << 25, 8192);
    const hops = new Map<string, number>();
    const routes: Route[] = [];
    for (const line of new TextDecoder().decode(readMaybeZipped(path)).split("\n")) {
      const [text = "", nextHop = ""] = line.split(" ");
      const { address, length } = parsePrefix(text) ?? {};
      if (typeof address !== "number" || length === undefined) continue;
      const hop = hops.get(nextHop) ?? hops.size;
      hops.set(nextHop, hop);
      routes.push({ address, length, hop });
    }
    expect(routes.length).toBeGreaterThan(1000);
    for (const route of routes) expect(image.load4([route])).toBe(STATUS_OK);
    expectAll(image, routes, []);
  });
});

describe.skipIf(UPDATES.length === 0)(
  "routes changed as BGP changed them (skipped without the updates)",
  () => {
    it.each(UPDATES)("$name", async ({ path }) => {
      const image = await RouteImage.make(1 << 25, 8192);
      const held4 = new Map<string, Route>();
      const held6 = new Map<string, Route6>();
      const { machine, address: at } = image.bare;
      let changes = 0;
      for (const line of new TextDecoder().decode(readMaybeZipped(path)).split("\n")) {
        const [, , kind, , peer, text = ""] = line.split("|");
        const prefix = parsePrefix(text);
        if (prefix === undefined || (kind !== "A" && kind !== "W")) continue;
        const { address, length } = prefix;
        const hop = Number(peer) % 8192;
        changes++;
        if (typeof address === "number") {
          const status =
            kind === "A"
              ? machine.routeInsert(at, address, length, hop)
              : machine.routeRemove(at, address, length);
          expect(status === STATUS_OK).toBe(kind === "A" || held4.has(text));
          if (kind === "A") held4.set(text, { address, length, hop });
          else held4.delete(text);
        } else {
          const route = { address, length, hop };
          expect((kind === "A" ? image.load6([route]) : image.remove6([route])) === STATUS_OK).toBe(
            kind === "A" || held6.has(text),
          );
          if (kind === "A") held6.set(text, route);
          else held6.delete(text);
        }
      }
      expect(changes).toBeGreaterThan(1000);
      expectAll(image, held4.values(), held6.values());
    });
  },
);

import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { type Ip6, parseIp } from "../../src/net/ip.js";
import { parsePrefix } from "../../src/net/prefix.js";
import type { Route6 } from "../oracle/fib6.js";
import { filesUnder, readMaybeZipped } from "../packet/shared-captures.js";
import { RouteImage } from "./route-image.js";
import { keys6 } from "./route-rows.js";

const NONE = 0xffffffff;
const FOLDER = join(process.env.PACKETYARD_SHARED ?? "../shared", "data", "routing");

interface Rules {
  readonly rules: readonly { readonly prefix: string; readonly nextHop: number }[];
  readonly lookups: readonly { readonly ip: string; readonly nextHop: number | null }[];
}

function textOf(path: string): string {
  return new TextDecoder().decode(readMaybeZipped(path));
}

function ip6(text: string): Ip6 {
  const ip = parseIp(text);
  if (typeof ip !== "bigint") throw new Error(`${text} is no IPv6 address`);
  return ip;
}

function route6(text: string, hop: number): Route6 | undefined {
  const { address, length } = parsePrefix(text) ?? {};
  return typeof address === "bigint" && length !== undefined ? { address, length, hop } : undefined;
}

const files = filesUnder(FOLDER);
const RULES = files
  .filter((file) => file.endsWith("-rules-and-lookups.json.gz"))
  .map((path) => ({ path, name: basename(path) }));
const TABLES = files
  .filter((file) => file.endsWith("-lookups.json.gz") && !file.endsWith("-rules-and-lookups.json.gz"))
  .flatMap((lookups) => {
    const stem = lookups.slice(0, -"lookups.json.gz".length);
    const table = files.find((file) => file.startsWith(stem) && file.endsWith(".txt.gz"));
    const all = (JSON.parse(textOf(lookups)) as { lookups: [string, string | null][] }).lookups;
    const expected = all.filter(([address]) => address.includes(":"));
    return table === undefined || expected.length === 0 ? [] : [{ name: basename(stem), table, expected }];
  });

describe.skipIf(RULES.length === 0)("fib6 with shared rules (skipped without them)", () => {
  it.each(RULES)("answers the look-ups of $name, loaded or added one by one", async ({ path }) => {
    const { rules, lookups } = JSON.parse(textOf(path)) as Rules;
    const routes = rules
      .map(({ prefix, nextHop }) => route6(prefix, nextHop))
      .filter((one) => one !== undefined);
    expect(routes.length).toBe(rules.length);
    const keys = keys6(lookups.map(({ ip }) => ip6(ip)));
    const expected = lookups.map(({ nextHop }) => nextHop ?? NONE);
    const [loaded, added] = [await RouteImage.make(1 << 24, 65536), await RouteImage.make(1 << 24, 65536)];
    expect(loaded.load6(routes)).toBe(STATUS_OK);
    for (const route of routes) expect(added.load6([route])).toBe(STATUS_OK);
    expect([...loaded.lookup6(keys)]).toEqual(expected);
    expect([...added.lookup6(keys)]).toEqual(expected);
    expect(lookups.length).toBeGreaterThan(1000);
  });
});

describe.skipIf(TABLES.length === 0)("fib6 with shared routing tables (skipped without them)", () => {
  it.each(TABLES)("answers the look-ups of $name as expected", async ({ table, expected }) => {
    const image = await RouteImage.make(1 << 28, 1 << 20);
    const answers: string[] = [];
    const routes = textOf(table)
      .split("\n")
      .flatMap((line) => {
        const route = route6(line.trim(), answers.length);
        if (route !== undefined) answers.push(line.trim());
        return route ?? [];
      });
    expect(image.load6(routes)).toBe(STATUS_OK);
    const found = image.lookup6(keys6(expected.map(([address]) => ip6(address))));
    expect([...found].map((hop) => (hop === NONE ? null : answers[hop]))).toEqual(
      expected.map(([, answer]) => answer),
    );
    expect(expected.length).toBeGreaterThan(100);
  });
});

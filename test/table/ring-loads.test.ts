import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { ip4 } from "../bare-node.js";
import { KernelServer, type SchedulerChoice } from "../oracle/schedulers.js";
import { Tally } from "../tally.js";
import { LoadedNode } from "./ring-loads.js";
import { clientOf } from "./ring-node.js";

const VIPS = ["10.96.0.10", "10.96.0.11", "10.96.0.12", "10.96.7.1"];
const FIRST = ip4("10.244.1.2");
const HOUR = 3_600_000;

const CHOICES: readonly SchedulerChoice[] = [
  ...["rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "twos", "lblc", "lblcr", "dh"].map((name) => ({
    name,
  })),
  { name: "sh", flags: ["sh-fallback", "sh-port"] },
  { name: "mh", flags: ["mh-port"], size: 251 },
  { name: "mh", flags: ["mh-fallback", "mh-port"], size: 251 },
];

/** What happens: of servers the index names one that is there, or one that left. */
type Happening =
  | { readonly kind: "add"; readonly weight: number }
  | { readonly kind: "return"; readonly index: number; readonly weight: number }
  | { readonly kind: "remove"; readonly index: number }
  | { readonly kind: "weight"; readonly index: number; readonly weight: number }
  | { readonly kind: "load"; readonly index: number; readonly active: number; readonly inactive: number }
  | { readonly kind: "overload"; readonly index: number; readonly isOverloaded: boolean }
  | { readonly kind: "pick"; readonly vip: number; readonly after: number };

const index = fc.nat(20);
const weight = fc.oneof(fc.constantFrom(0, 1, 1, 2, 3, 4, 100), fc.integer({ min: 0, max: 65535 }));
const record = <K extends string, T extends object>(
  kind: K,
  fields: { [P in keyof T]: fc.Arbitrary<T[P]> },
) => fc.record({ kind: fc.constant(kind), ...fields });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: record("add", { weight }) },
  { weight: 1, arbitrary: record("return", { index, weight }) },
  { weight: 2, arbitrary: record("remove", { index }) },
  { weight: 2, arbitrary: record("weight", { index, weight }) },
  { weight: 4, arbitrary: record("load", { index, active: fc.nat(6), inactive: fc.nat(600) }) },
  { weight: 2, arbitrary: record("overload", { index, isOverloaded: fc.boolean() }) },
  {
    weight: 12,
    arbitrary: record("pick", {
      vip: fc.nat(VIPS.length - 1),
      after: fc.constantFrom(0, 1000, 120_000, HOUR, 25 * HOUR),
    }),
  },
) as fc.Arbitrary<Happening>;

/** Changes the list; false where nothing is there to change. */
function apply(list: KernelServer, one: Exclude<Happening, { kind: "pick" }>, number: number): boolean {
  const there = list.oldestFirst;
  const left = list.known.filter(({ isThere }) => !isThere);
  if (one.kind === "add") {
    list.add(FIRST + (number % 3), 8000 + number, one.weight);
    return true;
  }
  const pool = one.kind === "return" ? left : there;
  const real = pool[one.index % Math.max(1, pool.length)];
  if (real === undefined) return false;
  if (one.kind === "return") list.add(real.address, real.port, one.weight);
  else if (one.kind === "remove") list.remove(real);
  else if (one.kind === "weight") list.setWeight(real, one.weight);
  else if (one.kind === "load") Object.assign(real, { active: one.active, inactive: one.inactive });
  else real.isOverloaded = one.isOverloaded;
  return true;
}

const name = (real: { address: number; port: number } | undefined) =>
  real === undefined ? null : `${printIp(real.address)}:${real.port}`;

describe("ring: schedulers and the connections of their servers", () => {
  it.each(CHOICES.map((choice) => [`${choice.name} ${choice.flags ?? ""}`, choice] as const))(
    "%s picks what the kernel's list gives, through loads, overloads and changes",
    async (_, choice) => {
      const tally = new Tally();
      const property = fc.asyncProperty(fc.array(happening, { minLength: 4, maxLength: 60 }), async (all) => {
        const loaded = await LoadedNode.make(VIPS);
        let now = 0;
        let draws = (_n: number) => 0;
        const list = new KernelServer(choice, (n) => draws(n), now);
        loaded.take(list);
        for (const [number, one] of all.entries()) {
          if (one.kind !== "pick") {
            const isChanged = apply(list, one, number);
            if (isChanged && one.kind !== "load" && one.kind !== "overload") loaded.take(list);
            continue;
          }
          now += one.after;
          draws = loaded.draws;
          const client = clientOf(`172.20.${number}.1`, 1024 + number * 7, VIPS[one.vip] ?? "");
          const expected = name(list.pick(client, now));
          expect(loaded.pick(list, client, now), `${number}`).toBe(expected);
          tally.count(expected === null ? "refused" : "picked");
        }
      });
      await fc.assert(property, { numRuns: 60 });
      tally.expectEach(["picked"], 50);
      tally.expectEach(["refused"]);
    },
  );
});

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

const name = (real: { address: number; port: number } | undefined) =>
  real === undefined ? null : `${printIp(real.address)}:${real.port}`;

/** What happens: of servers the index names one that is there, or one that left. */
type Happening =
  | { readonly kind: "add"; readonly weight: number }
  | { readonly kind: "return"; readonly index: number; readonly weight: number }
  | { readonly kind: "remove"; readonly index: number }
  | { readonly kind: "weight"; readonly index: number; readonly weight: number }
  | { readonly kind: "load"; readonly index: number; readonly active: number; readonly inactive: number }
  | { readonly kind: "overload"; readonly index: number; readonly isOverloaded: boolean }
  /** All servers at once; the one that was picked last. */
  | { readonly kind: "overload-all"; readonly isOverloaded: boolean }
  | { readonly kind: "remove-last" }
  | { readonly kind: "edit"; readonly seconds: number }
  | { readonly kind: "bind"; readonly scheduler: number }
  | { readonly kind: "pick"; readonly vip: number; readonly after: number };

const index = fc.nat(20);
const weight = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 1, 2, 3, 4, 6) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 65535 }) },
);
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
  { weight: 1, arbitrary: record("overload-all", { isOverloaded: fc.boolean() }) },
  { weight: 2, arbitrary: record("remove-last", {}) },
  { weight: 1, arbitrary: record("edit", { seconds: fc.nat(9) }) },
  { weight: 1, arbitrary: record("bind", { scheduler: fc.nat(CHOICES.length - 1) }) },
  {
    weight: 12,
    arbitrary: record("pick", {
      vip: fc.constantFrom(0, 0, 0, 1, 2, 3),
      after: fc.constantFrom(0, 0, 0, 120_000, 9 * HOUR, 13 * HOUR, 25 * HOUR),
    }),
  },
) as fc.Arbitrary<Happening>;

type Edit = Extract<Happening, { kind: "edit" | "bind" | "pick" }>;

/** Changes the list; false where nothing is there to change. */
function apply(
  list: KernelServer,
  one: Exclude<Happening, Edit>,
  number: number,
  last: string | null,
): boolean {
  const there = list.oldestFirst;
  const left = list.known.filter(({ isThere }) => !isThere);
  if (one.kind === "add") {
    list.add(FIRST + (number % 3), 8000 + number, one.weight);
    return true;
  }
  if (one.kind === "overload-all") for (const real of there) real.isOverloaded = one.isOverloaded;
  const pool = one.kind === "return" ? left : there;
  const real =
    "index" in one
      ? pool[one.index % Math.max(1, pool.length)]
      : there.find((known) => one.kind === "remove-last" && name(known) === last);
  if (real === undefined || one.kind === "overload-all") return false;
  if (one.kind === "return") list.add(real.address, real.port, one.weight);
  else if (one.kind === "remove" || one.kind === "remove-last") list.remove(real);
  else if (one.kind === "weight") list.setWeight(real, one.weight);
  else if (one.kind === "load") Object.assign(real, { active: one.active, inactive: one.inactive });
  else real.isOverloaded = one.isOverloaded;
  return true;
}

describe("ring: schedulers and the connections of their servers", () => {
  it.each(CHOICES.map((choice) => [`${choice.name} ${choice.flags ?? ""}`, choice] as const))(
    "%s picks what the kernel's list gives, through loads, overloads and changes",
    async (_, choice) => {
      const tally = new Tally();
      const drawn = fc.array(happening, { minLength: 4, maxLength: 60 });
      const property = fc.asyncProperty(drawn, fc.boolean(), async (all, limited) => {
        const loaded = await LoadedNode.make(VIPS);
        let now = 0;
        let last: string | null = null;
        let draws = (_n: number) => 0;
        const list = new KernelServer(choice, (n) => draws(n), now);
        loaded.take(list, limited);
        for (const [number, one] of all.entries()) {
          if (one.kind === "pick") {
            now += one.after;
            draws = loaded.draws;
            const client = clientOf(`172.20.${number}.1`, 1024 + number * 7, VIPS[one.vip] ?? "");
            last = name(list.pick(client, now));
            expect(loaded.pick(list, client, now), `${number}`).toBe(last);
            tally.count(last === null ? "refused" : "picked");
          } else if (one.kind === "edit" || one.kind === "bind") {
            const other = one.kind === "bind" ? CHOICES[one.scheduler] : undefined;
            // One that is bound has as many slots as it usually has.
            if (other !== undefined && other.name !== list.scheduler.name)
              list.bind({ name: other.name, flags: other.flags ?? [] }, now);
            loaded.edit(list, one.kind === "edit" ? one.seconds : 0);
          } else if (one.kind === "load" || one.kind === "overload" || one.kind === "overload-all") {
            if (one.kind === "load" || limited) apply(list, one, number, last);
          } else if (apply(list, one, number, last)) loaded.take(list, limited);
        }
      });
      await fc.assert(property, { numRuns: 120 });
      tally.expectEach(["picked"], 50);
      tally.expectEach(["refused"]);
    },
  );

  /** So many addresses that are called, from one on. */
  const addresses = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => printIp(ip4("10.96.0.0") + from + at));
  const MINUTE = 60_000;

  it.each(["lblc", "lblcr"])(
    "%s forgets addresses as a kernel's table does when it has too many",
    async (scheduler) => {
      const all = addresses(0, 17_500);
      const loaded = await LoadedNode.make(all);
      const list = new KernelServer({ name: scheduler });
      for (const port of [1, 2]) list.add(FIRST, port, 5);
      loaded.take(list, false);
      const call = (vips: readonly string[], now: number) => {
        const seen = new Set<string | null>();
        for (let from = 0; from < vips.length; from += 500) {
          const clients = vips.slice(from, from + 500).map((vip) => clientOf("172.20.1.1", 1024, vip));
          const expected = clients.map((client) => name(list.pick(client, now)));
          expect(loaded.picks(list, clients, now)).toEqual(expected);
          for (const one of expected) seen.add(one);
        }
        return seen.size;
      };
      call(all.slice(0, 9000), 0);
      call(all.slice(9000), 2 * MINUTE);
      // Whoever is forgotten goes elsewhere from now on.
      Object.assign(list.oldestFirst.at(-1) ?? {}, { inactive: 1000 });
      const known = all.filter((_, at) => at % 7 === 0);
      expect(call(known, 6.5 * MINUTE)).toBe(2);
      for (const minutes of [7.5, 9.5, 40]) expect(call(known, minutes * MINUTE)).toBe(2);
      expect(call(known, (24 * 60 + 75) * MINUTE)).toBe(1);
    },
  );

  it("lblc remembers nothing for a service that another one's number is given to", async () => {
    const loaded = await LoadedNode.make(VIPS);
    const list = new KernelServer({ name: "lblc" });
    list.add(FIRST, 80, 1);
    list.add(FIRST, 81, 1);
    const client = clientOf("172.20.1.1", 1024, VIPS[0] ?? "");
    expect(loaded.take(list).pick(list, client)).toBe("10.244.1.2:81");
    Object.assign(list.find(FIRST, 81) ?? {}, { inactive: 1 });
    expect(loaded.pick(list, client)).toBe("10.244.1.2:81");
    const empty = new KernelServer({ name: "rr" });
    loaded.take(empty).take(list);
    expect(loaded.pick(list, client)).toBe("10.244.1.2:80");
  });

  /** Picks of list and machine, which are to be the same, for clients that call one address. */
  async function twin(list: KernelServer) {
    const loaded = await LoadedNode.make(VIPS);
    loaded.take(list);
    let client = 0;
    return (now: number) => {
      const next = clientOf("172.20.1.1", 1024 + client++, VIPS[0] ?? "");
      const expected = name(list.pick(next, now));
      expect(loaded.pick(list, next, now)).toBe(expected);
      return expected;
    };
  }

  it.each([[[2, 2, 2]], [[1, 3, 2]]])(
    "wrr of weights %j goes on where it stood when all were overloaded",
    async (weights) => {
      for (let before = 0; before < 7; before++) {
        const list = new KernelServer({ name: "wrr" });
        for (const [port, value] of weights.entries()) list.add(FIRST, 80 + port, value);
        const pick = await twin(list);
        for (let at = 0; at < before; at++) pick(0);
        for (const real of list.oldestFirst) real.isOverloaded = true;
        expect(pick(0)).toBeNull();
        for (const real of list.oldestFirst) real.isOverloaded = false;
        for (let at = 0; at < 7; at++) pick(0);
      }
    },
  );

  it("lblc leaves a server when it has more active connections than weight, and another few", async () => {
    const list = new KernelServer({ name: "lblc" });
    for (const port of [80, 81]) list.add(FIRST, port, 2);
    const pick = await twin(list);
    const [other, one] = list.oldestFirst;
    expect(pick(0)).toBe("10.244.1.2:81");
    Object.assign(one ?? {}, { active: 2 });
    expect(pick(0)).toBe("10.244.1.2:81");
    Object.assign(one ?? {}, { active: 3 });
    Object.assign(other ?? {}, { active: 1 });
    expect(pick(0)).toBe("10.244.1.2:81");
    Object.assign(other ?? {}, { active: 0 });
    expect(pick(0)).toBe("10.244.1.2:80");
  });

  it("lblcr drops the most loaded of an address's servers when they were the same for a day", async () => {
    const list = new KernelServer({ name: "lblcr" });
    for (const port of [80, 81]) list.add(FIRST, port, 2);
    const pick = await twin(list);
    const [one, other] = list.oldestFirst;
    expect(pick(0)).toBe("10.244.1.2:81");
    // It has more than its weight, and the other none: that is a member from now on.
    Object.assign(other ?? {}, { active: 3 });
    expect(pick(HOUR)).toBe("10.244.1.2:80");
    for (const hours of [10, 20, 25]) expect(pick(hours * HOUR)).toBe("10.244.1.2:80");
    // Each day's first connection is the last that knows both.
    expect(pick(25 * HOUR + 1)).toBe("10.244.1.2:80");
    Object.assign(other ?? {}, { active: 0 });
    Object.assign(one ?? {}, { active: 2 });
    expect(pick(25 * HOUR + 2)).toBe("10.244.1.2:80");
  });
});

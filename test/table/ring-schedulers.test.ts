import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ip4 } from "../bare-node.js";
import { type Client, KernelServer, maglevTable, type SchedulerChoice } from "../oracle/schedulers.js";
import { Tally } from "../tally.js";
import { clientOf, expectedPicks, RingNode } from "./ring-node.js";

const VIP = "10.96.0.10";
const FIRST = ip4("10.244.1.2");

const CHOICES: readonly SchedulerChoice[] = [
  { name: "rr" },
  { name: "wrr" },
  { name: "dh" },
  { name: "dh", size: 4 },
  { name: "sh" },
  { name: "sh", flags: ["sh-port"], size: 1024 },
  { name: "sh", flags: ["sh-fallback", "sh-port"], size: 64 },
  { name: "mh", size: 251 },
  { name: "mh", flags: ["mh-port"], size: 509 },
  { name: "mh", flags: ["mh-fallback", "mh-port"], size: 251 },
  { name: "mh", flags: ["mh-port"], size: 256 },
  { name: "maglev", size: 1021 },
  { name: "maglev", size: 512 },
];

/** What happens to a virtual server: the index names one of those it has. */
type Change =
  | { readonly kind: "add"; readonly weight: number }
  | { readonly kind: "remove"; readonly index: number }
  | { readonly kind: "weight"; readonly index: number; readonly weight: number };

const weight = fc.oneof(fc.constantFrom(0, 1, 1, 2, 3, 100), fc.integer({ min: 0, max: 65535 }));
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), weight }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), index: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("weight" as const), index: fc.nat(20), weight }) },
);

/** Servers are told apart by port: one that comes again is another. */
function apply(list: KernelServer, one: Change, number: number): void {
  const servers = list.oldestFirst;
  const real = "index" in one ? servers[one.index % Math.max(1, servers.length)] : undefined;
  if (one.kind === "add") list.add(FIRST + (number % 3), 8000 + number, one.weight);
  else if (real !== undefined && one.kind === "remove") list.remove(real);
  else if (real !== undefined && one.kind === "weight") list.setWeight(real, one.weight);
}

function clients(count: number, seed = 0): Client[] {
  return Array.from({ length: count }, (_, index) => {
    const number = Math.imul(index + seed * 7919 + 1, 0x9e3779b1) >>> 0;
    return clientOf(`172.20.${number >>> 24}.${(number >>> 16) & 255}`, 1 + ((number & 0xffff) % 65535), VIP);
  });
}

describe("ring: schedulers", () => {
  it.each(
    CHOICES.map((choice) => [`${choice.name} ${choice.flags ?? ""} ${choice.size ?? ""}`, choice] as const),
  )("%s picks what the kernel's list gives, through any changes", async (_, choice) => {
    const tally = new Tally();
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const node = await RingNode.make(VIP);
      const list = new KernelServer(choice);
      for (const [number, one] of changes.entries()) {
        apply(list, one, number);
        const asked = clients(1 + (number % 7) * 3, number);
        const expected = expectedPicks(list, asked);
        expect(node.take(list).picks(asked)).toEqual(expected);
        for (const to of expected) tally.count(to === null ? "refused" : "picked");
      }
    });
    await fc.assert(property, { numRuns: 40 });
    tally.expectEach(["picked"], 20);
    tally.expectEach(["refused"]);
  });

  it.each([251, 4093, 65537, 131071, 4096, 65536])("Maglev has %i slots if asked to", async (size) => {
    const list = new KernelServer({ name: "maglev", size });
    for (const [index, weight] of [1, 2, 3, 4].entries()) list.add(FIRST + index, 80, weight);
    const asked = clients(300);
    expect((await RingNode.make(VIP)).take(list).picks(asked)).toEqual(expectedPicks(list, asked));
  });

  it("Maglev gives slots in proportion to weights, within one turn", () => {
    const reals = [1, 2, 3, 4, 0].map((value, index) => {
      const counts = { active: 0, inactive: 0, isOverloaded: false, isThere: true };
      return { address: FIRST + index, port: 80, weight: value, lastWeight: value, ...counts };
    });
    const table = maglevTable(reals, 4093);
    for (const real of reals) {
      const slots = table.filter((one) => one === real).length;
      expect(Math.abs(slots - (4093 * real.weight) / 10)).toBeLessThan(5);
    }
  });

  it.each([
    [4093, 0.05],
    [65537, 0.02],
  ])("Maglev of %i slots moves few other flows when one of twenty servers goes", async (size, most) => {
    const list = new KernelServer({ name: "mh", flags: ["mh-port"], size });
    for (let index = 0; index < 20; index++) list.add(FIRST + index, 8080, 1);
    const node = await RingNode.make(VIP);
    const asked = clients(4000);
    const before = node.take(list).picks(asked);
    const gone = list.oldestFirst[7];
    if (gone === undefined) throw new Error("no server");
    list.remove(gone);
    const after = node.take(list).picks(asked);
    const stayed = before.filter((to) => to !== "10.244.1.9:8080").length;
    const moved = before.filter((to, index) => to !== "10.244.1.9:8080" && to !== after[index]).length;
    expect(stayed).toBeLessThan(4000 - 100);
    expect(moved / stayed).toBeLessThan(most);
    expect(after).not.toContain("10.244.1.9:8080");
    // It comes back, and all is as it was (but that it is the newest now, which decides few slots).
    list.add(gone.address, gone.port, 1);
    const again = node.take(list).picks(asked);
    expect(again.filter((to, index) => to !== before[index]).length / 4000).toBeLessThan(most);
  });

  it("mh moves nobody when a server is quiesced: its clients alone are refused, or go elsewhere", async () => {
    const asked = clients(2000);
    for (const flags of [[], ["mh-fallback"]]) {
      const list = new KernelServer({ name: "mh", flags });
      for (let index = 0; index < 5; index++) list.add(FIRST + index, 8080, 10);
      const node = await RingNode.make(VIP);
      const before = node.take(list).picks(asked);
      const quiet = list.oldestFirst[2];
      if (quiet !== undefined) list.setWeight(quiet, 0);
      const after = node.take(list).picks(asked);
      const was = before.map((to) => to === "10.244.1.4:8080");
      expect(was.filter(Boolean).length).toBeGreaterThan(200);
      expect(after.filter((_, index) => !was[index])).toEqual(before.filter((_, index) => !was[index]));
      const refused = after.filter((to) => to === null).length;
      expect(refused).toBe(flags.length === 0 ? was.filter(Boolean).length : 0);
    }
  });

  it("sh falls back by slots behind the client's own, as a kernel was seen to", async () => {
    const list = new KernelServer({ name: "sh", flags: ["sh-fallback"] });
    for (const [index, weight] of [0, 0, 2, 0, 3, 2].entries()) list.add(FIRST + index, 8080, weight);
    const node = await RingNode.make(VIP);
    const [picked] = node.take(list).picks([clientOf("172.20.33.3", 40000, VIP)]);
    expect(picked).toBe("10.244.1.4:8080");
  });

  it("begins afresh in a virtual server that another one's number is given to", async () => {
    const node = await RingNode.make(VIP);
    const [old, next] = [new KernelServer({ name: "wrr" }), new KernelServer({ name: "wrr" })];
    for (let index = 0; index < 5; index++) old.add(FIRST + index, 80, 1 + index);
    node.take(old).picks(clients(7));
    for (let index = 0; index < 4; index++) next.add(FIRST + index, 81, 5 - index);
    const asked = clients(30);
    const picks = node
      .take(new KernelServer({ name: "wrr" }))
      .take(next)
      .picks(asked);
    expect(picks).toEqual(expectedPicks(next, asked));
  });

  it("wrr begins with what every change made of its first round, however many there were before a connection", async () => {
    const property = fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 12 }), async (changes) => {
      const node = await RingNode.make(VIP);
      const list = new KernelServer({ name: "wrr" });
      for (const [number, one] of changes.entries()) {
        apply(list, one, number);
        node.take(list);
      }
      const asked = clients(12);
      expect(node.picks(asked)).toEqual(expectedPicks(list, asked));
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

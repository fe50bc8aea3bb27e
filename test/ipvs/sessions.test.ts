import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNKS } from "../../src/packet/build.js";
import { Tally } from "../tally.js";
import { IpvsNode } from "./ipvs-node.js";
import { type Family, PLANS, type Setup, type Step, TwoLists } from "./two-lists.js";

const setups: fc.Arbitrary<Setup> = fc.record({
  family: fc.constantFrom<Family>(4, 6),
  sysctls: fc.record({
    expireNodest: fc.boolean(),
    expireQuiescent: fc.boolean(),
    reuseMode: fc.constantFrom(0, 1, 2, 3),
    isSecure: fc.boolean(),
    timeouts: fc.record({
      tcp: fc.constantFrom(0, 0, 77),
      fin: fc.constantFrom(0, 33),
      udp: fc.constantFrom(0, 20),
    }),
  }),
  isMasked: fc.boolean(),
  direct: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  upper: fc.constantFrom(0, 2, 4),
});

/** What is said: TCP's flags, and SCTP's first chunk. */
const said = {
  flags: fc.constantFrom("S", "S", "A", "A", "FA", "R", "SA", "", "SF", "P"),
  chunk: fc.oneof(fc.constant(1), fc.nat(CHUNKS.length - 1)),
};

/** Around the timeouts of states (milliseconds). */
const WAITS = [0, 1, 1999, 3000, 4000, 9_999, 20_000, 30_000, 60_000, 61_000, 77_000, 300_000, 900_000];

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("request" as const),
      plan: fc.nat(PLANS.length - 1),
      door: fc.nat(5),
      client: fc.nat(2),
      port: fc.constantFrom(0, 20, 1000, 1001, 65535),
      ...said,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("answer" as const, "again" as const),
      which: fc.nat(20),
      ...said,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      after: fc.oneof(fc.constantFrom(...WAITS), fc.nat(100_000)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("weight" as const, "leave" as const, "upper" as const),
      plan: fc.nat(2),
      server: fc.nat(2),
      to: fc.nat(3),
    }),
  },
);

const REQUEST = { kind: "request", door: 0, client: 0, port: 1000, flags: "S", chunk: 1 } as const;
const AGAIN = { kind: "again", which: 0, flags: "A", chunk: 1 } as const;

/** All servers of one of the plans, changed. */
const everyServer = (kind: "weight" | "leave", plan: number): readonly Step[] =>
  [0, 1, 2].map((server) => ({ kind, plan, server, to: 0 }));

/** What seldom comes by chance: packets to a server that has left, and a template whose server takes nobody. */
const SELDOM: [Setup, Step[]] = [
  {
    family: 4,
    sysctls: {
      expireNodest: false,
      expireQuiescent: true,
      reuseMode: 1,
      isSecure: false,
      timeouts: { tcp: 0, fin: 0, udp: 0 },
    },
    isMasked: false,
    direct: [false, false, false],
    upper: 0,
  },
  [
    { ...REQUEST, plan: 0 },
    ...everyServer("leave", 0),
    ...Array.from({ length: 5 }, () => AGAIN),
    { ...REQUEST, plan: 1 },
    ...everyServer("weight", 1),
    { ...REQUEST, plan: 1, port: 1001 },
    ...Array.from({ length: 5 }, () => ({ kind: "wait", after: 0 }) as const),
  ],
];

describe("IPVS' connections", () => {
  it("are what ip_vs_conn.c and ip_vs_core.c make of packets, time, and servers that come and go", async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(setups, fc.array(steps, { minLength: 60, maxLength: 120 }), async (setup, list) => {
        const lists = new TwoLists(await IpvsNode.make({ connections: 200 }), setup, tally);
        for (const step of list) lists.take(step);
        lists.wait(10 ** 9);
        lists.compare();
        expect(lists.node.count).toBe(0);
      }),
      { numRuns: 80, examples: [SELDOM] },
    );
    const cases = ["request", "answer", "opened", "refused", "ignored", "left", "returned", "template"];
    tally.expectEach([...cases, "dropped", "dismissed", "overloaded"], 3);
  }, 120_000);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { udp } from "../../src/packet/build.js";

import { BareNode } from "../bare-node.js";
import { type FragmentDraft, fragmentOf, fragmentsOf } from "../fragments-of.js";
import { type Fate, Reassembly } from "../oracle/reassembly.js";

const CELLS = 2_048;
const BRIDGE = 1;
const UPLINK = 2;

/** A router of which all that is to it is delivered, so that datagrams are seen as they were put together. */
async function host(cells = CELLS, sysctls = {}): Promise<BareNode> {
  const node = await BareNode.make({ connections: 4_096, cells, sysctls });
  return node
    .route("0.0.0.0/0", { kind: "direct", out: UPLINK })
    .route("::/0", { kind: "direct", out: UPLINK })
    .route("10.0.0.1/32", { kind: "local" })
    .route("fd00::1/128", { kind: "local" });
}

const PAYLOAD = Uint8Array.from({ length: 400 }, (_, index) => index * 7);
const DATAGRAMS = [
  udp("10.0.0.7:7", "10.0.0.1:9", { payload: PAYLOAD, id: 1 }),
  udp("10.0.0.8:7", "10.0.0.1:9", { payload: PAYLOAD.subarray(0, 51), id: 2, tos: 0xb8 }),
  udp("[fd00::7]:7", "[fd00::1]:9", { payload: PAYLOAD }),
  udp("[fd00::8]:7", "[fd00::1]:9", { payload: PAYLOAD.subarray(0, 50) }),
];
const octets = (frame: Uint8Array) => Buffer.from(frame).toString("hex");

/** What the machine says of a fragment, in the oracle's words. */
function said(verdict: string, reason: string): string {
  if (verdict === "HOLD") return "HOLD";
  return reason.startsWith("FRAGMENT_") ? reason.slice("FRAGMENT_".length) : `${verdict} ${reason}`;
}

const named = (fate: Fate): string => (typeof fate === "string" ? fate : "LOCAL NONE");

interface Sent extends FragmentDraft {
  readonly datagram: number;
  readonly wait: number;
}

/** Fragments that mostly belong together, with some that do not. */
const SENT: fc.Arbitrary<readonly Sent[]> = fc
  .tuple(
    fc.array(
      fc.record({
        datagram: fc.nat(DATAGRAMS.length - 1),
        size: fc.constantFrom(8, 16, 64, 200),
        odd: fc.constantFrom<Partial<FragmentDraft>>({}, {}, { df: true }, { ecn: 2 }, { ecn: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    fc.infiniteStream(fc.nat(1_000)),
    fc.array(
      fc.record({
        at: fc.nat(1_000),
        change: fc.constantFrom(
          "drop",
          "again",
          "shift",
          "longer",
          "shorter",
          "odd",
          "end",
          "more",
          "wait",
          "beyond",
        ),
      }),
      { maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([datagrams, keys, changes, isOrdered]) => {
    const sent = datagrams.flatMap(({ datagram, size, odd }) => {
      const frame = DATAGRAMS[datagram] as Uint8Array;
      const total = frame.length - (frame[12] === 0x86 ? 54 : 34);
      return Array.from({ length: Math.ceil(total / size) }, (_, index): Sent => {
        const offset = index * size;
        const length = Math.min(size, total - offset);
        return { datagram, wait: 0, offset, length, more: offset + length < total, ...odd };
      });
    });
    const keyed = sent.map((one) => ({ one, key: keys.next().value as number }));
    const arranged = isOrdered ? sent : keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
    for (const { at, change } of changes) changed(arranged, at % arranged.length, change);
    return arranged;
  });

function changed(sent: Sent[], at: number, change: string): void {
  const one = sent[at];
  if (one === undefined) return;
  const { offset, length } = one;
  const others: Record<string, readonly Sent[]> = {
    drop: sent.length > 1 ? [] : [one],
    again: [one, one],
    shift: [{ ...one, offset: offset + 8 }],
    longer: [{ ...one, length: length + 8 }],
    shorter: [{ ...one, length: Math.max(0, length - 8) }],
    odd: [{ ...one, length: length + 3 }],
    end: [{ ...one, more: false }],
    more: [{ ...one, more: true }],
    wait: [{ ...one, wait: 40_000 }],
    beyond: [one, { ...one, offset: 65_528, length: 16, more: false }],
  };
  sent.splice(at, 1, ...(others[change] ?? []));
}

type Three = readonly [Uint8Array, Uint8Array, Uint8Array];

function stateOf({ image }: BareNode): string {
  return octets(image.memory.octets(image.state, image.stateLength));
}

describe("defrag", () => {
  it("puts datagrams together as an oracle does, fragment by fragment", async () => {
    const seen = new Map<string, number>();
    const node = await host();
    let now = 0;
    fc.assert(
      fc.property(SENT, (sent) => {
        now += 1_000_000;
        const oracle = new Reassembly({ wait4: 30_000, wait6: 60_000, distance: 64 });
        for (const { datagram, wait, ...draft } of sent) {
          now += wait;
          const frame = fragmentOf(DATAGRAMS[datagram] as Uint8Array, draft);
          // Such a packet of IPv4 is none.
          if (draft.offset === 0 && !draft.more && frame[12] === 8) continue;
          const fate = oracle.take(frame, now);
          const { verdict, reason, frame: left } = node.one(frame, BRIDGE, now);
          const name = named(fate);
          seen.set(name, (seen.get(name) ?? 0) + 1);
          expect(said(verdict, reason)).toBe(name === "LOOSE" ? "LOCAL NONE" : name);
          if (typeof fate !== "string") expect(octets(left)).toBe(octets(fate.frame));
          else expect(octets(left)).toBe(octets(frame));
        }
      }),
      { numRuns: 400 },
    );
    for (const name of ["HOLD", "LOCAL NONE", "REPEATED", "OVERLAP", "CONFLICT", "LOOSE"])
      expect([name, (seen.get(name) ?? 0) > 10]).toEqual([name, true]);
  });

  it("waits for as long as the node's settings say, from the first fragment on", async () => {
    const sysctls = { "net.ipv4.ipfrag_time": 5, "net.netfilter.nf_conntrack_frag6_timeout": 7 };
    const node = await host(CELLS, sysctls);
    const cases = [
      [DATAGRAMS[0], 5_000],
      [DATAGRAMS[2], 7_000],
    ] as const;
    let now = 0;
    for (const [datagram, wait] of cases) {
      const [first, second, third] = fragmentsOf(datagram as Uint8Array, [200, 8]) as unknown as Three;
      const ask = (frame: Uint8Array, later: number) => node.one(frame, BRIDGE, now + later).verdict;
      expect([ask(first, 0), ask(second, 3_000), ask(third, wait - 1)]).toEqual(["HOLD", "HOLD", "LOCAL"]);
      now += 100_000;
      expect([ask(first, 0), ask(second, 3_000), ask(third, wait)]).toEqual(["HOLD", "HOLD", "HOLD"]);
      now += 100_000;
    }
  });

  it("begins an IPv4 datagram anew once its source has sent too many others in between", async () => {
    const other = udp("10.0.0.7:1", "10.0.0.1:9", { payload: PAYLOAD });
    const foreign = udp("10.0.0.9:1", "10.0.0.1:9", { payload: PAYLOAD });
    const [first, last] = fragmentsOf(DATAGRAMS[0] as Uint8Array, [200]) as unknown as Three;
    const between = (frame: Uint8Array, count: number) =>
      Array.from({ length: count }, (_, id) =>
        fragmentOf(frame, { offset: 0, length: 8, more: true, id: 100 + id }),
      );
    const verdictBehind = async (frames: readonly Uint8Array[]) => {
      const node = await host();
      return node.run([first, ...frames, last], BRIDGE).at(-1)?.verdict;
    };
    expect(await verdictBehind(between(other, 63))).toBe("LOCAL");
    expect(await verdictBehind(between(other, 64))).toBe("HOLD");
    expect(await verdictBehind(between(foreign, 64))).toBe("LOCAL");
  });

  it("counts what the node sends to itself twice, out and in", async () => {
    const [first, last] = fragmentsOf(DATAGRAMS[0] as Uint8Array, [200]) as unknown as Three;
    const verdictBehind = async (datagrams: number) => {
      const between = Array.from({ length: datagrams }, (_, id) =>
        fragmentsOf(udp("10.0.0.7:1", "10.0.0.1:9", { payload: PAYLOAD, id: 100 + id }), [200]),
      );
      const said = (await host()).run([first, ...between.flat(), last], 0);
      expect(said.slice(1, -1).map(({ verdict }) => verdict)).toEqual(
        between.flatMap(() => ["HOLD", "LOCAL"]),
      );
      return said.at(-1)?.verdict;
    };
    expect(await verdictBehind(15)).toBe("LOCAL");
    expect(await verdictBehind(16)).toBe("HOLD");
  });

  it("keeps what leaves the node apart from what comes in", async () => {
    const node = await host();
    const [first, last] = fragmentsOf(DATAGRAMS[0] as Uint8Array, [200]) as unknown as Three;
    expect(node.one(first, BRIDGE).verdict).toBe("HOLD");
    expect(node.one(last, 0).verdict).toBe("HOLD");
    expect(node.one(last, UPLINK).verdict).toBe("LOCAL");
    expect(node.one(first, 0).verdict).toBe("LOCAL");
  });

  it("punts fragments where there is no room for any, and whole datagrams where their slot has none", async () => {
    const [first] = fragmentsOf(DATAGRAMS[0] as Uint8Array, [200]) as unknown as Three;
    expect((await host(0)).one(first, BRIDGE)).toMatchObject({
      verdict: "PUNT",
      reason: "FRAGMENT",
      frame: first,
    });
    // A slot of a usual batch takes frames of 2,048 octets.
    const verdictOf = async (payload: number) => {
      const frames = fragmentsOf(
        udp("10.0.0.7:7", "10.0.0.1:9", { payload: new Uint8Array(payload) }),
        [1_000],
      );
      const { verdict, reason, frame } = (await host()).run(frames, BRIDGE).at(-1) ?? {};
      return [verdict, reason, frame?.length === frames[1]?.length];
    };
    // Behind the frame stand 12 octets and two for each fragment, at a multiple of four.
    expect(await verdictOf(2_048 - 42 - 16)).toEqual(["LOCAL", "NONE", false]);
    expect(await verdictOf(2_048 - 42 - 15)).toEqual(["PUNT", "DATAGRAM_TOO_LONG", true]);
  });

  it("drops fragments beyond its room, until others have waited too long", async () => {
    const node = await host(9);
    const frames = Array.from({ length: 6 }, (_, id) =>
      fragmentOf(DATAGRAMS[0] as Uint8Array, { offset: 0, length: 200, more: true, id }),
    );
    const reasons = node.run(frames, BRIDGE, 1).map(({ reason }) => reason);
    expect(reasons).toEqual([...Array(4).fill("FRAGMENT"), "FRAGMENTS_FULL", "FRAGMENTS_FULL"]);
    expect(node.one(frames[4] as Uint8Array, BRIDGE, 30_000).reason).toBe("FRAGMENTS_FULL");
    expect(node.one(frames[4] as Uint8Array, BRIDGE, 30_001).reason).toBe("FRAGMENT");
  });

  it("says the same one by one, all at once and traced, and leaves the same state", async () => {
    await fc.assert(
      fc.asyncProperty(SENT, async (sent) => {
        const frames = sent.map(({ datagram, wait: _, ...draft }) =>
          fragmentOf(DATAGRAMS[datagram] as Uint8Array, draft),
        );
        const all = await host();
        const single = await host();
        const traced = await BareNode.make({ connections: 4_096, cells: CELLS, build: "trace" });
        traced
          .route("0.0.0.0/0", { kind: "direct", out: UPLINK })
          .route("::/0", { kind: "direct", out: UPLINK });
        traced.route("10.0.0.1/32", { kind: "local" }).route("fd00::1/128", { kind: "local" });
        const said = all.run(frames, BRIDGE, 9);
        expect(frames.map((frame) => single.one(frame, BRIDGE, 9))).toEqual(said);
        expect(frames.map((frame) => traced.one(frame, BRIDGE, 9))).toEqual(said);
        for (const other of [single, traced]) expect(stateOf(other)).toBe(stateOf(all));
      }),
      { numRuns: 30 },
    );
  });

  it("never traps, and never writes beyond its slot, whatever fragments say", async () => {
    const node = await host(200);
    const { machine, address, state } = node.image;
    const batch = node.batch(3, { frameLength: 300 });
    const verdicts = new Set<string>();
    fc.assert(
      fc.property(
        fc.nat(DATAGRAMS.length - 1),
        fc.nat(8_191),
        fc.nat(160),
        fc.boolean(),
        fc.nat(3),
        fc.uint8Array({ maxLength: 6 }),
        fc.nat(70),
        (datagram, unit, length, more, ecn, noise, at) => {
          const near = unit % 4 === 0 ? unit : unit % 24;
          const draft = { offset: near * 8, length, more, ecn, id: unit % 3 };
          const frame = fragmentOf(DATAGRAMS[datagram] as Uint8Array, draft);
          const to = Math.min(at, frame.length);
          if (noise.length > 3) frame.set(noise.subarray(0, frame.length - to), to);
          for (const index of [0, 1, 2]) batch.set(index, frame, BRIDGE);
          const guards = [0, 2].map((index) => octets(batch.frame(index)));
          // Only the one between is run.
          expect(machine.runFrom(address, state, batch.address, 1, 2, 0)).toBe(0);
          verdicts.add(batch.verdict(1));
          expect([0, 2].map((index) => octets(batch.frame(index)))).toEqual(guards);
        },
      ),
      { numRuns: 3_000 },
    );
    expect([...verdicts]).toEqual(expect.arrayContaining(["HOLD", "DROP", "LOCAL"]));
  });
});

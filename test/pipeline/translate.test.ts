import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOOK_NAT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  TARGET_DNAT,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { frame } from "../../src/packet/build.js";
import { BareNode, type Result } from "../bare-node.js";
import { BALANCED, nodeOf, PODS, SERVERS } from "../express/node.js";
import { opened, runAll, stateOf } from "../express/runs.js";

const [CLIENT, VIP, NODE, POD] = ["10.0.0.7", "10.96.0.10", "172.18.0.2", "10.244.2.9"];
const FLOWS = 20;

interface Segment {
  readonly isUdp: boolean;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly ttl?: number;
  readonly tos?: number;
  readonly flags?: string;
  readonly payload?: Uint8Array;
  readonly unsummed?: boolean;
}

function build({
  isUdp,
  src,
  srcPort,
  dst,
  dstPort,
  ttl = 64,
  tos = 0,
  flags = "A",
  ...rest
}: Segment): Uint8Array {
  const ip = frame().eth().ip4({ src, dst, ttl, tos });
  const checksum = rest.unsummed === true ? { checksum: 0 } : {};
  const layered = isUdp ? ip.udp({ srcPort, dstPort, ...checksum }) : ip.tcp({ srcPort, dstPort, flags });
  return layered.payload(rest.payload ?? new Uint8Array(0)).bytes();
}

/** A way of a flow's packets: as they come, and with the ends that the connection has for them. */
interface Way {
  readonly comes: Segment;
  readonly leaves: Segment;
}

/** A node that opened connections to a Service, with a Pod behind it and masqueraded: its packets both ways. */
async function connected(): Promise<{ readonly node: BareNode; readonly ways: readonly Way[] }> {
  const node = (await BareNode.make({ connections: 64 }))
    .route("0.0.0.0/0", { kind: "direct", out: 2, source: NODE })
    .chain(0, new RuleDraft().target(TARGET_DNAT, 0x0af40209, 8080))
    .chain(1, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
    .hook(HOOK_PREROUTING, 0, HOOK_NAT)
    .hook(HOOK_POSTROUTING, 1, HOOK_NAT);
  const ways: Way[] = [];
  for (let flow = 0; flow < FLOWS; flow++) {
    const isUdp = flow % 3 === 0;
    const [srcPort, dstPort] = [40000 + flow, isUdp ? 53 : 80];
    const there = { isUdp, src: CLIENT, srcPort, dst: VIP, dstPort };
    const back = { isUdp, src: POD, srcPort: 8080, dst: NODE, dstPort: srcPort };
    expect(node.one(build({ ...there, flags: "S" })).verdict).toBe("FORWARD");
    expect(node.one(build({ ...back, flags: "SA" })).verdict).toBe("FORWARD");
    expect(node.one(build(there)).verdict).toBe("FORWARD");
    ways.push({ comes: there, leaves: { ...there, src: NODE, dst: POD, dstPort: 8080 } });
    ways.push({ comes: back, leaves: { ...back, src: VIP, srcPort: dstPort, dst: CLIENT } });
  }
  return { node, ways };
}

const details = fc.record({
  ttl: fc.integer({ min: 1, max: 255 }),
  tos: fc.nat(255),
  payload: fc.uint8Array({ maxLength: 40 }),
  unsummed: fc.boolean(),
  flags: fc.constantFrom("A", "A", "PA"),
  way: fc.nat(2 * FLOWS - 1),
  isStranger: fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 0),
});

function expectFrame(result: Result | undefined, octets: Uint8Array): void {
  expect(Buffer.from(result?.frame ?? []).equals(octets)).toBe(true);
}

describe("translate", () => {
  it("gives packets of connections their tuple and nothing else, and leaves the others, in any mix", async () => {
    const { node, ways } = await connected();
    const property = fc.property(fc.array(details, { minLength: 1, maxLength: 70 }), (drawn) => {
      const pairs = drawn.map(({ way, isStranger, ...rest }) => {
        const { comes, leaves } = ways[way] as Way;
        const to = isStranger ? { ...comes, srcPort: 1 } : leaves;
        return {
          comes: { ...comes, ...rest, ...(isStranger ? { srcPort: 1 } : {}) },
          leaves: { ...to, ...rest },
          isStranger,
        };
      });
      const results = node.translate(pairs.map(({ comes }) => build(comes)));
      for (const [index, { leaves, isStranger }] of pairs.entries()) {
        const result = results[index];
        expect(result?.verdict).toBe(isStranger ? "PUNT" : "FORWARD");
        expect(result?.reason).toBe(isStranger ? "NO_CONNECTION" : "NONE");
        expect(result?.connection === 0).toBe(isStranger);
        expectFrame(result, build(leaves));
      }
    });
    fc.assert(property, { numRuns: 200 });
  });

  it("moves connections on: what an RST or time ends is none for the packets behind it", async () => {
    const { node, ways } = await connected();
    const { comes, leaves } = ways[2] as Way;
    const burst = ["A", "R", "S", "A"].map((flags) => build({ ...comes, flags }));
    const results = node.translate(burst);
    // After its own RST an end may open again: that SYN is of no connection, and begins none here.
    expect(results.map(({ verdict }) => verdict)).toEqual(["FORWARD", "FORWARD", "PUNT", "PUNT"]);
    expectFrame(results[1], build({ ...leaves, flags: "R" }));
    expectFrame(results[3], build(comes));
    const later = ways[4] as Way;
    const [kept] = node.translate([build(later.comes)], 400_000_000);
    expect(kept?.verdict).toBe("FORWARD");
    const [still] = node.translate([build(later.comes)], 800_000_000);
    expect(still?.verdict).toBe("FORWARD");
    const [over] = node.translate([build(later.comes)], 800_000_000 + 432_000_001);
    expect(over).toMatchObject({ verdict: "PUNT", reason: "NO_CONNECTION" });
  });

  it("leaves IPVS' connections as the way of all packets does, whether it knows them yet or not", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const opening = (["TCP", "UDP"] as const).flatMap((protocol) => opened(BALANCED, protocol));
    const segment = fc.record({
      isUdp: fc.boolean(),
      answers: fc.boolean(),
      flags: fc.constantFrom("A", "A", "A", "A", "FA", "R", "S"),
      payload: fc.uint8Array({ maxLength: 40 }),
    });
    const [client, server] = [`${PODS[0]}:4000`, SERVERS[BALANCED]].map((end = "") => end.split(":"));
    const octetsOf = ({ answers, ...rest }: typeof segment extends fc.Arbitrary<infer T> ? T : never) => {
      const [from = [], to = []] = answers ? [server, client] : [client, [BALANCED, "80"]];
      return build({
        src: `${from[0]}`,
        srcPort: Number(from[1]),
        dst: `${to[0]}`,
        dstPort: Number(to[1]),
        ...rest,
      });
    };
    let now = 0;
    const property = fc.property(fc.array(segment, { minLength: 1, maxLength: 20 }), (drawn) => {
      now += 1000;
      for (const node of [run, trace]) runAll(node, [opening], false, now);
      const frames = drawn.map(octetsOf);
      expect(run.translate(frames, now)).toEqual(trace.translate(frames, now));
      expect(stateOf(run)).toBe(stateOf(trace));
    });
    fc.assert(property, { numRuns: 60 });
  });
});

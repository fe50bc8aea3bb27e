import { describe, expect, it } from "vitest";
import { HOOK_INPUT, HOOK_IP6, TARGET_ACCEPT, TARGET_DROP, TARGET_REJECT } from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { frame, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { BareNode } from "../bare-node.js";
import { type FragmentDraft, fragmentsOf } from "../fragments-of.js";
import { Reassembly } from "../oracle/reassembly.js";

const BRIDGE = 1;
const UPLINK = 2;
const TUNNEL = 3;
const UNLIMITED = { wait4: 1e6, wait6: 1e6, distance: 1e6 };

async function router(): Promise<BareNode> {
  return (await BareNode.make({ connections: 256, cells: 4_096 }))
    .route("10.1.0.0/16", { kind: "direct", out: UPLINK, mtu: 1_500 })
    .route("10.2.0.0/16", { kind: "direct", out: UPLINK, mtu: 600 })
    .route("10.3.0.0/16", {
      kind: "vxlan",
      out: TUNNEL,
      leave: UPLINK,
      mtu: 1_450,
      vni: 1,
      port: 8_472,
      outerSrc: "172.18.0.2",
      outerDst: "172.18.0.3",
    })
    .route("fd01::/64", { kind: "direct", out: UPLINK, mtu: 1_500 })
    .route("fd02::/64", { kind: "direct", out: UPLINK, mtu: 1_280 });
}

/** What leaves after these frames, the last one's packet in its fragments. */
function leaving(
  node: BareNode,
  frames: readonly Uint8Array[],
  { frameLength = 20_000, from = BRIDGE } = {},
) {
  const batch = node.batch(frames.length, { frameLength });
  for (const [index, one] of frames.entries()) batch.set(index, one, from);
  const { machine, address, state } = node.image;
  expect(machine.run(address, state, batch.address, frames.length, 0)).toBe(0);
  const last = frames.length - 1;
  const [verdict, reason] = [batch.verdict(last), batch.reason(last)];
  return { verdict, reason, frame: batch.frame(last).slice(), frames: batch.leaving(last) };
}

const ipOf = (octets: Uint8Array, at = 14) => new DataView(octets.buffer, octets.byteOffset + at);
/** `offset+length`, with what a fragment says beside: more, DF. */
function shapeOf(octets: Uint8Array): string {
  const ip = ipOf(octets);
  if (octets[12] === 0x86) {
    if (ip.getUint8(6) !== 44) return "whole";
    const word = ip.getUint16(42);
    return `${word & ~7}+${ip.getUint16(4) - 8}${word & 1 ? "+" : ""}`;
  }
  const word = ip.getUint16(6);
  if ((word & 0x3fff) === 0) return "whole";
  const header = (ip.getUint8(0) & 15) * 4;
  const flags = `${word & 0x2000 ? "+" : ""}${word & 0x4000 ? " DF" : ""}`;
  return `${(word & 0x1fff) * 8}+${ip.getUint16(2) - header}${flags}`;
}

const octetsOf = (count: number) => Uint8Array.from({ length: count }, (_, index) => index * 13);

/** An IPv4 datagram without DF. */
function datagram(to: string, payload: number): Uint8Array {
  return frame()
    .eth({})
    .ip4({ src: "10.0.0.7", dst: to, df: false, id: 77 })
    .udp({ srcPort: 7, dstPort: 9 })
    .payload(octetsOf(payload))
    .bytes();
}

/** The datagram that fragments come to. */
function joined(frames: readonly Uint8Array[]): Uint8Array | undefined {
  const oracle = new Reassembly(UNLIMITED);
  const fate = frames.map((one) => oracle.take(one, 0)).at(-1);
  return typeof fate === "object" ? fate.frame : undefined;
}

describe("parts", () => {
  it("cuts what is larger than the way takes, and may be cut", async () => {
    const node = await router();
    const { verdict, frame: whole, frames } = leaving(node, [datagram("10.2.0.1", 1_300)]);
    expect(verdict).toBe("FORWARD");
    expect(frames.map(shapeOf)).toEqual(["0+576+", "576+576+", "1152+156"]);
    expect(joined(frames)).toEqual(whole);
    for (const one of frames) expect(verifyChecksums(one).ip).toBe("good");
  });

  it.each<[string, readonly number[], Partial<FragmentDraft>, string, readonly string[]]>([
    ["as they came", [8, 400, 64], {}, "10.1.0.1", ["0+8+", "8+400+", "408+64+", "472+836"]],
    ["as they came, without DF", [800], { df: true }, "10.1.0.1", ["0+800+", "800+508"]],
    ["smaller, with DF", [400, 800], { df: true }, "10.3.0.1", ["0+800+ DF", "800+508 DF"]],
    ["no larger than the largest", [408, 304], {}, "10.2.0.1", ["0+576+", "576+576+", "1152+156"]],
  ])("sends what came in fragments in such: %s", async (_, lengths, more, to, expected) => {
    const node = await router();
    const came = fragmentsOf(datagram(to, 1_300), lengths, more);
    const { verdict, frame: whole, frames } = leaving(node, came);
    expect(verdict).toBe("FORWARD");
    const outer = to.startsWith("10.3") ? 50 : 0;
    const inner = frames.map((one) => one.subarray(outer));
    expect(inner.map(shapeOf)).toEqual(expected);
    expect(joined(inner)?.subarray(34)).toEqual(whole.subarray(outer + 34));
    for (const one of frames) expect(verifyChecksums(one).ip).toBe("good");
  });

  it("cuts TCP anew whose first fragment ended within its header, unless the node made it", async () => {
    const whole = tcp("10.0.0.7:1", "10.1.0.1:2", { payload: octetsOf(80) });
    const shapesOf = async (lengths: readonly number[], from: number) => {
      const { frames } = leaving(await router(), fragmentsOf(whole, lengths), { from });
      return frames.map(shapeOf).join(" ");
    };
    expect(await shapesOf([8, 64], BRIDGE)).toBe("0+64+ 64+36");
    expect(await shapesOf([16, 64], UPLINK)).toBe("0+64+ 64+36");
    expect(await shapesOf([24, 64], BRIDGE)).toBe("0+24+ 24+64+ 88+12");
    expect(await shapesOf([8, 64], 0)).toBe("0+8+ 8+64+ 72+28");
  });

  it("sends each fragment through a tunnel by itself, with an identification of its own", async () => {
    const node = await router();
    const { frames } = leaving(node, [datagram("10.3.0.1", 4_000)]);
    expect(frames.map((one) => shapeOf(one.subarray(50)))).toEqual(["0+1424+", "1424+1424+", "2848+1160"]);
    const next = leaving(node, [datagram("10.3.0.1", 9)]).frames;
    const ids = [...frames, ...next].map((one) => ipOf(one).getUint16(4));
    expect(ids.map((id) => id - (ids[0] ?? 0))).toEqual([0, 1, 2, 3]);
    for (const one of frames) expect(verifyChecksums(one)).toMatchObject({ ip: "good", l4: "good" });
  });

  it("refuses a datagram whose fragments with DF were larger than the way takes, and no other", async () => {
    const node = await router();
    const came = (df: boolean) => fragmentsOf(datagram("10.2.0.1", 1_300), [800], { df });
    expect(leaving(node, came(true))).toMatchObject({ verdict: "DROP", reason: "FRAGMENTATION_NEEDED" });
    expect(leaving(node, came(false)).verdict).toBe("FORWARD");
  });

  it("sends IPv6 whole if none of its fragments was smaller, or else as they came, under one identification", async () => {
    const node = await router();
    const packet = udp("[fd00::7]:7", "[fd01::1]:9", { payload: octetsOf(1_300) });
    const atomic = leaving(node, fragmentsOf(packet, []));
    expect(atomic.frames.map(shapeOf)).toEqual(["whole"]);
    expect(atomic.frame.length).toBe(packet.length);
    const { frames } = leaving(node, fragmentsOf(packet, [64, 8]));
    expect(frames.map(shapeOf)).toEqual(["0+64+", "64+8+", "72+1236"]);
    const ids = new Set(frames.map((one) => ipOf(one).getUint32(44)));
    expect([ids.size, ids.has(0)]).toEqual([1, false]);
    const large = udp("[fd00::7]:7", "[fd02::1]:9", { payload: octetsOf(2_000) });
    expect(leaving(node, fragmentsOf(large, [1_400]))).toMatchObject({ reason: "FRAGMENTATION_NEEDED" });
    expect(leaving(node, fragmentsOf(large, [1_224])).frames.map(shapeOf)).toEqual(["0+1224+", "1224+784"]);
    expect(leaving(node, [large])).toMatchObject({ reason: "FRAGMENTATION_NEEDED" });
  });

  it("asks rules of each fragment of IPv6 that the node sends to itself, and rejects none aloud", async () => {
    const frames = fragmentsOf(udp("[fd00::1]:7", "[fd00::1]:9", { payload: octetsOf(300) }), [64]);
    const verdictWith = async (...rules: readonly RuleDraft[]) => {
      const node = (await router()).route("fd00::1/128", { kind: "local" });
      node.chain(0, ...rules).hook(HOOK_IP6 + HOOK_INPUT, 0);
      const { verdict, reason } = leaving(node, frames, { from: 0 });
      return `${verdict} ${reason}`;
    };
    const [accept, drop, reject] = [TARGET_ACCEPT, TARGET_DROP, TARGET_REJECT];
    const all = (target: number) => new RuleDraft().target(target);
    const port = (target: number) => new RuleDraft().dport(9, 9, false).target(target);
    expect(await verdictWith(port(accept))).toBe("LOCAL NONE");
    expect(await verdictWith(port(accept), all(drop))).toBe("DROP RULE");
    expect(await verdictWith(port(drop))).toBe("DROP RULE");
    expect(await verdictWith(port(reject))).toBe("DROP RULE");
    expect(await verdictWith(all(accept), all(drop))).toBe("LOCAL NONE");
  });

  it("punts what is to be cut where its slot has no room to say how", async () => {
    const node = await router();
    // 12 octets and two for each of four fragments, behind a frame of 2,042.
    expect(leaving(node, [datagram("10.2.0.1", 1_984)], { frameLength: 2_048 })).toMatchObject({
      verdict: "FORWARD",
    });
    expect(leaving(node, [datagram("10.2.0.1", 1_988)], { frameLength: 2_048 })).toMatchObject({
      verdict: "PUNT",
      reason: "NEEDS_FRAGMENTING",
    });
  });

  it("says nothing of fragments where a packet leaves whole", async () => {
    const node = await router();
    const { frames, frame: left } = leaving(node, [tcp("10.0.0.7:1", "10.1.0.1:2")]);
    expect(frames).toEqual([left]);
  });
});

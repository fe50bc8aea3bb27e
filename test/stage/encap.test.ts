import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BATCH_SLOTS, SLOT_HEADROOM } from "../../assembly/abi/packet.js";
import { VXLAN_OUTER_LEN } from "../../assembly/abi/wire.js";
import { frame, tcp, udp } from "../../src/packet/build.js";
import { BareNode, type Hop } from "../bare-node.js";

const [BRIDGE, UPLINK, TUNNEL] = [1, 2, 3];
const ENDS = { outerSrc: "172.18.0.2", outerDst: "172.18.0.3" };
const OUTER_MACS = { dst: "02:42:ac:12:00:03", src: "02:42:ac:12:00:02" };
const INNER_MACS = { dstMac: "0e:f1:0a:f4:02:00", srcMac: "0e:f1:0a:f4:01:00" };
const TUNNEL_HOP: Hop = {
  kind: "vxlan",
  out: TUNNEL,
  leave: UPLINK,
  mtu: 1450,
  vni: 1,
  port: 8472,
  ...ENDS,
  ...INNER_MACS,
  outerDstMac: OUTER_MACS.dst,
  outerSrcMac: OUTER_MACS.src,
};

async function nodeOf(hop: Partial<Hop> = {}): Promise<BareNode> {
  const node = await BareNode.make({ connections: 4096 });
  return node.route("10.244.2.0/24", { ...TUNNEL_HOP, ...hop });
}

interface Outer {
  readonly id: number;
  readonly srcPort: number;
}

function outerOf(left: Uint8Array): Outer {
  const view = new DataView(left.buffer, left.byteOffset);
  return { id: view.getUint16(18), srcPort: view.getUint16(34) };
}

/** What Linux puts around an inner frame (linux-observed): TTL 64, DF clear, ECN but no DSCP, a valid UDP checksum. */
function expected(inner: Uint8Array, ecn: number, { id, srcPort }: Outer): Uint8Array {
  return frame()
    .eth(OUTER_MACS)
    .ip4({ src: ENDS.outerSrc, dst: ENDS.outerDst, ttl: 64, df: false, tos: ecn, id })
    .udp({ srcPort, dstPort: 8472 })
    .vxlan({ vni: 1 })
    .payload(inner)
    .bytes();
}

/** By the inner ECN field: CE is not copied, the tunnel is not congested yet (RFC 3168 §9.1.1). */
const OUTER_ECN = [0, 1, 2, 2];

describe("encap", () => {
  it("puts exactly the headers of Linux' VXLAN around the frame", async () => {
    const node = await nodeOf();
    const property = fc.property(
      fc.nat(255),
      fc.integer({ min: 2, max: 255 }),
      fc.nat(1382),
      fc.integer({ min: 1, max: 65535 }),
      (tos, ttl, payload, port) => {
        const ends = [`10.244.1.7:${port}`, "10.244.2.9:8080"] as const;
        const { verdict, out, frame: left } = node.one(udp(...ends, { tos, ttl, payload }), BRIDGE);
        expect([verdict, out]).toEqual(["FORWARD", UPLINK]);
        const inner = udp(...ends, { tos, ttl: ttl - 1, payload, ...INNER_MACS });
        expect(Buffer.from(left).equals(expected(inner, OUTER_ECN[tos & 3] ?? 0, outerOf(left)))).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it("gives each flow one source port of Linux' local range, and spreads flows over it", async () => {
    const node = await nodeOf();
    const ports = Array.from({ length: 2000 }, (_, index) => {
      const ends = [`10.244.1.7:${1024 + index}`, "10.244.2.9:8080"] as const;
      const [first, second] = node.run(
        [tcp(...ends), tcp(...ends, { flags: "A", payload: 100, tos: 0xb8 })],
        BRIDGE,
      );
      const { srcPort } = outerOf(first?.frame ?? new Uint8Array());
      expect(outerOf(second?.frame ?? new Uint8Array()).srcPort).toBe(srcPort);
      return srcPort;
    });
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(32768);
    expect(Math.max(...ports)).toBeLessThanOrEqual(60999);
    expect(new Set(ports).size).toBeGreaterThan(1850);
    // Each eighth of the range takes its part: 250, with a standard deviation of 15.
    for (let part = 0; part < 8; part++) {
      const within = ports.filter((port) => Math.floor(((port - 32768) * 8) / 28232) === part);
      expect(Math.abs(within.length - 250)).toBeLessThan(80);
    }
  });

  it("numbers outer packets one after another", async () => {
    const node = await nodeOf();
    const ids = [0, 1, 2].map(() => outerOf(node.one(udp("10.244.1.7:7", "10.244.2.9:7")).frame).id);
    expect(ids.map((id) => (id - (ids[0] ?? 0)) & 0xffff)).toEqual([0, 1, 2]);
  });

  it("leaves the outer UDP checksum 0 where the device says so", async () => {
    const { frame: left } = (await nodeOf({ noUdpChecksum: true })).one(udp("10.244.1.7:7", "10.244.2.9:7"));
    expect([...left.subarray(40, 42)]).toEqual([0, 0]);
  });

  it("measures the inner packet against the tunnel's MTU", async () => {
    const node = await nodeOf();
    const sized = (total: number) => udp("10.244.1.7:7", "10.244.2.9:7", { payload: total - 28 });
    expect(node.one(sized(1450)).frame.length).toBe(1450 + 14 + 50);
    expect(node.one(sized(1451))).toMatchObject({ verdict: "DROP", reason: "FRAGMENTATION_NEEDED" });
  });

  it("needs 50 octets of headroom, and writes into no more", async () => {
    const node = await nodeOf();
    const sent = udp("10.244.1.7:7", "10.244.2.9:7", { payload: 9 });
    const verdicts = [VXLAN_OUTER_LEN - 1, VXLAN_OUTER_LEN].map((headroom) => {
      const batch = node.batch(1);
      const slot = new DataView(batch.octets.buffer, batch.octets.byteOffset).getUint32(BATCH_SLOTS, true);
      batch.octets.fill(0xa5, slot);
      batch.set(0, sent, BRIDGE);
      batch.octets.copyWithin(slot + headroom, slot + SLOT_HEADROOM, slot + SLOT_HEADROOM + sent.length);
      batch.frames[0] = slot + headroom;
      node.image.machine.run(node.image.address, node.image.state, batch.address, 1, 0);
      return [batch.verdict(0), batch.reason(0), batch.frames[0] - slot];
    });
    expect(verdicts).toEqual([
      ["DROP", "NO_HEADROOM", VXLAN_OUTER_LEN - 1],
      ["FORWARD", "NONE", 0],
    ]);
  });
});

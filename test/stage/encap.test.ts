import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NEXT_HOP_ENTRY_LEN, NEXT_HOP_KIND, NEXT_HOP_OPTIONS_LEN } from "../../assembly/abi/entry.js";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../assembly/abi/image.js";
import { BATCH_SLOTS, ENCAP_HEADROOM, SLOT_HEADROOM } from "../../assembly/abi/packet.js";
import { frame, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import type { Frame } from "../../src/packet/frame.js";
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

/** OVN's option: class 0x0102, type 0x80 (critical), logical ports 1 and 2. */
const OVN_OPTION = [0x01, 0x02, 0x80, 0x01, 0x00, 0x01, 0x00, 0x02];
const LONG_OPTIONS = [0x01, 0x32, 0x01, 0x04, ...Array(16).fill(0xa5), 0x01, 0x32, 0x02, 0x01, 1, 2, 3, 4];

interface Shape {
  readonly name: string;
  readonly hop: Partial<Hop>;
  readonly outer: number;
  /** Outer source ports. */
  readonly ports: readonly [first: number, last: number];
  /** The headers behind UDP. */
  readonly tunnel: (outer: Frame) => Frame;
}

function geneve(name: string, options: readonly number[], critical: boolean): Shape {
  return {
    name,
    hop: { kind: "geneve", vni: 0x12345, port: 6081, options },
    outer: 50 + options.length,
    ports: [1, 65534],
    tunnel: (outer) => outer.geneve({ vni: 0x12345, options: Uint8Array.from(options), critical }),
  };
}

const SHAPES: readonly Shape[] = [
  { name: "VXLAN", hop: {}, outer: 50, ports: [32768, 60999], tunnel: (outer) => outer.vxlan({ vni: 1 }) },
  geneve("Geneve", [], false),
  geneve("Geneve with OVN's option", OVN_OPTION, true),
  geneve("Geneve with 28 octets of options", LONG_OPTIONS, false),
];

/** What Linux puts around an inner frame (linux-observed): TTL 64, DF clear, ECN but no DSCP, a valid UDP checksum. */
function expected(
  inner: Uint8Array,
  ecn: number,
  { id, srcPort }: Outer,
  shape: Shape,
  df = false,
): Uint8Array {
  const outer = frame()
    .eth(OUTER_MACS)
    .ip4({ src: ENDS.outerSrc, dst: ENDS.outerDst, ttl: 64, df, tos: ecn, id })
    .udp({ srcPort, dstPort: shape.hop.port ?? 8472 });
  return shape.tunnel(outer).payload(inner).bytes();
}

/** By the inner ECN field: CE is not copied, the tunnel is not congested yet (RFC 3168 §9.1.1). */
const OUTER_ECN = [0, 1, 2, 2];

describe("encap", () => {
  it.each(SHAPES)("puts exactly the headers of Linux' $name around the frame", async (shape) => {
    for (const whole of [false, true]) {
      const node = await nodeOf({ ...shape.hop, whole });
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
          const built = expected(inner, OUTER_ECN[tos & 3] ?? 0, outerOf(left), shape, whole);
          expect(Buffer.from(left).equals(built)).toBe(true);
          expect(left.length).toBe(inner.length + shape.outer);
        },
      );
      fc.assert(property, { numRuns: 150 });
    }
  });

  it.each(SHAPES)(
    "gives each flow one source port of $name's range, and spreads flows over it",
    async (shape) => {
      const node = await nodeOf(shape.hop);
      const [low, high] = shape.ports;
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
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...ports)).toBeLessThanOrEqual(high);
      expect(new Set(ports).size).toBeGreaterThan(1850);
      // Each eighth of the range takes its part: 250, with a standard deviation of 15.
      for (let part = 0; part < 8; part++) {
        const within = ports.filter((port) => Math.floor(((port - low) * 8) / (high - low + 1)) === part);
        expect(Math.abs(within.length - 250)).toBeLessThan(80);
      }
    },
  );

  it("numbers outer packets one after another", async () => {
    const node = await nodeOf();
    const ids = [0, 1, 2].map(() => outerOf(node.one(udp("10.244.1.7:7", "10.244.2.9:7")).frame).id);
    expect(ids.map((id) => (id - (ids[0] ?? 0)) & 0xffff)).toEqual([0, 1, 2]);
  });

  it.each(SHAPES)("leaves $name's outer UDP checksum 0 where the device says so", async (shape) => {
    const node = await nodeOf({ ...shape.hop, noUdpChecksum: true });
    const { frame: left } = node.one(udp("10.244.1.7:7", "10.244.2.9:7"));
    expect([...left.subarray(40, 42)]).toEqual([0, 0]);
    expect(verifyChecksums(left)).toMatchObject({ ip: "good", l4: "absent" });
  });

  it("never sends an outer UDP checksum of 0: a sum that comes to it is all ones", async () => {
    const node = await nodeOf();
    const sent = (word: number) =>
      frame()
        .eth()
        .ip4({ src: "10.244.1.7", dst: "10.244.2.9" })
        .udp({ srcPort: 7, dstPort: 7, checksum: 0 })
        .payload(Uint8Array.of(word >> 8, word & 255))
        .bytes();
    const checksumOf = (left: Uint8Array) => new DataView(left.buffer, left.byteOffset).getUint16(40);
    // A word that makes the sum all ones: what it lacks is the checksum.
    const lacking = checksumOf(node.one(sent(0), BRIDGE).frame);
    expect(lacking).not.toBe(0xffff);
    const { frame: left } = node.one(sent(lacking), BRIDGE);
    expect(checksumOf(left)).toBe(0xffff);
    expect(verifyChecksums(left).l4).toBe("good");
  });

  it("refuses next hops of no kind, and Geneve options that are not whole", async () => {
    const { image } = await BareNode.make();
    const set = (kind: number, length: number, options: readonly number[] = []) => {
      const words = new Uint32Array(NEXT_HOP_ENTRY_LEN / 4);
      words.set([kind], NEXT_HOP_KIND / 4);
      words.set([length], NEXT_HOP_OPTIONS_LEN / 4);
      new Uint8Array(words.buffer).set(options, NEXT_HOP_OPTIONS_LEN + 4);
      return image.withWords(words, (at) => image.machine.nextHopSet(image.address, 0, at));
    };
    const statuses = [
      set(5, 0),
      set(4, 3),
      set(4, 32),
      set(4, 0xfffffffc),
      // An option of two words in one, and of three in two.
      set(4, 4, [1, 2, 3, 1]),
      set(4, 8, [1, 2, 3, 2]),
    ];
    expect(statuses).toEqual(statuses.map(() => STATUS_BAD_ENTRY));
    expect([set(4, 8, OVN_OPTION), set(4, 28, LONG_OPTIONS), set(4, 0)]).toEqual([
      STATUS_OK,
      STATUS_OK,
      STATUS_OK,
    ]);
  });

  it("measures the inner packet against the tunnel's MTU", async () => {
    const node = await nodeOf();
    const sized = (total: number) => udp("10.244.1.7:7", "10.244.2.9:7", { payload: total - 28 });
    expect(node.one(sized(1450)).frame.length).toBe(1450 + 14 + 50);
    expect(node.one(sized(1451))).toMatchObject({ verdict: "DROP", reason: "FRAGMENTATION_NEEDED" });
  });

  it.each(SHAPES)("needs 80 octets of headroom for $name, and writes into no more", async (shape) => {
    const node = await nodeOf(shape.hop);
    const sent = udp("10.244.1.7:7", "10.244.2.9:7", { payload: 9 });
    const verdicts = [ENCAP_HEADROOM - 1, ENCAP_HEADROOM].map((headroom) => {
      const batch = node.batch(2);
      const slot =
        new DataView(batch.octets.buffer, batch.octets.byteOffset).getUint32(BATCH_SLOTS, true) +
        batch.stride;
      batch.octets.fill(0xa5, slot - batch.stride);
      batch.set(1, sent, BRIDGE);
      batch.octets.copyWithin(slot + headroom, slot + SLOT_HEADROOM, slot + SLOT_HEADROOM + sent.length);
      batch.frames[1] = slot + headroom;
      node.image.machine.run(node.image.address, node.image.state, batch.address, 2, 0);
      expect(batch.octets.subarray(slot - batch.stride, slot).every((octet) => octet === 0xa5)).toBe(true);
      return [batch.verdict(1), batch.reason(1), batch.frames[1] - slot];
    });
    expect(verdicts).toEqual([
      ["DROP", "NO_HEADROOM", ENCAP_HEADROOM - 1],
      ["FORWARD", "NONE", ENCAP_HEADROOM - shape.outer],
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CTSTATE_INVALID, HOOK_FORWARD, MATCH_CTSTATE, TARGET_DROP } from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY, STATUS_BAD_ENTRY, STATUS_OK } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { UdpFields } from "../../src/packet/encode-transport.js";
import type { GeneveOptions } from "../../src/packet/frame.js";
import { BareNode, type Hop } from "../bare-node.js";

const [BRIDGE, UPLINK, TUNNEL] = [1, 2, 3];
const POD_MACS = { dstMac: "0a:58:0a:f4:01:09", srcMac: "0a:58:0a:f4:01:01" };

async function receiver(): Promise<BareNode> {
  return (await BareNode.make())
    .route("0.0.0.0/0", { kind: "direct", out: UPLINK })
    .route("10.244.1.0/24", { kind: "direct", out: BRIDGE, bridge: true, ...POD_MACS })
    .route("172.18.0.2/32", { kind: "local" })
    .vxlan(8472, 7, TUNNEL)
    .vxlan(8472, 9, TUNNEL + 1)
    .vxlan(4790, 7, TUNNEL + 2)
    .geneve(6081, 7, TUNNEL + 3)
    .geneve(6081, 0xffffff, TUNNEL + 4)
    .flags(IMAGE_FLAG_VERIFY);
}

/** VXLAN's and Geneve's outer headers around the same frame. */
interface Tunnel {
  readonly geneve?: Partial<GeneveOptions>;
  readonly vni?: number;
  readonly flags?: number;
  readonly dst?: string;
  readonly udp?: Partial<UdpFields>;
}

function tunnelled(
  inner: Uint8Array,
  { vni = 7, flags = 8, dst = "172.18.0.2", udp: fields = {}, geneve }: Tunnel = {},
): Uint8Array {
  const outer = frame()
    .eth({})
    .ip4({ src: "172.18.0.3", dst })
    .udp({ srcPort: 40000, dstPort: geneve === undefined ? 8472 : 6081, ...fields });
  const whole = geneve === undefined ? outer.vxlan({ vni, flags }) : outer.geneve({ vni: 7, ...geneve });
  return whole.payload(inner).bytes();
}

/** Options of so many words that are not critical: one a word. */
const options = (words: number): Uint8Array =>
  Uint8Array.from({ length: words * 4 }, (_, at) => [1, 2, 3, 0][at % 4] ?? 0);

const INNER = tcp("10.244.2.7:41000", "10.244.1.9:80", { ttl: 63 });

describe("decap", () => {
  it("takes the outer headers off, whatever is inside; the packet goes on from the tunnel", async () => {
    const node = await receiver();
    const property = fc.property(
      fc.nat(255),
      fc.integer({ min: 2, max: 255 }),
      fc.nat(1200),
      fc.nat(60),
      fc.option(fc.nat(63), { nil: undefined }),
      (tos, ttl, payload, padding, words) => {
        const ends = ["10.244.2.7:41000", "10.244.1.9:8080"] as const;
        const geneve = words === undefined ? {} : { geneve: { options: options(words) } };
        const outer = tunnelled(udp(...ends, { tos, ttl, payload }), geneve);
        const padded = new Uint8Array(outer.length + padding);
        padded.set(outer);
        const result = node.one(padded, UPLINK);
        expect(result).toMatchObject({
          verdict: "FORWARD",
          out: BRIDGE,
          in: words === undefined ? TUNNEL : TUNNEL + 3,
        });
        expect(
          Buffer.from(result.frame).equals(udp(...ends, { tos, ttl: ttl - 1, payload, ...POD_MACS })),
        ).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it.each<[string, Tunnel, string, string]>([
    ["another VNI", { vni: 8 }, "DROP", "UNKNOWN_VNI"],
    ["no I flag", { flags: 0 }, "DROP", "UNKNOWN_VNI"],
    ["flags that are reserved", { flags: 0xff }, "DROP", "TUNNEL_HEADER"],
    ["another UDP port", { udp: { dstPort: 4789 } }, "LOCAL", "NONE"],
    ["another node's address", { dst: "172.18.0.4" }, "FORWARD", "NONE"],
    ["a wrong outer checksum", { udp: { checksum: 0x1234 } }, "DROP", "BAD_CHECKSUM"],
    ["no outer checksum", { udp: { checksum: 0 } }, "FORWARD", "NONE"],
    ["a UDP length without room for a frame", { udp: { length: 8 + 8 + 13 } }, "DROP", "TRUNCATED"],
    [
      "a UDP length that cuts the inner packet",
      { udp: { length: 8 + 8 + INNER.length - 1, checksum: 0 } },
      "DROP",
      "TRUNCATED",
    ],
    ["Geneve with another VNI", { geneve: { vni: 8 } }, "DROP", "UNKNOWN_VNI"],
    ["Geneve without options", { geneve: {} }, "FORWARD", "NONE"],
    ["Geneve of another version", { geneve: { version: 1 } }, "DROP", "TUNNEL_HEADER"],
    ["Geneve around an IPv4 packet", { geneve: { type: 0x0800 } }, "DROP", "TUNNEL_HEADER"],
    ["a Geneve control message", { geneve: { control: true } }, "DROP", "TUNNEL_CONTROL"],
    [
      "Geneve with critical options",
      { geneve: { critical: true, options: Uint8Array.of(1, 2, 0x80, 0) } },
      "DROP",
      "TUNNEL_OPTION",
    ],
    [
      "Geneve with options to the frame's end",
      { geneve: { options: options(4) }, udp: { length: 8 + 8 + 16 + 13, checksum: 0 } },
      "DROP",
      "TRUNCATED",
    ],
    ["Geneve without an outer checksum", { geneve: {}, udp: { checksum: 0 } }, "FORWARD", "NONE"],
    ["Geneve with a wrong outer checksum", { geneve: {}, udp: { checksum: 1 } }, "DROP", "BAD_CHECKSUM"],
  ])("%s", async (_, tunnel, verdict, reason) => {
    const result = (await receiver()).one(tunnelled(INNER, tunnel), UPLINK);
    expect([result.verdict, result.reason]).toEqual([verdict, reason]);
  });

  it("leaves SCTP's checksum alone where the tunnel's own covered it, as conntrack does", async () => {
    const invalid = new RuleDraft().match(MATCH_CTSTATE, false, CTSTATE_INVALID).target(TARGET_DROP);
    const node = (await receiver()).chain(0, invalid).hook(HOOK_FORWARD, 0);
    const chunk = Uint8Array.of(1, 0, 0, 20, ...new Array<number>(16).fill(1));
    const bad = frame()
      .eth({})
      .ip4({ src: "10.244.2.7", dst: "10.244.1.9" })
      .sctp({ srcPort: 1, dstPort: 2, checksum: 1 })
      .payload(chunk)
      .bytes();
    expect(node.one(tunnelled(bad), UPLINK).verdict).toBe("FORWARD");
    expect(node.one(tunnelled(bad, { udp: { checksum: 0 } }), UPLINK).reason).toBe("RULE");
    expect(node.one(bad, UPLINK).reason).toBe("RULE");
  });

  it("goes on from the device that has port and VNI", async () => {
    const node = await receiver();
    const ins = [
      tunnelled(INNER),
      tunnelled(INNER, { vni: 9 }),
      tunnelled(INNER, { udp: { dstPort: 4790 } }),
      tunnelled(INNER, { geneve: {} }),
      tunnelled(INNER, { geneve: { vni: 0xffffff } }),
    ].map((sent) => node.one(sent, UPLINK).in);
    expect(ins).toEqual([0, 1, 2, 3, 4].map((device) => TUNNEL + device));
    expect(node.one(tunnelled(INNER, { vni: 9, udp: { dstPort: 4790 } }), UPLINK).reason).toBe("UNKNOWN_VNI");
  });

  it("knows no device that was removed, and lets its port be another's", async () => {
    const node = await receiver();
    node.vxlan(8472, 7, 0);
    expect(node.one(tunnelled(INNER), UPLINK)).toMatchObject({ reason: "UNKNOWN_VNI", in: UPLINK });
    expect(node.one(tunnelled(INNER, { geneve: { vni: 0xffffff } }), UPLINK).in).toBe(TUNNEL + 4);
    node.vxlan(8472, 9, 0);
    expect(node.one(tunnelled(INNER), UPLINK)).toMatchObject({ verdict: "LOCAL", in: UPLINK });
    node.geneve(8472, 7, TUNNEL);
    expect(node.one(tunnelled(INNER, { geneve: {}, udp: { dstPort: 8472 } }), UPLINK).in).toBe(TUNNEL);
  });

  it("refuses devices that clash, or are out of range", async () => {
    const { machine, address } = (await receiver()).image;
    const statuses = [
      machine.tunnelSet(address, 1, 8472, 1, 1),
      machine.tunnelSet(address, 0, 6081, 1, 1),
      machine.tunnelSet(address, 2, 1, 1, 1),
      machine.tunnelSet(address, 0, 0, 1, 1),
      machine.tunnelSet(address, 0, 65536, 1, 1),
      machine.tunnelSet(address, 0, 1, 1 << 24, 1),
      // Never there, so not to be removed.
      machine.tunnelSet(address, 0, 8472, 1, 0),
    ];
    expect(statuses).toEqual(statuses.map(() => STATUS_BAD_ENTRY));
    const made = Array.from({ length: 70 }, (_, vni) => machine.tunnelSet(address, 0, 8472, 100 + vni, 1));
    expect(made.filter((status) => status === STATUS_OK).length).toBe(64 - 5);
    expect(machine.tunnelSet(address, 0, 8472, 7, 9)).toBe(STATUS_OK);
  });

  it("takes off one tunnel, not two", async () => {
    const node = await receiver();
    const result = node.one(tunnelled(tunnelled(INNER)), UPLINK);
    expect(result).toMatchObject({ verdict: "LOCAL", in: TUNNEL, frame: tunnelled(INNER) });
  });

  it("judges the inner packet as any other", async () => {
    const node = await receiver();
    const bad = INNER.slice();
    bad[22] = 9;
    expect(node.one(tunnelled(bad), UPLINK)).toMatchObject({
      verdict: "DROP",
      reason: "BAD_CHECKSUM",
      in: TUNNEL,
    });
    expect(node.one(tunnelled(icmpEcho("10.244.2.7", "10.244.1.9")), UPLINK).verdict).toBe("FORWARD");
    expect(node.one(tunnelled(tcp("10.244.2.7:1", "10.244.1.9:1", { ttl: 1 })), UPLINK).reason).toBe(
      "TTL_EXCEEDED",
    );
  });

  it("does not take off what the node itself made", async () => {
    expect((await receiver()).one(tunnelled(INNER), 0)).toMatchObject({ verdict: "LOCAL", in: 0 });
  });

  it.each<[string, Partial<Hop>]>([
    ["vxlan", { port: 8472 }],
    ["geneve", { port: 6081 }],
    ["geneve", { port: 6081, options: [...options(7)] }],
  ])("undoes what encap did, on the node at the other end: %s", async (kind, hop) => {
    const sender = (await BareNode.make()).route("10.244.1.0/24", {
      kind: kind as Hop["kind"],
      out: TUNNEL,
      leave: UPLINK,
      mtu: 1450,
      vni: 7,
      ...hop,
      outerSrc: "172.18.0.3",
      outerDst: "172.18.0.2",
    });
    const node = await receiver();
    const property = fc.property(
      fc.integer({ min: 1, max: 65535 }),
      fc.nat(1000),
      fc.nat(255),
      (port, payload, tos) => {
        const ends = [`10.244.2.7:${port}`, "10.244.1.9:80"] as const;
        const way = sender.one(tcp(...ends, { payload, tos }), BRIDGE);
        const { verdict, frame: arrived } = node.one(way.frame, UPLINK);
        expect(verdict).toBe("FORWARD");
        expect(Buffer.from(arrived).equals(tcp(...ends, { payload, tos, ttl: 62, ...POD_MACS }))).toBe(true);
        node.image.machine.flowsClear(node.image.state);
        sender.image.machine.flowsClear(sender.image.state);
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  /** RFC 6040 §4.2 as Linux does it, by the inner field (Not-ECT, ECT(1), ECT(0), CE), then the outer: -1 drops. */
  const INNER_ECN = [
    [0, 0, 0, -1],
    [1, 1, 1, 3],
    [2, 1, 2, 3],
    [3, 3, 3, 3],
  ];

  it("hands the tunnel's congestion mark on, and drops where nobody would understand it", async () => {
    const node = await receiver();
    const ends = ["10.244.2.7:41000", "10.244.1.9:8080"] as const;
    for (const [inner, row] of INNER_ECN.entries()) {
      for (const [outer, expected] of row.entries()) {
        const outside = frame()
          .eth({})
          .ip4({ src: "172.18.0.3", dst: "172.18.0.2", tos: outer })
          .udp({ srcPort: 40000, dstPort: 8472 })
          .vxlan({ vni: 7 })
          .payload(udp(...ends, { tos: 0xb8 | inner }))
          .bytes();
        const { verdict, reason, frame: left } = node.one(outside, UPLINK);
        if (expected < 0) expect([verdict, reason]).toEqual(["DROP", "ECN"]);
        else {
          const built = udp(...ends, { tos: 0xb8 | expected, ttl: 63, ...POD_MACS });
          expect(Buffer.from(left).equals(built), `inner ${inner}, outer ${outer}`).toBe(true);
        }
      }
    }
  });
});

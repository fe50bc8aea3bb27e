import { describe, expect, it } from "vitest";
import { frame, tcp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { BareNode } from "../bare-node.js";
import { ttlOf } from "../frame-tuple.js";

const BRIDGE = 1;
const UPLINK = 2;

async function router(): Promise<BareNode> {
  return (await BareNode.make({ connections: 256 }))
    .route("0.0.0.0/0", {
      kind: "direct",
      out: UPLINK,
      dstMac: "02:00:00:00:00:0a",
      srcMac: "02:00:00:00:00:0b",
    })
    .route("10.244.1.0/24", { kind: "direct", out: BRIDGE, bridge: true, mtu: 1450 })
    .route("10.244.1.1/32", { kind: "local" })
    .route("10.99.0.0/16", { kind: "unreachable" });
}

const TO_WORLD = ["10.244.1.7:41000", "192.0.2.1:80"] as const;
const TO_POD = ["10.244.1.7:41000", "10.244.1.8:80"] as const;

describe("leave", () => {
  it("takes one off the TTL of what is routed, and refuses what that would kill", async () => {
    const node = await router();
    for (const ttl of [255, 64, 2]) {
      const { verdict, out, frame: left } = node.one(tcp(...TO_WORLD, { ttl }), BRIDGE);
      expect([verdict, out, ttlOf(left)]).toEqual(["FORWARD", UPLINK, ttl - 1]);
      expect(verifyChecksums(left)).toMatchObject({ ip: "good", l4: "good" });
    }
    for (const ttl of [1, 0]) {
      const sent = tcp(...TO_WORLD, { ttl });
      expect(node.one(sent, BRIDGE)).toMatchObject({ verdict: "DROP", reason: "TTL_EXCEEDED", frame: sent });
    }
  });

  it("leaves the TTL of what a bridge switches, of the node's own packets and of those for it", async () => {
    const node = await router();
    const switched = node.one(tcp(...TO_POD, { ttl: 1 }), BRIDGE);
    expect([switched.verdict, switched.out, ttlOf(switched.frame)]).toEqual(["FORWARD", BRIDGE, 1]);
    const routed = node.one(tcp("192.0.2.1:80", "10.244.1.8:80", { ttl: 9 }), UPLINK);
    expect([routed.verdict, routed.out, ttlOf(routed.frame)]).toEqual(["FORWARD", BRIDGE, 8]);
    const own = node.one(tcp("10.244.1.1:80", "192.0.2.1:80", { ttl: 64 }), 0);
    expect([own.verdict, own.out, ttlOf(own.frame)]).toEqual(["FORWARD", UPLINK, 64]);
    const local = node.one(tcp("10.244.1.7:80", "10.244.1.1:80", { ttl: 1 }), BRIDGE);
    expect([local.verdict, local.out, ttlOf(local.frame)]).toEqual(["LOCAL", 0, 1]);
  });

  it("gives the frame the next hop's addresses", async () => {
    const { frame: left } = (await router()).one(tcp(...TO_WORLD), BRIDGE);
    expect([...left.subarray(0, 14)]).toEqual([2, 0, 0, 0, 0, 10, 2, 0, 0, 0, 0, 11, 8, 0]);
  });

  it("lets through what fits the way out, or may be cut to fit, and drops the rest", async () => {
    const node = await router();
    const sized = (total: number, df: boolean) =>
      frame()
        .eth({})
        .ip4({ src: "192.0.2.1", dst: "10.244.1.8", df })
        .udp({ srcPort: 7, dstPort: 7 })
        .payload(total - 28)
        .bytes();
    expect(node.one(sized(1450, true), UPLINK)).toMatchObject({ verdict: "FORWARD", reason: "NONE" });
    expect(node.one(sized(1451, true), UPLINK)).toMatchObject({
      verdict: "DROP",
      reason: "FRAGMENTATION_NEEDED",
    });
    expect(node.one(sized(1451, false), UPLINK)).toMatchObject({ verdict: "FORWARD", reason: "NONE" });
  });

  it("cuts Ethernet padding off", async () => {
    const sent = frame()
      .eth({})
      .ip4({ src: "10.244.1.7", dst: "192.0.2.1" })
      .udp({ srcPort: 7, dstPort: 7 })
      .payload(2)
      .bytes();
    const padded = new Uint8Array(60);
    padded.set(sent);
    const { verdict, frame: left } = (await router()).one(padded, BRIDGE);
    expect([verdict, left.length]).toEqual(["FORWARD", sent.length]);
  });

  it("drops what it has no route or no neighbour for", async () => {
    const node = await router();
    expect(node.one(tcp("10.244.1.7:1", "10.99.0.1:1"), BRIDGE)).toMatchObject({
      verdict: "DROP",
      reason: "NO_NEIGHBOUR",
    });
    const island = (await BareNode.make()).route("10.0.0.0/8", { kind: "direct", out: UPLINK });
    expect(island.one(tcp("10.244.1.7:1", "192.0.2.1:1"))).toMatchObject({
      verdict: "DROP",
      reason: "NO_ROUTE",
    });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOOK_NAT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  TARGET_DNAT,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { type Ip4, printIp4 } from "../../src/net/ip.js";
import { frame } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { BareNode, ip4 } from "../bare-node.js";
import { drawnEnds, type Ends, FIRST_MACS, MACS, swapped } from "./translation.js";

interface Rest {
  readonly protocol: "tcp" | "udp";
  readonly tos: number;
  readonly id: number;
  readonly df: boolean;
  readonly ttl: number;
  readonly ipOptions: number;
  readonly tcpOptions: number;
  readonly payload: Uint8Array;
  readonly flags: string;
}

function build(ends: Ends<Ip4>, rest: Rest, macs: typeof MACS, ttl: number): Uint8Array {
  const { src, dst, srcPort, dstPort } = ends;
  const { tos, id, df, protocol, payload, flags } = rest;
  const options = new Uint8Array(rest.ipOptions * 4).fill(1);
  const ip = frame().eth(macs).ip4({ src, dst, tos, id, df, ttl, options });
  const transport =
    protocol === "tcp"
      ? ip.tcp({ srcPort, dstPort, flags, options: new Uint8Array(rest.tcpOptions * 4).fill(1) })
      : ip.udp({ srcPort, dstPort });
  return transport.payload(payload).bytes();
}

/** Any but loopback's, which no packet from outside may have. */
const address = fc.integer({ min: 0x01000000, max: 0xdfffffff }).filter((ip) => ip >>> 24 !== 127);
const ends = drawnEnds(address);
const rest: fc.Arbitrary<Rest> = fc.record({
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  tos: fc.nat(255),
  id: fc.nat(0xffff),
  df: fc.boolean(),
  ttl: fc.integer({ min: 2, max: 255 }),
  ipOptions: fc.oneof(fc.constant(0), fc.nat(10)),
  tcpOptions: fc.oneof(fc.constant(0), fc.nat(10)),
  payload: fc.uint8Array({ maxLength: 40 }),
  flags: fc.constantFrom("S", "A", "PA"),
});

/** Translates `from` to `to`, but for the source port, which stays. */
async function nodeOf(to: Pick<Ends<Ip4>, "src" | "dst" | "dstPort">): Promise<BareNode> {
  return (await BareNode.make())
    .route("0.0.0.0/0", {
      kind: "direct",
      out: 2,
      source: printIp4(to.src),
      dstMac: MACS.dst,
      srcMac: MACS.src,
    })
    .chain(0, new RuleDraft().target(TARGET_DNAT, to.dst, to.dstPort))
    .chain(1, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
    .hook(HOOK_PREROUTING, 0, HOOK_NAT)
    .hook(HOOK_POSTROUTING, 1, HOOK_NAT)
    .flags(IMAGE_FLAG_VERIFY);
}

describe("translate", () => {
  it("gives the frame that would have been built with the new addresses, octet by octet; and its reply likewise", async () => {
    const property = fc.asyncProperty(ends, ends, rest, async (from, drawn, fields) => {
      const to = { ...drawn, srcPort: from.srcPort };
      fc.pre(from.src !== to.dst);
      const node = await nodeOf(to);
      const out = node.one(build(from, fields, FIRST_MACS, fields.ttl));
      expect(out).toMatchObject({ verdict: "FORWARD", out: 2 });
      expect(Buffer.from(out.frame).equals(build(to, fields, MACS, fields.ttl - 1))).toBe(true);
      const answer = { ...fields, flags: "A" };
      const back = node.one(build(swapped(to), answer, FIRST_MACS, fields.ttl));
      expect(Buffer.from(back.frame).equals(build(swapped(from), answer, MACS, fields.ttl - 1))).toBe(true);
      expect(verifyChecksums(back.frame)).toMatchObject({ ip: "good", l4: "good" });
    });
    await fc.assert(property, { numRuns: 300 });
  });

  const TO = { src: ip4("172.18.0.2"), dst: ip4("10.244.1.9"), dstPort: 53 };
  const datagram = (checksum: number) =>
    frame()
      .eth(FIRST_MACS)
      .ip4({ src: "10.0.0.1", dst: "10.96.0.10" })
      .udp({ srcPort: 5000, dstPort: 53, checksum })
      .payload(9)
      .bytes();

  it("leaves a UDP datagram without checksum without one", async () => {
    const { frame: left } = (await nodeOf(TO)).one(datagram(0));
    expect([left[40], left[41]]).toEqual([0, 0]);
    expect(verifyChecksums(left)).toMatchObject({ ip: "good", l4: "absent" });
    expect([...left.subarray(30, 34)]).toEqual([10, 244, 1, 9]);
  });

  it("neither translates nor mends a segment whose checksum is wrong, unless it is told to trust them", async () => {
    const sent = datagram(0x1234);
    const verified = (await nodeOf(TO)).one(sent);
    expect([...verified.frame.subarray(26, 42)]).toEqual([...sent.subarray(26, 42)]);
    const trusted = (await nodeOf(TO)).flags(0).one(sent);
    expect([...trusted.frame.subarray(30, 34)]).toEqual([10, 244, 1, 9]);
    expect(verifyChecksums(trusted.frame)).toMatchObject({ ip: "good", l4: "bad" });
  });
});

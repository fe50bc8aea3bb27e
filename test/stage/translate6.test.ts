import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOOK_IP6,
  HOOK_NAT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  TARGET_DNAT6,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { wordsOf6 } from "../../src/engine/entries/words.js";
import { type Ip6, printIp } from "../../src/net/ip.js";
import { frame } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { BareNode, ip6 } from "../bare-node.js";
import { drawnEnds, type Ends, FIRST_MACS, MACS, swapped } from "./translation.js";

interface Rest {
  readonly protocol: "tcp" | "udp";
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly hopLimit: number;
  /** Kinds of extension headers. */
  readonly extensions: readonly number[];
  readonly payload: Uint8Array;
}

function build(
  { src, dst, srcPort, dstPort }: Ends<Ip6>,
  rest: Rest,
  macs: typeof MACS,
  less: number,
): Uint8Array {
  const { trafficClass, flowLabel, hopLimit, extensions, protocol, payload } = rest;
  const ip = frame()
    .eth(macs)
    .ip6({ src, dst, trafficClass, flowLabel, hopLimit: hopLimit - less });
  const options = Uint8Array.of(1, 4, 0, 0, 0, 0);
  const extended = extensions.reduce((inner, kind) => inner.extension({ kind, options }), ip);
  const transport =
    protocol === "tcp" ? extended.tcp({ srcPort, dstPort, flags: "A" }) : extended.udp({ srcPort, dstPort });
  return transport.payload(payload).bytes();
}

/** Unicast that leaves its link, with words that carry. */
const address = fc
  .tuple(
    fc.constantFrom(0x2001_0db8n, 0xfd00_0000n, 0xfdff_ffffn, 0x3fff_0000n),
    ...Array.from({ length: 3 }, () =>
      fc.oneof(
        fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
        fc.constantFrom(0n, 1n, 0xffff_ffffn, 0xffff_0000n),
      ),
    ),
  )
  .map((words) => words.reduce((whole, word) => (whole << 32n) | word, 0n));
const ends = drawnEnds(address);
const rest: fc.Arbitrary<Rest> = fc.record({
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  trafficClass: fc.nat(255),
  flowLabel: fc.nat(0xfffff),
  hopLimit: fc.integer({ min: 2, max: 255 }),
  extensions: fc.constantFrom([], [], [0], [60], [0, 60, 43]),
  payload: fc.uint8Array({ maxLength: 40 }),
});

/** Translates `from` to `to`, but for the source port, which stays. */
async function nodeOf(to: Pick<Ends<Ip6>, "src" | "dst" | "dstPort">): Promise<BareNode> {
  return (await BareNode.make())
    .route("::/0", { kind: "direct", out: 2, source6: printIp(to.src), dstMac: MACS.dst, srcMac: MACS.src })
    .chain(0, new RuleDraft().target(TARGET_DNAT6, ...wordsOf6(to.dst), to.dstPort))
    .chain(1, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
    .hook(HOOK_IP6 + HOOK_PREROUTING, 0, HOOK_NAT)
    .hook(HOOK_IP6 + HOOK_POSTROUTING, 1, HOOK_NAT)
    .flags(IMAGE_FLAG_VERIFY);
}

describe("translate, of IPv6", () => {
  it("gives the frame that would have been built with the new addresses, octet by octet; and its reply likewise", async () => {
    const property = fc.asyncProperty(ends, ends, rest, async (from, drawn, fields) => {
      const to = { ...drawn, srcPort: from.srcPort };
      fc.pre(from.src !== to.dst);
      const node = await nodeOf(to);
      const out = node.one(build(from, fields, FIRST_MACS, 0));
      expect(out).toMatchObject({ verdict: "FORWARD", out: 2 });
      expect(Buffer.from(out.frame).equals(build(to, fields, MACS, 1))).toBe(true);
      const back = node.one(build(swapped(to), fields, FIRST_MACS, 0));
      expect(Buffer.from(back.frame).equals(build(swapped(from), fields, MACS, 1))).toBe(true);
      expect(verifyChecksums(back.frame)).toMatchObject({ l4: "good" });
    });
    await fc.assert(property, { numRuns: 200 });
  });

  const TO = { src: ip6("fd00::2"), dst: ip6("fd01::9"), dstPort: 53 };
  const datagram = (checksum: number) =>
    frame()
      .eth(FIRST_MACS)
      .ip6({ src: "fd02::1", dst: "fd03::10" })
      .udp({ srcPort: 5000, dstPort: 53, checksum })
      .payload(9)
      .bytes();

  it("leaves a UDP datagram without checksum without one, as Linux does though RFC 8200 forbids it", async () => {
    const { frame: left } = (await nodeOf(TO)).one(datagram(0));
    expect([left[60], left[61]]).toEqual([0, 0]);
    expect(Buffer.from(left.subarray(38, 54)).toString("hex")).toBe("fd010000000000000000000000000009");
  });

  it("neither translates nor mends a segment whose checksum is wrong, unless it is told to trust them", async () => {
    const sent = datagram(0x1234);
    const verified = (await nodeOf(TO)).one(sent);
    expect([...verified.frame.subarray(22, 62)]).toEqual([...sent.subarray(22, 62)]);
    const trusted = (await nodeOf(TO)).flags(0).one(sent);
    expect(trusted.frame[53]).toBe(9);
    expect(verifyChecksums(trusted.frame).l4).toBe("bad");
  });
});

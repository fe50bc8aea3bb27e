import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE_FLAG_VERIFY } from "../../assembly/abi/image.js";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { BareNode } from "../bare-node.js";

const [UPLINK, TUNNEL, OTHER] = [2, 3, 4];
const HERE = "172.18.0.2";

async function nodeOf(flags: number): Promise<BareNode> {
  return (await BareNode.make())
    .route("0.0.0.0/0", { kind: "direct", out: UPLINK })
    .route(`${HERE}/32`, { kind: "local" })
    .vxlan(8472, 7, TUNNEL)
    .geneve(6081, 7, OTHER)
    .flags(flags);
}

/** A frame that came in, and what is to become of it. */
interface Case {
  readonly sent: Uint8Array;
  readonly verdict: string;
  readonly reason: string;
  readonly in: number;
  readonly left: Uint8Array;
}

const stays = (sent: Uint8Array, verdict: string, reason: string): Case => ({
  sent,
  verdict,
  reason,
  in: UPLINK,
  left: sent,
});

function outer(ip: { readonly tos?: number; readonly ttl?: number }, dstPort: number, checksum?: number) {
  return frame()
    .eth()
    .ip4({ src: "172.18.0.3", dst: HERE, ...ip })
    .udp({ srcPort: 40000, dstPort, ...(checksum === undefined ? {} : { checksum }) });
}

const octets = (minLength: number) => fc.uint8Array({ minLength, maxLength: 120 });

/** Whatever is inside: it is not looked at. */
const opened: fc.Arbitrary<Case> = fc
  .record({
    inner: octets(14),
    isGeneve: fc.boolean(),
    tos: fc.nat(63),
    ttl: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ inner, isGeneve, tos, ttl }) => {
    const ip = { tos: tos << 2, ttl };
    const sent = isGeneve
      ? outer(ip, 6081).geneve({ vni: 7, options: Uint8Array.of(0, 1, 2, 1, 9, 9, 9, 9) })
      : outer(ip, 8472).vxlan({ vni: 7 });
    return {
      sent: sent.payload(inner).bytes(),
      verdict: "FORWARD",
      reason: "NONE",
      in: isGeneve ? OTHER : TUNNEL,
      left: inner,
    };
  });

const marked = (ecn: number, inner: number, left: number | undefined): Case => {
  const ends = ["10.244.2.7:41000", "10.244.1.9:80"] as const;
  const sent = outer({ tos: ecn }, 8472)
    .vxlan({ vni: 7 })
    .payload(tcp(...ends, { tos: inner }))
    .bytes();
  const now = { sent, in: TUNNEL, left: tcp(...ends, { tos: left ?? inner }) };
  return left === undefined
    ? { ...now, verdict: "DROP", reason: "ECN" }
    : { ...now, verdict: "FORWARD", reason: "NONE" };
};

const INNER = udp("10.244.2.7:53", "10.244.1.9:53");
const FIXED: readonly Case[] = [
  stays(tcp("10.244.2.7:1", `${HERE}:8472`), "PUNT", "NO_TUNNEL"),
  stays(udp("10.244.2.7:1", `${HERE}:8473`), "PUNT", "NO_TUNNEL"),
  stays(udp("10.244.2.7:1", "172.18.0.4:8472", { payload: 60 }), "PUNT", "NO_TUNNEL"),
  stays(icmpEcho("10.244.2.7", HERE), "PUNT", "NO_TUNNEL"),
  stays(outer({}, 8472).vxlan({ vni: 8 }).payload(INNER).bytes(), "DROP", "UNKNOWN_VNI"),
  stays(outer({}, 8472).vxlan({ vni: 7, flags: 0 }).payload(INNER).bytes(), "DROP", "UNKNOWN_VNI"),
  stays(outer({}, 8472).vxlan({ vni: 7, flags: 9 }).payload(INNER).bytes(), "DROP", "TUNNEL_HEADER"),
  stays(outer({}, 8472).vxlan({ vni: 7 }).payload(13).bytes(), "DROP", "TRUNCATED"),
  stays(outer({}, 6081).geneve({ vni: 7, control: true }).payload(INNER).bytes(), "DROP", "TUNNEL_CONTROL"),
  stays(outer({}, 8472).vxlan({ vni: 7 }).payload(INNER).bytes().slice(0, 60), "DROP", "TRUNCATED"),
  marked(1, 2, 1),
  marked(3, 2, 3),
  marked(3, 0, undefined),
  marked(2, 0, 0),
];

const mix = fc.array(fc.oneof(opened, fc.constantFrom(...FIXED)), { minLength: 1, maxLength: 70 });

function expectAll(node: BareNode, cases: readonly Case[]): void {
  const results = node.decapsulate(
    cases.map(({ sent }) => sent),
    UPLINK,
  );
  for (const [index, { left, verdict, reason, in: device }] of cases.entries()) {
    const result = results[index];
    expect(result).toMatchObject({ verdict, reason, in: device });
    expect(Buffer.from(result?.frame ?? []).equals(left)).toBe(true);
  }
}

describe("decapsulate", () => {
  it("takes the outer headers off what came by tunnel, and leaves the rest with a reason, in any mix", async () => {
    const node = await nodeOf(0);
    fc.assert(
      fc.property(mix, (cases) => expectAll(node, cases)),
      { numRuns: 200 },
    );
  });

  it("verifies outer checksums where that is wanted", async () => {
    const good = outer({}, 8472).vxlan({ vni: 7 }).payload(INNER).bytes();
    const bad = outer({}, 8472, 0x1234).vxlan({ vni: 7 }).payload(INNER).bytes();
    const opened = { sent: bad, verdict: "FORWARD", reason: "NONE", in: TUNNEL, left: INNER };
    const closed = stays(bad, "DROP", "BAD_CHECKSUM");
    const whole = { ...opened, sent: good };
    expectAll(await nodeOf(0), [opened, whole, opened]);
    expectAll(await nodeOf(IMAGE_FLAG_VERIFY), [whole, closed, whole, whole, closed, whole]);
  });
});

import { describe, expect, it } from "vitest";
import {
  CTSTATE_RELATED,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_IP6,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  MATCH_CTSTATE,
  TARGET_DROP,
  TARGET_MASQUERADE,
  TARGET_REJECT,
} from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY } from "../../assembly/abi/image.js";
import {
  DROP_ADMIN_PROHIBITED,
  DROP_HOST_PROHIBITED,
  DROP_HOST_UNREACHABLE,
  DROP_NET_PROHIBITED,
  DROP_NET_UNREACHABLE,
  DROP_POLICY_FAIL,
  DROP_PROTOCOL_UNREACHABLE,
  DROP_REJECT_ROUTE,
  DROP_TCP_RESET,
} from "../../assembly/abi/verdict.js";
import { ETH_LEN, IP4_ID } from "../../assembly/abi/wire.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { frame, icmpEcho, sctp, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { printPacket } from "../../src/packet/print.js";
import { BareNode, ip4 } from "../bare-node.js";

const [BRIDGE, UPLINK, TUNNEL] = [1, 2, 3];
const UP = { dst: "02:00:00:00:00:0a", src: "02:00:00:00:00:0b" };
const DOWN = { dst: "02:00:00:00:00:1a", src: "02:00:00:00:00:1b" };
const hop = ({ dst, src }: typeof UP) => ({ kind: "direct", dstMac: dst, srcMac: src }) as const;
const POD = "10.244.1.7";
const WORLD = "192.0.2.1";

async function router(): Promise<BareNode> {
  return (await BareNode.make({ connections: 256 }))
    .flags(IMAGE_FLAG_VERIFY)
    .route("0.0.0.0/0", { ...hop(UP), out: UPLINK, source: "172.18.0.2", source6: "fd00:18::2" })
    .route("10.244.1.0/24", { ...hop(DOWN), out: BRIDGE, mtu: 1400, source: "10.244.1.1" })
    .route("10.244.1.1/32", { kind: "local", out: BRIDGE })
    .route("172.18.0.2/32", { kind: "local", out: UPLINK })
    .route("10.99.0.0/16", { kind: "unreachable", out: UPLINK, source: "172.18.0.2" })
    .route("10.244.2.0/24", {
      ...hop(UP),
      kind: "vxlan",
      out: TUNNEL,
      leave: UPLINK,
      mtu: 1450,
      port: 8472,
      vni: 1,
      source: "10.244.1.0",
    })
    .route("::/0", { ...hop(UP), out: UPLINK, source6: "fd00:18::2" })
    .route("fd00:244:1::/64", { ...hop(DOWN), out: BRIDGE, mtu: 1400, source6: "fd00:244:1::1" })
    .route("fd00:244:1::1/128", { kind: "local", out: BRIDGE });
}

const reject = (reason = 0) => new RuleDraft().target(TARGET_REJECT, reason);

/** A router where FORWARD or INPUT reject everything, of either family. */
async function refusing(reason = 0, hook = HOOK_FORWARD): Promise<BareNode> {
  return (await router())
    .chain(0, reject(reason))
    .hook(hook, 0)
    .hook(HOOK_IP6 + hook, 0);
}

/** An answer with the identification that the machine chose put to 0, its checksum with it. */
function withoutId(octets: Uint8Array): Uint8Array {
  const copy = octets.slice();
  const sum = ((copy[ETH_LEN + 10] ?? 0) << 8) | (copy[ETH_LEN + 11] ?? 0);
  const id = ((copy[ETH_LEN + IP4_ID] ?? 0) << 8) | (copy[ETH_LEN + IP4_ID + 1] ?? 0);
  const without = sum + id;
  const folded = (without & 0xffff) + (without >> 16);
  copy.set([0, 0], ETH_LEN + IP4_ID);
  copy.set([folded >> 8, folded & 0xff], ETH_LEN + 10);
  return copy;
}

const quoteOf = (sent: Uint8Array, most: number) => sent.subarray(ETH_LEN, ETH_LEN + most);

describe("answers", () => {
  it("quote a packet that FORWARD refuses as a router has it, from the address of the way back", async () => {
    const sent = udp(`${POD}:4000`, `${WORLD}:53`, { payload: 9, tos: 0xff, ttl: 9 });
    const { refused, answer } = (await refusing()).refusal(sent, BRIDGE);
    expect([refused.verdict, refused.reason, refused.out]).toEqual(["REJECT", "PORT_UNREACHABLE", 0]);
    expect([answer.verdict, answer.out]).toEqual(["FORWARD", BRIDGE]);
    const routed = udp(`${POD}:4000`, `${WORLD}:53`, { payload: 9, tos: 0xff, ttl: 8 });
    const expected = frame()
      .eth(DOWN)
      .ip4({ src: "10.244.1.1", dst: POD, tos: 0xde, df: false })
      .icmp({ type: 3, code: 3 })
      .payload(quoteOf(routed, 1500))
      .bytes();
    expect(withoutId(answer.frame)).toEqual(expected);
  });

  it("quote what INPUT refuses as it came, from the address that it was sent to", async () => {
    const sent = tcp(`${WORLD}:4000`, "10.244.1.1:53", { ttl: 9 });
    const { answer } = (await refusing(0, HOOK_INPUT)).refusal(sent, UPLINK);
    const expected = frame()
      .eth(UP)
      .ip4({ src: "10.244.1.1", dst: WORLD, tos: 0xc0, df: false })
      .icmp({ type: 3, code: 3 })
      .payload(quoteOf(sent, 1500))
      .bytes();
    expect(withoutId(answer.frame)).toEqual(expected);
  });

  it("go to addresses of class E too, which Linux takes for hosts", async () => {
    const { answer } = (await refusing()).refusal(udp("240.0.0.1:4000", `${POD}:53`), UPLINK);
    expect([answer.out, describePacket(answer.frame)]).toEqual([
      UPLINK,
      expect.objectContaining({ src: "172.18.0.2", dst: "240.0.0.1" }),
    ]);
  });

  it("are of IPv6 too, without a traffic class", async () => {
    const [from, to] = ["[fd00:244:1::7]:4000", "[2001:db8::1]:53"];
    const { answer } = (await refusing()).refusal(udp(from, to, { tos: 0xff, ttl: 9 }), BRIDGE);
    const expected = frame()
      .eth(DOWN)
      .ip6({ src: "fd00:244:1::1", dst: "fd00:244:1::7" })
      .icmp6({ type: 1, code: 4 })
      .payload(quoteOf(udp(from, to, { tos: 0xff, ttl: 8 }), 1500))
      .bytes();
    expect([answer.verdict, answer.out]).toEqual(["FORWARD", BRIDGE]);
    expect(answer.frame).toEqual(expected);
  });

  it("quote as much as 576 octets hold, of IPv6 1280", async () => {
    const node = await refusing();
    const { answer } = node.refusal(udp(`${WORLD}:1`, `${POD}:2`, { payload: 1300 }), UPLINK);
    expect([answer.frame.length, verifyChecksums(answer.frame)]).toEqual([
      ETH_LEN + 576,
      { ip: "good", l4: "good" },
    ]);
    const six = node.refusal(udp("[2001:db8::1]:1", "[fd00:244:1::7]:2", { payload: 1300 }), UPLINK).answer;
    expect([six.frame.length, verifyChecksums(six.frame).l4]).toEqual([ETH_LEN + 1280, "good"]);
  });

  it("tell the MTU of the way that a packet does not fit, and of used-up TTLs, as they came", async () => {
    const node = await router();
    const long = frame()
      .eth({})
      .ip4({ src: WORLD, dst: POD, df: true })
      .udp({ srcPort: 1, dstPort: 2 })
      .payload(1390)
      .bytes();
    const { refused, answer } = node.refusal(long, UPLINK);
    expect(refused.reason).toBe("FRAGMENTATION_NEEDED");
    const expected = frame()
      .eth(UP)
      .ip4({ src: "172.18.0.2", dst: WORLD, tos: 0xc0, df: false })
      .icmp({ type: 3, code: 4, seq: 1400 })
      .payload(quoteOf(long, 548))
      .bytes();
    expect(withoutId(answer.frame)).toEqual(expected);
    const late = node.refusal(tcp(`${POD}:1`, `${WORLD}:2`, { ttl: 1 }), BRIDGE).answer;
    expect(printPacket(late.frame)).toContain("10.244.1.1 > 10.244.1.7: ICMP time exceeded in-transit");
    expect([late.frame[ETH_LEN + 28 + 8], late.out]).toEqual([1, BRIDGE]);
  });

  it("come from where a translated packet was sent to, and quote it as it was sent", async () => {
    const node = (await router())
      .chain(0, new RuleDraft().dnat(ip4(POD), 8080))
      .hook(HOOK_PREROUTING, 0, HOOK_NAT)
      .chain(1, reject())
      .hook(HOOK_FORWARD, 1);
    const sent = tcp(`${WORLD}:4000`, "10.96.0.10:80", { ttl: 9 });
    const { answer } = node.refusal(sent, UPLINK);
    const expected = frame()
      .eth(UP)
      .ip4({ src: "10.96.0.10", dst: WORLD, tos: 0xc0, df: false })
      .icmp({ type: 3, code: 3 })
      .payload(quoteOf(tcp(`${WORLD}:4000`, "10.96.0.10:80", { ttl: 8 }), 1500))
      .bytes();
    expect(withoutId(answer.frame)).toEqual(expected);
    expect(node.connections()).toEqual([]);
  });

  it("go to the client, not to whom it was masqueraded as, when no neighbour is found", async () => {
    const node = (await router())
      .chain(0, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
      .hook(HOOK_POSTROUTING, 0, HOOK_NAT);
    const { refused, answer } = node.refusal(udp(`${POD}:1`, "10.99.0.1:2"), BRIDGE);
    expect(refused.reason).toBe("NO_NEIGHBOUR");
    expect([answer.out, describePacket(answer.frame)]).toEqual([
      BRIDGE,
      expect.objectContaining({ src: "172.18.0.2", dst: POD }),
    ]);
    expect([...answer.frame.subarray(ETH_LEN + 20, ETH_LEN + 22)]).toEqual([3, 1]);
    expect(printPacket(answer.frame)).toContain("10.99.0.1");
  });

  const KINDS = [
    ["net unreachable", DROP_NET_UNREACHABLE, [3, 0], [1, 0]],
    ["host unreachable", DROP_HOST_UNREACHABLE, [3, 1], [1, 3]],
    ["protocol unreachable", DROP_PROTOCOL_UNREACHABLE, [3, 2], undefined],
    ["net prohibited", DROP_NET_PROHIBITED, [3, 9], undefined],
    ["host prohibited", DROP_HOST_PROHIBITED, [3, 10], undefined],
    ["admin prohibited", DROP_ADMIN_PROHIBITED, [3, 13], [1, 1]],
    ["policy fail", DROP_POLICY_FAIL, undefined, [1, 5]],
    ["reject route", DROP_REJECT_ROUTE, undefined, [1, 6]],
  ] as const;

  it.each(KINDS)(
    "say %s by type and code, or nothing where a family has none",
    async (_name, reason, four, six) => {
      const node = await refusing(reason);
      const codes = (sent: Uint8Array, icmp: number) => {
        const { answer } = node.refusal(sent, BRIDGE);
        if (answer.verdict === "DROP" && answer.reason === "NONE") return undefined;
        return [...answer.frame.subarray(icmp, icmp + 2)];
      };
      expect(codes(udp(`${POD}:1`, `${WORLD}:2`), ETH_LEN + 20)).toEqual(four);
      expect(codes(udp("[fd00:244:1::7]:1", "[2001:db8::1]:2"), ETH_LEN + 40)).toEqual(six);
    },
  );

  it("are not sent about errors, bad checksums and packets from nobody", async () => {
    const node = await refusing();
    const damaged = (sent: Uint8Array) => sent.with(sent.length - 1, (sent.at(-1) ?? 0) ^ 1);
    const error = frame().eth({}).ip4({ src: POD, dst: WORLD }).icmp({ type: 3, code: 1 });
    const isAnswered = (sent: Uint8Array, [at, inNumber] = [node, BRIDGE] as [BareNode, number]) => {
      const { refused, answer } = at.refusal(sent, inNumber);
      expect(refused.verdict).toBe("REJECT");
      if (answer.verdict === "DROP") expect(answer.reason).toBe("NONE");
      return answer.verdict !== "DROP";
    };
    expect(isAnswered(error.payload(quoteOf(udp(`${WORLD}:1`, `${POD}:2`), 28)).bytes())).toBe(false);
    expect(isAnswered(icmpEcho(POD, WORLD))).toBe(true);
    expect(isAnswered(udp(`${POD}:3`, `${WORLD}:2`, { payload: 4 }))).toBe(true);
    expect(isAnswered(damaged(udp(`${POD}:4`, `${WORLD}:2`, { payload: 4 })))).toBe(false);
    expect(isAnswered(damaged(sctp(`${POD}:5`, `${WORLD}:2`)))).toBe(true);
    const nobody = [await refusing(0, HOOK_OUTPUT), 0] as [BareNode, number];
    expect(isAnswered(udp("0.0.0.0:1", `${WORLD}:2`), nobody)).toBe(false);
  });

  it("are resets where a rule says so, with the numbers that the sender expects", async () => {
    const node = await refusing(DROP_TCP_RESET);
    const reset = (options: object) =>
      node.refusal(tcp(`${POD}:1`, `${WORLD}:2`, { ...options, payload: 5 }), BRIDGE).answer;
    const written = (options: { flags: string; seq: number; ack: number }) =>
      frame()
        .eth(DOWN)
        .ip4({ src: WORLD, dst: POD, df: true })
        .tcp({ srcPort: 2, dstPort: 1, window: 0, ...options })
        .bytes();
    expect(reset({ flags: "S", seq: 0xffffffff }).frame).toEqual(written({ flags: "RA", seq: 0, ack: 5 }));
    expect(reset({ flags: "A", seq: 7, ack: 9 }).frame).toEqual(written({ flags: "R", seq: 9, ack: 0 }));
    expect(reset({ flags: "R" })).toMatchObject({ verdict: "DROP", reason: "NONE" });
    expect(node.refusal(udp(`${POD}:1`, `${WORLD}:2`), BRIDGE).answer.verdict).toBe("DROP");
  });

  it("leave by a tunnel where the sender is behind it", async () => {
    const { answer } = (await refusing()).refusal(udp("10.244.2.9:1", `${WORLD}:2`), TUNNEL);
    expect([answer.verdict, answer.out]).toEqual(["FORWARD", UPLINK]);
    expect(answer.frame.length).toBe(50 + ETH_LEN + 28 + 28);
    expect(printPacket(answer.frame.subarray(50))).toContain("10.244.1.0 > 10.244.2.9: ICMP");
  });

  it("are told to the node itself about its own packets, but for what its program learns at once", async () => {
    const node = (await router()).chain(0, reject()).hook(HOOK_OUTPUT, 0);
    const { answer } = node.refusal(udp("172.18.0.2:1", `${WORLD}:2`), 0);
    // OUTPUT refuses the answer as well.
    expect([answer.verdict, answer.reason]).toEqual(["REJECT", "PORT_UNREACHABLE"]);
    const passing = (await router())
      .chain(0, new RuleDraft().match(MATCH_CTSTATE, true, CTSTATE_RELATED).target(TARGET_REJECT, 0))
      .hook(HOOK_OUTPUT, 0);
    const told = passing.refusal(udp("172.18.0.2:1", `${WORLD}:2`), 0).answer;
    expect([told.verdict, told.in]).toEqual(["LOCAL", 0]);
    expect(printPacket(told.frame)).toContain(
      "172.18.0.2 > 172.18.0.2: ICMP 192.0.2.1 udp port 2 unreachable",
    );
    const island = (await BareNode.make()).route("172.18.0.2/32", { kind: "local" });
    const lost = island.refusal(udp("172.18.0.2:1", `${WORLD}:2`), 0);
    expect([lost.refused.reason, lost.answer.verdict, lost.answer.reason]).toEqual([
      "NO_ROUTE",
      "DROP",
      "NONE",
    ]);
  });

  it("pass the rules for the node's own packets, as RELATED", async () => {
    const related = new RuleDraft().match(MATCH_CTSTATE, false, CTSTATE_RELATED).target(TARGET_DROP);
    const node = (await refusing()).chain(1, related).hook(HOOK_OUTPUT, 1);
    const { answer } = node.refusal(udp(`${POD}:1`, `${WORLD}:2`), BRIDGE);
    expect([answer.verdict, answer.reason]).toEqual(["DROP", "RULE"]);
  });

  it("leave other packets as they are", async () => {
    const { refused, answer } = (await router()).refusal(udp(`${POD}:1`, `${WORLD}:2`), BRIDGE);
    expect(answer).toEqual(refused);
    expect(answer.verdict).toBe("FORWARD");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CTSTATE_INVALID,
  HOOK_FORWARD,
  HOOK_IP6,
  HOOK_NAT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  MATCH_CTSTATE,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_DROP,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { icmpEcho, sctp, tcp, udp } from "../../src/packet/build.js";
import { crc32c } from "../../src/packet/crc32c.js";
import { frame } from "../../src/packet/frame.js";
import { printConnection } from "../../src/ruleset/connections.js";
import { BareNode, ip4 } from "../bare-node.js";
import { routerOf } from "./router.js";

const ECHO_ID = 38;

function idOf(octets: Uint8Array): number {
  return ((octets[ECHO_ID] ?? 0) << 8) | (octets[ECHO_ID + 1] ?? 0);
}

describe("ICMP queries", () => {
  it("open connections, which their answers belong to", async () => {
    const node = await routerOf();
    expect(node.one(icmpEcho("10.0.0.1", "10.0.0.2", { id: 7 })).verdict).toBe("FORWARD");
    const [unanswered] = node.connections();
    expect(unanswered && printConnection(unanswered)).toBe(
      "icmp     1 30 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 [UNREPLIED] " +
        "src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 mark=0 use=1",
    );
    expect(node.one(icmpEcho("10.0.0.2", "10.0.0.1", { id: 7, reply: true })).verdict).toBe("FORWARD");
    expect(node.connections()).toMatchObject([{ isReplied: true, isAssured: false }]);
  });

  it.each([
    [
      "an answer to nothing",
      frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 0 }),
      false,
    ],
    ["a timestamp", frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 13 }), true],
    ["an address mask", frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 17 }), true],
    [
      "an advertised router",
      frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 9 }),
      false,
    ],
    ["an unknown type", frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 42 }), false],
    [
      "an error about nothing",
      frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp({ type: 3 }),
      false,
    ],
    ["ICMPv6 in IPv4", frame().eth().ip4({ src: "10.0.0.2", dst: "10.0.0.1" }).icmp6({ type: 128 }), false],
    ["an echo of IPv6", frame().eth().ip6({ src: "fd00::1", dst: "fd01::1" }).icmp6({ type: 128 }), true],
    ["its answer alone", frame().eth().ip6({ src: "fd00::1", dst: "fd01::1" }).icmp6({ type: 129 }), false],
    [
      "a node information query",
      frame().eth().ip6({ src: "fd00::1", dst: "fd01::1" }).icmp6({ type: 139 }),
      true,
    ],
    ["an error of IPv6", frame().eth().ip6({ src: "fd00::1", dst: "fd01::1" }).icmp6({ type: 1 }), false],
    ["a neighbour sought", frame().eth().ip6({ src: "fd00::1", dst: "fd01::1" }).icmp6({ type: 135 }), true],
  ])("%s", async (_, built, passes) => {
    const result = (await routerOf()).one(built.bytes());
    expect(result.verdict).toBe(passes ? "FORWARD" : "DROP");
  });

  it("keep an identifier that is free, and find another where it is not", async () => {
    const node = (await BareNode.make({ connections: 4000 }))
      .route("0.0.0.0/0", { kind: "direct", out: 2, source: "172.18.0.2" })
      .chain(0, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
      .hook(HOOK_POSTROUTING, 0, HOOK_NAT);
    const given = Array.from({ length: 300 }, (_, index) => {
      const client = `10.244.${index >> 8}.${index & 255}`;
      const sent = node.one(icmpEcho(client, "192.0.2.1", { id: 9, payload: index & 1 }));
      const id = idOf(sent.frame);
      expect(sent.frame).toEqual(
        icmpEcho("172.18.0.2", "192.0.2.1", { id, ttl: 63, payload: index & 1, ...macsOf(sent.frame) }),
      );
      const back = node.one(icmpEcho("192.0.2.1", "172.18.0.2", { id, reply: true }), 2);
      expect(back.frame).toEqual(
        icmpEcho("192.0.2.1", client, { id: 9, reply: true, ttl: 63, ...macsOf(back.frame) }),
      );
      return id;
    });
    expect(given[0]).toBe(9);
    expect(new Set(given).size).toBe(300);
    expect(Math.min(...given.slice(1))).toBeLessThan(1024);
  });
});

function macsOf(octets: Uint8Array): { readonly dstMac: number; readonly srcMac: number } {
  const mac = (at: number) => [...octets.slice(at, at + 6)].reduce((value, octet) => value * 256 + octet, 0);
  return { dstMac: mac(0), srcMac: mac(6) };
}

const FAMILIES = {
  4: { client: "10.0.0.1", vip: "10.96.0.10", pod: "10.244.2.9", node: "172.18.0.2", router: "192.0.2.77" },
  6: { client: "fd00::1", vip: "fd96::10", pod: "fd44::9", node: "fd18::2", router: "fd99::77" },
} as const;
const KINDS = ["tcp", "udp", "sctp", "echo"] as const;
const WAYS = ["none", "dnat", "snat", "both"] as const;
const HEADER_LENS = { tcp: 20, udp: 8, sctp: 12, echo: 8 };
type Family = keyof typeof FAMILIES;

const at = (address: string, port: number) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** A node that translates as said. */
async function translating(family: Family, way: (typeof WAYS)[number], kind: (typeof KINDS)[number]) {
  const { pod, node: source } = FAMILIES[family];
  const node = await BareNode.make({ connections: 64 });
  if (family === 4) node.route("0.0.0.0/0", { kind: "direct", out: 2, source });
  else node.route("::/0", { kind: "direct", out: 2, source6: source });
  const hooks = family === 4 ? 0 : HOOK_IP6;
  const port = kind === "echo" ? 0 : 8080;
  const dnat =
    family === 4
      ? new RuleDraft().target(TARGET_DNAT, ip4(pod), port)
      : new RuleDraft().target(TARGET_DNAT6, 0xfd440000, 0, 0, 9, port);
  if (way === "dnat" || way === "both") node.chain(0, dnat).hook(hooks + HOOK_PREROUTING, 0, HOOK_NAT);
  if (way === "snat" || way === "both")
    node
      .chain(1, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
      .hook(hooks + HOOK_POSTROUTING, 1, HOOK_NAT);
  const invalid = new RuleDraft().match(MATCH_CTSTATE, false, CTSTATE_INVALID).target(TARGET_DROP);
  return node.chain(2, invalid).hook(hooks + HOOK_FORWARD, 2);
}

interface End {
  readonly address: string;
  readonly port: number;
}

type Kind = (typeof KINDS)[number];

function packetOf(kind: Kind, from: End, to: End, isReply: boolean, ttl: number): Uint8Array {
  const [src, dst] = [at(from.address, from.port), at(to.address, to.port)];
  if (kind === "tcp")
    return tcp(src, dst, { flags: isReply ? "SA" : "S", seq: 77, ack: 78, payload: 30, ttl });
  if (kind === "udp") return udp(src, dst, { payload: 30, ttl });
  if (kind === "sctp")
    return sctp(src, dst, { chunk: isReply ? "INIT ACK" : "INIT", tag: isReply ? 1 : 0, ttl });
  return icmpEcho(from.address, to.address, { reply: isReply, id: 5, payload: 30, ttl });
}

/** An ICMP error with what it quotes. */
function errorOf(family: Family, from: string, to: string, quote: Uint8Array, ttl: number): Uint8Array {
  return family === 4
    ? frame().eth().ip4({ src: from, dst: to, ttl }).icmp({ type: 3, code: 1 }).payload(quote).bytes()
    : frame()
        .eth()
        .ip6({ src: from, dst: to, hopLimit: ttl })
        .icmp6({ type: 1, code: 3 })
        .payload(quote)
        .bytes();
}

/** So many octets of a frame's transport with the header before them; SCTP's checksum, if it is there, is of them alone. */
function quoteOf(family: Family, octets: Uint8Array, room: number, seals: boolean): Uint8Array {
  const header = family === 4 ? 20 : 40;
  const quote = octets.slice(14, 14 + header + room);
  const transport = quote.subarray(header);
  if (seals && transport.length >= 12) {
    transport.fill(0, 8, 12);
    new DataView(quote.buffer).setUint32(header + 8, crc32c(transport), true);
  }
  return quote;
}

describe("ICMP errors", () => {
  it("about a translated packet quote the one that its sender sent, and come from where it went", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom<Family>(4, 6),
      fc.constantFrom(...WAYS),
      fc.constantFrom(...KINDS),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 8, max: 80 }),
      async (family, way, kind, isAboutReply, isRouter, room) => {
        const { client, vip, pod, node: nodeAddress, router } = FAMILIES[family];
        const [hasDnat, hasSnat] = [way === "dnat" || way === "both", way === "snat" || way === "both"];
        const [opener, service] = [
          { address: client, port: 5000 },
          { address: vip, port: 80 },
        ];
        const server = hasDnat ? { address: pod, port: kind === "echo" ? 80 : 8080 } : service;
        const seen = hasSnat ? { ...opener, address: nodeAddress } : opener;
        const node = await translating(family, way, kind);
        node.one(packetOf(kind, opener, service, false, 64));
        if (isAboutReply) node.one(packetOf(kind, server, seen, true, 64), 2);
        // Who had the error, the packet as it came there, who must be told, and the packet as that one knows it.
        const [teller, quoted, told, known] = isAboutReply
          ? [
              opener,
              packetOf(kind, service, opener, true, 63),
              server,
              packetOf(kind, server, seen, true, 63),
            ]
          : [
              server,
              packetOf(kind, seen, server, false, 63),
              opener,
              packetOf(kind, opener, service, false, 63),
            ];
        const target = isAboutReply ? service : seen;
        const by = isRouter ? router : teller.address;
        const error = errorOf(family, by, target.address, quoteOf(family, quoted, room, false), 64);
        const result = node.one(error, isAboutReply ? 1 : 2);
        const knownAs = isAboutReply ? seen.address : vip;
        const from = (isAboutReply ? hasSnat : hasDnat) ? knownAs : by;
        const quote = quoteOf(family, known, room, kind === "sctp" && way !== "none");
        // A checksum stays as it was quoted where its header is not all there.
        const cut = family === 4 ? 24 : 44;
        if (room < HEADER_LENS[kind]) quote.set(quoteOf(family, quoted, room, false).subarray(cut), cut);
        const expected = errorOf(family, from, told.address, quote, 63);
        expected.set(result.frame.slice(0, 12));
        expect([result.verdict, Buffer.from(result.frame).toString("hex")]).toEqual([
          "FORWARD",
          Buffer.from(expected).toString("hex"),
        ]);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it("to somebody else than the packet's sender are INVALID", async () => {
    const node = await translating(4, "none", "udp");
    const { client, vip, router } = FAMILIES[4];
    const left = node.one(
      packetOf("udp", { address: client, port: 5000 }, { address: vip, port: 80 }, false, 64),
    ).frame;
    expect(node.one(errorOf(4, router, client, left.slice(14, 14 + 28), 64), 2).verdict).toBe("FORWARD");
    expect(node.one(errorOf(4, router, "10.0.0.3", left.slice(14, 14 + 28), 64), 2).verdict).toBe("DROP");
  });

  it("that redirect a translated packet are dropped, others pass", async () => {
    const { client, vip, router } = FAMILIES[4];
    for (const [way, fate] of [
      ["none", "FORWARD NONE"],
      ["dnat", "DROP REDIRECT"],
      ["snat", "DROP REDIRECT"],
    ] as const) {
      const node = await translating(4, way, "udp");
      const sent = packetOf("udp", { address: client, port: 5000 }, { address: vip, port: 80 }, false, 64);
      const left = node.one(sent).frame;
      const to = way === "snat" ? FAMILIES[4].node : client;
      const redirect = frame().eth().ip4({ src: router, dst: to }).icmp({ type: 5, code: 1 });
      const { verdict, reason } = node.one(redirect.payload(left.slice(14, 42)).bytes(), 2);
      expect([way, `${verdict} ${reason}`]).toEqual([way, fate]);
    }
  });

  it("that quote too little, a later fragment or an expired connection's packet are INVALID", async () => {
    const node = await translating(4, "dnat", "udp");
    const { client, vip, router } = FAMILIES[4];
    const left = node.one(
      packetOf("udp", { address: client, port: 5000 }, { address: vip, port: 80 }, false, 64),
    ).frame;
    expect(node.one(errorOf(4, router, client, left.slice(14, 14 + 28), 64), 2).verdict).toBe("FORWARD");
    expect(node.one(errorOf(4, router, client, left.slice(14, 14 + 22), 64), 2).verdict).toBe("DROP");
    expect(node.one(errorOf(4, router, client, left.slice(14, 14 + 12), 64), 2).verdict).toBe("DROP");
    const fragment = left.slice();
    fragment[14 + 7] = 1;
    expect(node.one(errorOf(4, router, client, fragment.slice(14, 14 + 28), 64), 2).verdict).toBe("DROP");
    expect(node.one(errorOf(4, router, client, left.slice(14, 14 + 28), 64), 2, 30_000).verdict).toBe("DROP");
  });
});

import { ETH_LEN } from "../../assembly/abi/wire.js";
import type { Family } from "../../src/net/ip.js";
import { parseIp } from "../../src/net/ip.js";
import { printHostPort } from "../../src/net/port.js";
import { frame as build, type Frame, icmpEcho, sctp, tcp, udp } from "../../src/packet/build.js";

/** Frames that a node refuses, by the rules and the network of answers.test.ts. */

export interface Asked {
  readonly by: "eth0" | "cali1";
  readonly frame: Uint8Array;
}

/** What --reject-with may say; the destination port 1000 and so many more says which. */
export const KINDS = {
  4: [
    "icmp-port-unreachable",
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-proto-unreachable",
    "icmp-net-prohibited",
    "icmp-host-prohibited",
    "icmp-admin-prohibited",
    "tcp-reset",
  ],
  6: [
    "icmp6-port-unreachable",
    "icmp6-no-route",
    "icmp6-adm-prohibited",
    "icmp6-addr-unreachable",
    "icmp6-policy-fail",
    "icmp6-reject-route",
    "tcp-reset",
  ],
} as const;

const ENDS = {
  4: { world: "198.51.100.7", pod: "10.244.1.9", node: "172.18.0.2" },
  6: { world: "2001:db8:99::7", pod: "2001:db8:2::9", node: "2001:db8:1::2" },
} as const;

const NODE_MAC = "02:00:00:00:00:02";

function at(address: string, port: number): string {
  return printHostPort(parseIp(address) ?? 0, port);
}

/** The same frame with an octet of its transport changed. */
function damaged(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 0x55;
  return copy;
}

/** The same frame without a UDP checksum. */
function unsealed(frame: Uint8Array, family: Family): Uint8Array {
  const copy = frame.slice();
  const udp = ETH_LEN + (family === 4 ? 20 : 40);
  copy.fill(0, udp + 6, udp + 8);
  return copy;
}

/** An IP header from the world to a Pod, around something else than `tcp` and the like make. */
function toPod(family: Family, protocol: number): Frame {
  const { world: src, pod: dst } = ENDS[family];
  const ethernet = build().eth({ dst: NODE_MAC });
  if (family === 4) return ethernet.ip4({ src, dst, protocol });
  return ethernet.ip6({ src, dst, nextHeader: protocol });
}

/** Packets of any kind from one end to a port of another, each from a port of its own. */
function packets(family: Family, from: string, to: string, port: number, first: number): Uint8Array[] {
  const dst = at(to, port);
  let next = first;
  const src = () => at(from, next++);
  const options = { dstMac: NODE_MAC, id: port };
  return [
    tcp(src(), dst, { ...options, seq: 0xfffffff0 }),
    tcp(src(), dst, { ...options, flags: "A", seq: 7, ack: 0x80000001, payload: 900 }),
    tcp(src(), dst, { ...options, flags: "F", seq: 0xffffffff, payload: 33 }),
    tcp(src(), dst, { ...options, flags: "R" }),
    damaged(tcp(src(), dst, { ...options, payload: 9 })),
    udp(src(), dst, { ...options, payload: 5, tos: 0xff }),
    udp(src(), dst, { ...options, payload: 548 - 28, ttl: 2 }),
    udp(src(), dst, { ...options, payload: 549 - 28, tos: 0x1e }),
    udp(src(), dst, { ...options, payload: 1300, tos: 0xb8 }),
    damaged(udp(src(), dst, { ...options, payload: 40 })),
    unsealed(udp(src(), dst, { ...options, payload: 40 }), family),
    sctp(src(), dst, options),
    damaged(sctp(src(), dst, options)),
    sctp(src(), dst, { ...options, chunk: "DATA", payload: 800 }),
  ];
}

/** What a router refuses by itself: TTLs that are used up, packets that are too long. */
function misfits(family: Family): Uint8Array[] {
  const { world, pod, node } = ENDS[family];
  const options = { dstMac: NODE_MAC };
  const [to, vip] = [at(pod, 7), at(node, 81)];
  const long = (dst: string, dstPort: number, srcPort: number) => {
    const ethernet = build().eth({ dst: NODE_MAC });
    const ip = family === 4 ? ethernet.ip4({ src: world, dst, df: true }) : ethernet.ip6({ src: world, dst });
    return ip.udp({ srcPort, dstPort }).payload(1390).bytes();
  };
  return [
    udp(at(world, 30_001), to, { ...options, ttl: 1, payload: 600 }),
    tcp(at(world, 30_002), vip, { ...options, ttl: 1 }),
    damaged(tcp(at(world, 30_003), to, { ...options, ttl: 1, payload: 3 })),
    sctp(at(world, 30_004), vip, { ...options, ttl: 1, payload: 700 }),
    icmpEcho(world, pod, { ...options, ttl: 1 }),
    long(pod, 7, 30_005),
    long(node, 81, 30_006),
  ];
}

/** Protocols whose checksum REJECT would look at, and such as it would not. */
function strangers(family: Family): Uint8Array[] {
  const { world, pod } = ENDS[family];
  const options = { dstMac: NODE_MAC };
  const error =
    family === 4 ? toPod(4, 1).icmp({ type: 3, code: 3 }) : toPod(6, 58).icmp6({ type: 1, code: 4 });
  const gre = (flags: number) =>
    toPod(family, 47)
      .payload(Uint8Array.of(flags, 0, 8, 0, 1, 2, 3, 4))
      .bytes();
  return [
    icmpEcho(world, pod, options),
    damaged(icmpEcho(world, pod, { ...options, id: 2 })),
    icmpEcho(world, pod, { ...options, reply: true, id: 3 }),
    error.payload(udp(at(pod, 1), at(world, 2)).subarray(ETH_LEN)).bytes(),
    toPod(family, 89).payload(64).bytes(),
    gre(0),
    gre(0x80),
  ];
}

/** Every kind of refusal, in FORWARD from either side, in INPUT, and behind DNAT. */
export function askedOf(family: Family): Asked[] {
  const { world, pod, node } = ENDS[family];
  const kinds = KINDS[family].flatMap((_, index) => {
    const [port, first] = [1000 + index, 10_000 + 100 * index];
    return [
      ...packets(family, world, pod, port, first).map((frame) => ({ by: "eth0", frame }) as const),
      ...packets(family, world, node, port, first + 30).map((frame) => ({ by: "eth0", frame }) as const),
      ...packets(family, pod, world, port, first + 60).map((frame) => ({ by: "cali1", frame }) as const),
    ];
  });
  const others = [...packets(family, world, node, 81, 20_000), ...misfits(family), ...strangers(family)];
  return [...kinds, ...others.map((frame) => ({ by: "eth0", frame }) as const)];
}

/** A packet that goes through, to port 9: all that was sent before has been seen to when it comes out. */
export function sentinels(family: Family, by: Asked["by"]): Asked[] {
  const { world, pod } = ENDS[family];
  const [from, to] = by === "eth0" ? [world, pod] : [pod, world];
  return [{ by, frame: udp(at(from, 9), at(to, 9), { dstMac: NODE_MAC }) }];
}

import fc from "fast-check";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { GeneveOptions } from "../../src/packet/frame.js";
import { BALANCED, GENEVE_PORT, NODE, POD_PORT, PODS, PORT, SERVERS, UPLINK, VIP, VNI } from "./node.js";

export const TARGETS = [
  VIP,
  BALANCED,
  "10.244.1.3",
  "10.244.2.9",
  "10.244.3.1",
  "198.51.100.9",
  "192.0.2.1",
  NODE,
  "203.0.113.1",
];
/** Mostly of packets in the middle: one that ends a connection takes it off the express way. */
const FLAGS = ["A", "A", "A", "A", "A", "A", "PA", "PA", "SA", "S", "FA", "R"];

/** Geneve's header, by what is about it. */
const GENEVE: Readonly<Record<string, Partial<GeneveOptions>>> = {
  "geneve-options": { options: new Uint8Array(24) },
  "geneve-vni": { vni: VNI + 1 },
  "geneve-control": { control: true },
  "geneve-critical": { critical: true },
  "geneve-version": { version: 1 },
  "geneve-ip": { type: 0x0800 },
};

export const way = fc.record({
  pod: fc.constantFrom(PODS[0], PODS[0], PODS[0], PODS[1]),
  target: fc.constantFrom(...TARGETS),
  protocol: fc.constantFrom("TCP", "UDP"),
  flags: fc.constantFrom(...FLAGS),
  ttl: fc.constantFrom(64, 64, 64, 64, 2, 1, 0),
  tos: fc.constantFrom(0, 0, 0, 1, 2, 3, 0xb9),
  payload: fc.constantFrom(0, 1, 40, 41, 260),
  answers: fc.boolean(),
  isForMany: fc.constantFrom(...Array.from({ length: 20 }, (_, index) => index === 0)),
  tunnel: fc.oneof(
    { weight: 3, arbitrary: fc.constant("none") },
    { weight: 1, arbitrary: fc.constantFrom("plain", "plain", "ce", "ect1", "elsewhere", "vni", "short") },
    { weight: 1, arbitrary: fc.constantFrom("geneve", "geneve", ...Object.keys(GENEVE), "geneve-short") },
  ),
});

export interface Way {
  readonly pod: string;
  readonly target: string;
  readonly protocol: string;
  readonly flags: string;
  readonly ttl: number;
  readonly tos: number;
  readonly payload: number;
  readonly answers: boolean;
  /** Its frame, of what came by tunnel the one inside, is a multicast one. */
  readonly isForMany: boolean;
  readonly tunnel: string;
}

export function segment(way: Way): Uint8Array {
  const octets = segmentToOne(way).slice();
  if (way.isForMany) octets[0] = (octets[0] ?? 0) | 1;
  return octets;
}

function segmentToOne({ pod, target, protocol, flags, ttl, tos, payload, answers }: Way): Uint8Array {
  const server = (answers && SERVERS[target]) || `${target}:80`;
  const [from, to] = answers ? [server, `${pod}:4000`] : [`${pod}:4000`, server];
  const options = { ttl, tos, payload };
  return protocol === "TCP" ? tcp(from, to, { ...options, flags }) : udp(from, to, options);
}

/** Congestion marks of the outer header. */
const ECN: Readonly<Record<string, number>> = { ce: 3, ect1: 1 };

function inGeneve(inner: Uint8Array, how: string): Uint8Array {
  const options = how === "geneve-short" ? new Uint8Array(252) : new Uint8Array(0);
  const length = how === "geneve-short" ? { length: 8 + 8 + 252 + 13, checksum: 0 } : {};
  return frame()
    .eth({})
    .ip4({ src: "172.18.0.3", dst: NODE })
    .udp({ srcPort: 40000, dstPort: GENEVE_PORT, ...length })
    .geneve({ vni: VNI, options, ...GENEVE[how] })
    .payload(inner)
    .bytes();
}

function tunnelled(inner: Uint8Array, how: string): Uint8Array {
  if (how.startsWith("geneve")) return inGeneve(inner, how);
  const dst = how === "elsewhere" ? "10.244.1.2" : NODE;
  const payload = how === "short" ? inner.subarray(0, 20) : inner;
  const tos = ECN[how] ?? 0;
  return frame()
    .eth({})
    .ip4({ src: "172.18.0.3", dst, tos })
    .udp({ srcPort: 40000, dstPort: PORT })
    .vxlan({ vni: how === "vni" ? VNI + 1 : VNI })
    .payload(payload)
    .bytes();
}

/** ESP, of which nothing is remembered. */
export function bare(fields: Partial<Parameters<ReturnType<typeof frame>["ip4"]>[0]>): Uint8Array {
  return frame()
    .eth({})
    .ip4({ src: PODS[0], dst: "10.244.2.9", protocol: 50, ...fields })
    .payload(30)
    .bytes();
}

const UDP_CHECKSUM_AT = 40;

function udpChecksum(octets: Uint8Array): number {
  return ((octets[UDP_CHECKSUM_AT] ?? 0) << 8) | (octets[UDP_CHECKSUM_AT + 1] ?? 0);
}

function withoutChecksum(octets: Uint8Array): Uint8Array {
  const copy = octets.slice();
  copy.fill(0, UDP_CHECKSUM_AT, UDP_CHECKSUM_AT + 2);
  return copy;
}

/** Frames of fewer octets go the way of all packets. */
const PAYLOAD = 20;

/** A packet to the VIP of which only the checksum is of interest: that after its translation adds to 0. */
function sumsToZero(): Uint8Array {
  for (let word = 0; word < 65_536; word++) {
    const payload = new Uint8Array(PAYLOAD);
    payload.set([word >> 8, word & 255]);
    if (udpChecksum(udp(`${PODS[0]}:4000`, "10.244.2.9:8080", { payload })) === 0xffff)
      return udp(`${PODS[0]}:4000`, `${VIP}:80`, { payload });
  }
  throw new Error("no payload makes that sum");
}

const ALL_ONES_UDP = sumsToZero();
const ORIGINAL_UDP = udp(`${PODS[0]}:4000`, `${VIP}:80`, { payload: PAYLOAD });

/** What else may come: nothing of it goes the express way, or it does so without a connection. */
const odd: readonly Uint8Array[] = [
  icmpEcho(PODS[0], "10.244.2.9"),
  new Uint8Array(20),
  bare({}),
  bare({ protocol: 132 }),
  bare({ mf: true }),
  bare({ fragmentOffset: 8 }),
  bare({ totalLength: 19 }),
  bare({ totalLength: 20 }),
  ...[
    "0.0.0.0",
    "1.0.0.0",
    "126.0.0.1",
    "127.0.0.1",
    "223.255.255.255",
    "224.0.0.0",
    "255.255.255.255",
  ].flatMap((address) => [bare({ src: address }), bare({ dst: address })]),
  ...[ORIGINAL_UDP, ALL_ONES_UDP].flatMap((one) => [one, withoutChecksum(one)]),
];

/** One in so many is as drawn, the others undefined. */
const oneIn = <T>(count: number, drawn: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: count - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: drawn });

/** Octets that are spoilt: [place, what is added to it]. */
const spoil = oneIn(8, fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })));

export const arrival = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: way }, { weight: 1, arbitrary: fc.constantFrom(...odd) }),
    spoil,
    fc.constantFrom(POD_PORT, POD_PORT, UPLINK, 0),
    fc.constantFrom(128, 128, 128, 128, 100, 80, 79, 0),
    oneIn(12, fc.integer({ min: 40, max: 120 })),
    oneIn(12, fc.integer({ min: 1900, max: 2060 })),
  )
  .map(([drawn, spoilt, inNumber, headroom, cut, further]) => {
    const plain = drawn instanceof Uint8Array ? drawn : segment(drawn);
    const isTunnelled = !(drawn instanceof Uint8Array) && drawn.tunnel !== "none";
    const octets = (isTunnelled ? tunnelled(plain, drawn.tunnel) : plain).slice();
    if (spoilt !== undefined && spoilt[0] < octets.length)
      octets[spoilt[0]] = (octets[spoilt[0]] ?? 0) + spoilt[1];
    const whole = octets.subarray(0, cut ?? octets.length);
    return { octets: whole, inNumber: isTunnelled ? UPLINK : inNumber, headroom, further: further ?? 0 };
  });

export interface Arrival {
  readonly octets: Uint8Array;
  readonly inNumber: number;
  readonly headroom: number;
  /** The column says that the frame begins so many octets later, perhaps outside of its slot. */
  readonly further?: number;
}

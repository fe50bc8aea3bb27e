import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  MATCH_CTSTATE,
  MATCH_IN,
  MATCH_MARK,
  MATCH_SPORT,
  MATCH_STATISTIC,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_NONE,
  TARGET_RETURN,
} from "../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY } from "../assembly/abi/image.js";
import type { Batch } from "../src/engine/batch.js";
import { RuleDraft } from "../src/engine/entries/rules.js";
import { frame, icmpEcho, tcp, udp } from "../src/packet/build.js";
import type { GeneveOptions } from "../src/packet/frame.js";
import { BareNode, type Hop, ip4 } from "./bare-node.js";

/**
 * The express way is for packets about which nothing is left to decide. The trace build never takes it, so whatever it
 * does to a packet is what the run build must do: frames, columns and all of the state, octet for octet.
 */
const [POD_PORT, UPLINK, TUNNEL] = [1, 2, 3];
const NODE = "172.18.0.2";
const VNI = 7;
const PORT = 8472;
const GENEVE_PORT = 6081;
const PODS = ["10.244.1.2", "10.244.1.3"] as const;
const VIP = "10.96.0.10";
/** Whose connections go to one of two servers, by chance. */
const CHANCE = "10.96.0.11";
const CHOICES = ["10.244.2.9", "10.244.2.10"] as const;
/** Of a virtual server of IPVS. */
const BALANCED = "10.96.0.20";
/** Who answers for a virtual address. */
const SERVERS: Readonly<Record<string, string>> = { [VIP]: "10.244.2.9:8080", [BALANCED]: "10.244.1.3:8080" };

const TUNNEL_HOP: Hop = {
  kind: "vxlan",
  out: TUNNEL,
  leave: UPLINK,
  mtu: 300,
  vni: VNI,
  port: PORT,
  outerSrc: NODE,
  outerDst: "172.18.0.3",
  dstMac: "0e:f1:0a:f4:02:00",
  outerDstMac: "02:42:ac:12:00:03",
};

const geneveOf = (options: number | undefined): Partial<Hop> =>
  options === undefined ? {} : { kind: "geneve", port: GENEVE_PORT, options: Array(options).fill(0) };

/** Where the drawn chains stand; the fourth is where jumps lead to. */
const HOOKS = [HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING, undefined, HOOK_INPUT, HOOK_OUTPUT];
/** The chain that drawn jumps lead to. */
const SUB_CHAIN = 4;

type Match = (rule: RuleDraft, invert: boolean) => RuleDraft;

const MATCHES: Readonly<Record<string, Match>> = {
  established: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_ESTABLISHED),
  new: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_NEW),
  invalid: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_INVALID),
  dnat: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_DNAT),
  mark: (rule, invert) => rule.match(MATCH_MARK, invert, 0x4000, 0x4000),
  unmarked: (rule, invert) => rule.match(MATCH_MARK, invert, 0, 0x4000),
  statistic: (rule) => rule.match(MATCH_STATISTIC, false, 1 << 30),
  sport: (rule, invert) => rule.match(MATCH_SPORT, invert, 80, 4000),
  in: (rule, invert) => rule.match(MATCH_IN, invert, POD_PORT),
};

const FIELDS: Readonly<Record<string, Match>> = {
  src: (rule, invert) => rule.src({ address: ip4(PODS[0]), length: 32 }, invert),
  dst: (rule, invert) => rule.dst({ address: ip4("10.244.2.0"), length: 24 }, invert),
  protocol: (rule, invert) => rule.protocol(6, invert),
  low: (rule, invert) => rule.dport(0, 80, invert),
  high: (rule, invert) => rule.dport(80, 65_535, invert),
};

const drawnFrom = (table: Readonly<Record<string, Match>>, maxLength: number) =>
  fc.array(fc.tuple(fc.constantFrom(...Object.values(table)), fc.boolean()), { maxLength });

/** A rule of a filter chain: mostly such as say what becomes of known connections, others before and among them. */
const ruleOf = (targets: readonly number[]) =>
  fc
    .record({
      fields: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: drawnFrom(FIELDS, 1) },
      ),
      matches: drawnFrom(MATCHES, 2),
      target: fc.constantFrom(...targets),
    })
    .map(({ fields, matches, target }) => {
      const rule = new RuleDraft();
      for (const [add, invert] of [...fields, ...matches]) add(rule, invert);
      if (target === TARGET_MARK) return rule.target(TARGET_MARK, 0x4000, 0x4000);
      return target === TARGET_JUMP || target === TARGET_GOTO
        ? rule.target(target, SUB_CHAIN)
        : rule.target(target);
    });

const PLAIN_TARGETS = [TARGET_NONE, TARGET_ACCEPT, TARGET_ACCEPT, TARGET_DROP, TARGET_RETURN, TARGET_MARK];
const drawnRule = ruleOf([...PLAIN_TARGETS, TARGET_JUMP, TARGET_JUMP, TARGET_GOTO]);
/** The chain that others lead to leads nowhere: loops are refused before. */
const lastRule = ruleOf(PLAIN_TARGETS);

interface Setting {
  /** Of base chains at the hooks of a forwarded packet, and of one they lead to. */
  readonly chains: readonly (readonly RuleDraft[])[];
  readonly verify: boolean;
  readonly noUdpChecksum: boolean;
  /** The tunnel to the other node is Geneve's, with octets of options; undefined: VXLAN's. */
  readonly options?: number | undefined;
  readonly connections: number;
}

async function nodeOf(
  build: "run" | "trace",
  { verify, noUdpChecksum, options, connections, chains }: Setting,
): Promise<BareNode> {
  const node = (await BareNode.make({ build, connections, seed: 5 }))
    .route("10.244.1.0/24", { kind: "direct", out: POD_PORT, bridge: true, dstMac: "02:00:00:00:01:01" })
    .route("10.244.2.0/24", { ...TUNNEL_HOP, ...geneveOf(options), noUdpChecksum })
    .route("10.244.3.0/24", { kind: "unreachable", out: UPLINK })
    .route("198.51.100.0/24", { kind: "direct", out: UPLINK, onLink: true, srcMac: "02:00:00:00:02:02" })
    .route("192.0.2.0/24", { kind: "direct", out: UPLINK, mtu: 60 })
    .route(`${NODE}/32`, { kind: "local" })
    .route(`${BALANCED}/32`, { kind: "local" })
    .service(0, [BALANCED, 6, 80], [["10.244.1.3", 8080, 1]])
    .vxlan(PORT, VNI, TUNNEL)
    .geneve(GENEVE_PORT, VNI, TUNNEL + 1)
    .flags(verify ? IMAGE_FLAG_VERIFY : 0);
  // The last next hop that there is room for is one.
  for (let hop = 0; hop < 9; hop++) node.route(`100.64.${hop}.0/24`, { kind: "direct", out: UPLINK });
  const translate = new RuleDraft()
    .dst({ address: ip4(VIP), length: 32 }, false)
    .target(TARGET_DNAT, ip4("10.244.2.9"), 8080);
  const [toFirst, toSecond] = CHOICES.map((server) =>
    new RuleDraft().dst({ address: ip4(CHANCE), length: 32 }, false).target(TARGET_DNAT, ip4(server), 8080),
  ) as [RuleDraft, RuleDraft];
  node
    .chain(0, translate, toFirst.match(MATCH_STATISTIC, false, 1 << 30), toSecond)
    .hook(HOOK_PREROUTING, 0, HOOK_NAT);
  for (const [index, rules] of chains.entries()) {
    node.chain(1 + index, ...rules);
    const hook = HOOKS[index];
    if (hook !== undefined) node.hook(hook, 1 + index);
  }
  return node;
}

const TARGETS = [
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

const way = fc.record({
  pod: fc.constantFrom(PODS[0], PODS[0], PODS[0], PODS[1]),
  target: fc.constantFrom(...TARGETS),
  protocol: fc.constantFrom("TCP", "UDP"),
  flags: fc.constantFrom(...FLAGS),
  ttl: fc.constantFrom(64, 64, 64, 64, 2, 1, 0),
  tos: fc.constantFrom(0, 0, 0, 1, 2, 3, 0xb9),
  payload: fc.constantFrom(0, 1, 40, 41, 260),
  answers: fc.boolean(),
  tunnel: fc.oneof(
    { weight: 3, arbitrary: fc.constant("none") },
    { weight: 1, arbitrary: fc.constantFrom("plain", "plain", "ce", "ect1", "elsewhere", "vni", "short") },
    { weight: 1, arbitrary: fc.constantFrom("geneve", "geneve", ...Object.keys(GENEVE), "geneve-short") },
  ),
});

interface Way {
  readonly pod: string;
  readonly target: string;
  readonly protocol: string;
  readonly flags: string;
  readonly ttl: number;
  readonly tos: number;
  readonly payload: number;
  readonly answers: boolean;
  readonly tunnel: string;
}

function segment({ pod, target, protocol, flags, ttl, tos, payload, answers }: Way): Uint8Array {
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
function bare(fields: Partial<Parameters<ReturnType<typeof frame>["ip4"]>[0]>): Uint8Array {
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

const arrival = fc
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

interface Arrival {
  readonly octets: Uint8Array;
  readonly inNumber: number;
  readonly headroom: number;
  /** The column says that the frame begins so many octets later, perhaps outside of its slot. */
  readonly further?: number;
}

function place(batch: Batch, index: number, { octets, inNumber, headroom, further = 0 }: Arrival): void {
  batch.set(index, octets, inNumber);
  const at = batch.frames[index] ?? 0;
  batch.octets.copyWithin(at - 128 + headroom + further, at, at + octets.length);
  batch.frames[index] = at - 128 + headroom + further;
}

function outcome(batch: Batch, index: number): string {
  const words = [batch.ins, batch.outs, batch.nextHops, batch.walked, batch.connections].map(
    (one) => one[index],
  );
  const octets = Buffer.from(batch.frame(index)).toString("hex");
  return [batch.verdict(index), batch.reason(index), ...words, batch.frames[index], octets].join(" ");
}

/** Bursts come so many ms one after another. */
const PAUSE = 40_000;

function runAll(
  node: BareNode,
  bursts: readonly (readonly Arrival[])[],
  moves: boolean,
  epoch = 0,
): string[] {
  const outcomes = bursts.flatMap((arrivals, step) => {
    if (moves && step === 1) node.route(`${BALANCED}/32`, { kind: "direct", out: UPLINK });
    const batch = node.batch(arrivals.length, { frameLength: 512 });
    for (const [index, one] of arrivals.entries()) place(batch, index, one);
    node.image.machine.run(
      node.image.address,
      node.image.state,
      batch.address,
      arrivals.length,
      epoch + step * PAUSE,
    );
    return arrivals.map((_, index) => outcome(batch, index));
  });
  return [
    ...outcomes,
    createHash("sha256")
      .update(node.image.memory.octets(node.image.state, node.image.stateLength))
      .digest("hex"),
  ];
}

/** A connection that is open and answered, so that what follows may go the express way. */
function opened(target: string, protocol: "TCP" | "UDP"): Arrival[] {
  const base = { pod: PODS[0], target, protocol, ttl: 64, tos: 0, payload: 9, tunnel: "none" };
  const open: Way = { ...base, flags: "S", answers: false };
  const answer: Way = { ...base, flags: "SA", answers: true };
  return [open, answer].map((one) => ({
    octets: segment(one),
    inNumber: one.answers ? UPLINK : POD_PORT,
    headroom: 128,
  }));
}

const opening = TARGETS.flatMap((target) => [...opened(target, "TCP"), ...opened(target, "UDP")]);

describe("the express way", () => {
  it("is not for a connection that an earlier packet of the burst closed", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const packet = (flags: string, ttl = 64): Arrival => {
      return {
        octets: tcp(`${PODS[0]}:4000`, `${VIP}:80`, { flags, ttl }),
        inNumber: POD_PORT,
        headroom: 128,
      };
    };
    // A SYN after a RST closes the old connection, and is dropped itself.
    const bursts = [opening, [packet("R"), packet("A"), packet("S", 1), packet("A")]];
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const numbers = results.slice(opening.length, -1).map((one) => one.split(" ")[6]);
    expect([numbers[0], numbers[1]]).toEqual([numbers[0], numbers[0]]);
    expect(numbers[3]).not.toBe("0");
  });

  it("is not for a connection that an earlier packet opened anew to another server", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const sent = (flags: string): Arrival => ({
      octets: tcp(`${PODS[0]}:4000`, `${CHANCE}:80`, { flags }),
      inNumber: POD_PORT,
      headroom: 128,
    });
    // Only one of them is asked.
    const answers = CHOICES.map((server) => ({
      octets: tcp(`${server}:8080`, `${PODS[0]}:4000`, { flags: "SA" }),
      inNumber: UPLINK,
      headroom: 128,
    }));
    const burst = [sent("A"), sent("R"), sent("S"), ...answers, sent("A")];
    const bursts = [[sent("S"), ...answers], ...Array.from({ length: 8 }, () => burst)];
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const serverOf = (index: number) =>
      results[index]?.includes(Buffer.from([10, 244, 2, 10]).toString("hex"));
    const moved = Array.from({ length: 8 }, (_, index) => 3 + index * 6).filter(
      (first) => serverOf(first) !== serverOf(first + 5),
    );
    expect(moved.length).toBeGreaterThan(0);
  });

  it("is not for a connection that is over, whatever the clock's halves say", async () => {
    const stranger = [{ octets: icmpEcho(PODS[0], NODE), inNumber: POD_PORT, headroom: 128 }];
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    for (const epoch of [2 ** 31, 2 ** 32, 2 ** 33].map((turn) => turn - 3.5 * PAUSE)) {
      // UDP's are over after three pauses, TCP's are not.
      for (const quiet of [1, 2, 3, 4]) {
        const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
        const bursts = [
          opening,
          ...Array.from({ length: quiet - 1 }, () => stranger),
          opening.filter((_, i) => i % 4 > 1),
        ];
        expect(runAll(run, bursts, false, epoch)).toEqual(runAll(trace, bursts, false, epoch));
      }
    }
  });

  it("leaves the same octets everywhere as the way of all packets", async () => {
    const counts = new Map<string, number>();
    const setting = fc.record({
      verify: fc.boolean(),
      noUdpChecksum: fc.boolean(),
      options: fc.constantFrom(undefined, undefined, 0, 28),
      connections: fc.constantFrom(4, 64, 1024),
      moves: fc.boolean(),
      // The timers' lower halves pass 2^31 and 2^32.
      epoch: fc.constantFrom(0, 2 ** 31 - PAUSE, 2 ** 32 - PAUSE, 2 ** 33),
      chains: fc.oneof(
        fc.constant([]),
        fc
          .tuple(fc.array(drawnRule, { maxLength: 1 }), fc.array(drawnRule, { minLength: 1, maxLength: 2 }))
          .map(([input, output]) => [[], [], [], [], input, output]),
        fc.tuple(
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(drawnRule, { maxLength: 6 }),
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(lastRule, { maxLength: 4 }),
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(drawnRule, { maxLength: 2 }),
        ),
      ),
    });
    // Often several of a kind one after another.
    const some = fc
      .tuple(arrival, fc.constantFrom(1, 1, 1, 3, 8))
      .map(([one, times]) => Array(times).fill(one));
    const burst = fc
      .array(some, { minLength: 1, maxLength: 60, size: "max" })
      .map((drawn) => drawn.flat() as Arrival[]);
    const bursts = fc.array(burst, { minLength: 1, maxLength: 3 });
    const property = fc.asyncProperty(setting, bursts, async (drawn, packets) => {
      const [run, trace] = [await nodeOf("run", drawn), await nodeOf("trace", drawn)];
      const all = [opening, ...packets];
      const results = runAll(run, all, drawn.moves, drawn.epoch);
      expect(results).toEqual(runAll(trace, all, drawn.moves, drawn.epoch));
      for (const result of results) {
        const [name = ""] = result.split(" ");
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    });
    await fc.assert(property, { numRuns: 200 });
    for (const verdict of ["FORWARD", "LOCAL", "DROP", "PUNT"])
      expect(counts.get(verdict)).toBeGreaterThan(100);
  });
});

import { release } from "node:os";
import { type CompileOptions, compile } from "../../../src/compile.js";
import type { Family } from "../../../src/net/ip.js";
import type { Neighbour } from "../../../src/ruleset/neighbours.js";
import type { ProxyMode, Ruleset } from "../../../src/ruleset/ruleset.js";
import { type BrokenRule, withBrokenRule } from "./broken-rule.js";
import { type Draws, evenness } from "./chi-square.js";
import { type Conversation, NODE_WAY } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { Dice } from "./dice.js";
import { drawNode, EVEN_ENDPOINTS, EVEN_IP, NODE_IP, NONE_IP } from "./drawn-node.js";
import { addressIn } from "./in-family.js";
import { type Backend, loading } from "./kernel-rules.js";
import { MachineSide } from "./machine-side.js";
import { Destinations, GUESTS, Ports, Sources, UPLINK } from "./parties.js";
import { Rig, type Sentinel } from "./rig.js";
import { enter } from "./segment.js";
import { Sitting } from "./sitting.js";
import { endsOf } from "./steps.js";
import { type Outcome, Tally } from "./tally.js";
import { TUNNEL } from "./tunnel.js";

/** Who is asked in the kernel. */
export interface Mode {
  readonly name: string;
  readonly proxy: ProxyMode;
  readonly backend: Backend;
  /** Only user-mode Linux has what it takes. */
  readonly inUml?: boolean;
}

export const MODES: readonly Mode[] = [
  { name: "iptables-legacy", proxy: "iptables", backend: "legacy" },
  { name: "iptables-nft", proxy: "iptables", backend: "nft" },
  { name: "nftables", proxy: "nftables", backend: "nft" },
  { name: "ipvs", proxy: "ipvs", backend: "legacy", inUml: true },
];

export interface TrialSetup {
  readonly mode: Mode;
  /** Those of the cluster, one or both. */
  readonly families: readonly Family[];
  readonly packets: number;
  readonly seed: number;
  /** A rule that is wrong in what the kernel loads. */
  readonly broken?: BrokenRule;
}

/** How one mode did: plain data. */
export interface Trial extends Outcome {
  readonly mode: string;
  readonly families: readonly Family[];
  /** Release of the kernel that was asked. */
  readonly kernel: string;
  /** Packets for which a capture had no room. */
  readonly missed: number;
  /** How the kernel drew endpoints that are as likely as one another, where it draws. */
  readonly draws: Draws | undefined;
}

const SERVICES = 14;
/** First packets that show how endpoints are drawn. */
const DRAWS = 3_000;
/** Conversations to a cluster; then another one is drawn. */
const CONVERSATIONS = 5_000;
/** Of SCTP: IPVS forgets an association that is being set up after three seconds, which nothing changes. */
const ASSOCIATIONS = 300;
/** Some steps are never made, since what they would answer did not come. */
const SPARE = 1.3;

/** Beside each wire's end, one at the node itself. */
export function sentinelsOf(ruleset: Ruleset, family: Family): Sentinel[] {
  const macs = macsOf(ruleset);
  const from = addressIn(family, "198.18.0.1");
  const towards = (at: string, to: string): Sentinel => ({
    at,
    make: (tag) =>
      enter({
        protocol: "UDP",
        way: "eth0",
        mac: macs.get("eth0") ?? 0,
        from: { address: from, port: 1_024 + Math.floor(Math.random() * 64_000) },
        to: { address: addressIn(family, to), port: 9 },
        tag,
        ttl: 64,
        tos: 0,
        payload: 0,
      }),
  });
  return [towards("eth0", "198.18.0.2"), towards("cni0", "10.244.1.100"), towards(NODE_WAY, NODE_IP)];
}

const macsOf = ({ interfaces }: Ruleset) => new Map(interfaces.map(({ name, mac }) => [name, mac]));

/** Connections do not end while others are asked: the judge's clocks are too coarse for seconds. */
const PATIENCE_S = 600;
const PATIENT = Object.fromEntries(
  [
    ...["closed", "cookie_wait", "cookie_echoed", "shutdown_sent", "shutdown_recd", "shutdown_ack_sent"].map(
      (state) => `sctp_timeout_${state}`,
    ),
    ...["tcp_timeout_close", "udp_timeout", "icmp_timeout", "icmpv6_timeout", "frag6_timeout"],
  ]
    .map((name) => `net.netfilter.nf_conntrack_${name}`)
    .concat("net.ipv4.ipfrag_time")
    .map((name) => [name, PATIENCE_S]),
);

/** What the machine does that does not follow windows. */
const LIBERAL = {
  "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
  "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst": 1,
};

/**
 * The node with a wire in the place of its bridge, so that what goes from Pod to Pod is routed, not switched; and with
 * patience.
 */
export function routed(ruleset: Ruleset, hasWindows = false): Ruleset {
  const interfaces = ruleset.interfaces.map((device) =>
    device.kind === "bridge" ? { ...device, kind: "uplink" as const } : device,
  );
  return {
    ...ruleset,
    interfaces,
    sysctls: { ...ruleset.sysctls, ...PATIENT, ...(hasWindows ? {} : LIBERAL) },
  };
}

/** On-link hosts, with the MAC addresses that the machine gives to hosts it has no entry of. */
function guestsOf(families: readonly Family[]): Neighbour[] {
  const addresses = families.flatMap((family) => GUESTS.map((text) => addressIn(family, text)));
  return addresses.map((address) => {
    return { address, dev: "eth0", mac: 0x0242 * 2 ** 32 + Number(BigInt(address) & 0xffff_ffffn) };
  });
}

/** A node in the kernel and in the machine, and those who talk through it. */
interface Stage {
  readonly rig: Rig;
  readonly sitting: Sitting;
  readonly conversations: Conversations;
}

/** Whether IPVS' choices follow from all before them: one that is not as in the kernel would make others. */
const takesTurns = ({ ipvsScheduler }: CompileOptions) => ipvsScheduler === "rr" || ipvsScheduler === "wrr";

async function stageOf(setup: TrialSetup, dice: Dice, tally: Tally): Promise<Stage> {
  const { families, mode } = setup;
  const { proxy, backend } = mode;
  const hasAffinity = dice.percent(50);
  const { cluster, options } = drawNode(dice, SERVICES, {
    families,
    hasAffinity,
  });
  const cni = { plugin: "flannel", backend: dice.of(["host-gw", "vxlan"] as const) } as const;
  const hasWindows = proxy !== "ipvs" && dice.percent(60);
  const ruleset = routed(compile(cluster, { ...options, proxy, cni }), hasWindows);
  const machine = await MachineSide.load(ruleset, hasWindows);
  const right = loading(ruleset, backend);
  const texts = setup.broken === undefined ? right : withBrokenRule(right, setup.broken);
  const hearing = proxy === "ipvs" ? "sockets" : "nflog";
  const parts = {
    ruleset,
    texts,
    guests: guestsOf(families),
    settings: ruleset.sysctls ?? {},
    hearing,
  } as const;
  const rig = await Rig.raise(parts, sentinelsOf(ruleset, families[0] ?? 4));
  const inTurns = proxy === "ipvs" && takesTurns(options);
  // Where sockets hear, what comes by tunnels is kept from the device's own socket too.
  const hasTunnel = cni.backend === "vxlan" && hearing === "nflog";
  const tunnel = hasTunnel ? TUNNEL : UPLINK;
  const parties = families.map((family) => ({
    sources: new Sources(cluster, family, family === 4 ? tunnel : UPLINK),
    destinations: new Destinations(cluster, family),
    ports: new Ports(cluster, inTurns),
  }));
  return {
    rig,
    sitting: new Sitting(rig, machine, tally),
    conversations: new Conversations(parties, macsOf(ruleset), {
      remembers: hasAffinity || inTurns,
      // Sockets hear few protocols, and IPVS' own table knows connections that conntrack calls INVALID.
      tellsOdd: proxy !== "ipvs",
      // These sockets hear nothing of fragments of IPv6 that go on as they are, nor of ICMPv6 with a wrong checksum.
      tellsPieces: proxy === "ipvs" ? [4] : [4, 6],
      tunnel,
    }),
  };
}

/** So many packets' worth of conversations, or as many as one cluster is asked. */
function drawConversations(drawn: Conversations, dice: Dice, packets: number): Conversation[] {
  const conversations: Conversation[] = [];
  for (let planned = 0; planned < packets && conversations.length < CONVERSATIONS; ) {
    const conversation = drawn.draw(dice);
    planned += conversation.steps.length;
    conversations.push(conversation);
  }
  return conversations;
}

/** Conversations that are held at once. */
function sittingsOf(conversations: readonly Conversation[]): Conversation[][] {
  const isSctp = ({ kind }: Conversation) => kind.startsWith("SCTP");
  const associations = conversations.filter(isSctp);
  const sittings = [conversations.filter((conversation) => !isSctp(conversation))];
  for (let from = 0; from < associations.length; from += ASSOCIATIONS)
    sittings.push(associations.slice(from, from + ASSOCIATIONS));
  return sittings;
}

/** First packets to one Service, by the endpoint that got them; every tenth is to one that has none. */
async function drawsOf({ sitting, conversations }: Stage, dice: Dice, count: number): Promise<Draws> {
  const asked = Array.from({ length: count }, (_, index) => {
    return conversations.drawFirst(dice, index % 10 === 0 ? NONE_IP : EVEN_IP, 80);
  });
  const counts = new Map<string, number>();
  for (const leaving of await sitting.hold(asked)) {
    const endpoint = leaving === undefined ? undefined : String(endsOf(leaving)?.[1].address);
    if (endpoint !== undefined) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  }
  const seen = [...counts.values()];
  return evenness([...seen, ...Array.from({ length: Math.max(0, EVEN_ENDPOINTS - seen.length) }, () => 0)]);
}

/** Holds one mode's trial: so many packets, over as many clusters as they need. */
export async function holdTrial(setup: TrialSetup, say: (line: string) => void): Promise<Trial> {
  const tally = new Tally(setup.mode.proxy);
  const mode = setup.mode.name;
  let missed = 0;
  let draws: Draws | undefined;
  for (let index = 0; tally.packets < setup.packets; index++) {
    const dice = new Dice(setup.seed * 1_000 + index);
    const stage = await stageOf(setup, dice, tally);
    try {
      draws ??= await drawsOf(stage, dice, Math.min(DRAWS, Math.ceil(setup.packets / 10)));
      const wanted = (setup.packets - tally.packets) * SPARE;
      for (const sitting of sittingsOf(drawConversations(stage.conversations, dice, wanted)))
        await stage.sitting.hold(sitting);
    } finally {
      missed += await stage.rig.fell();
    }
    say(`${mode}: ${tally.packets} of ${setup.packets} packets, ${tally.differing} differ`);
  }
  // IPVS' schedulers do not draw.
  const drawn = setup.mode.proxy === "ipvs" ? undefined : draws;
  return { mode, families: setup.families, kernel: release(), missed, draws: drawn, ...tally.outcome };
}

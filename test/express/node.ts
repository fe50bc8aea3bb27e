import { HOOK_NAT, HOOK_PREROUTING, MATCH_STATISTIC, TARGET_DNAT } from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { BareNode, type Hop, ip4 } from "../bare-node.js";
import { HOOKS } from "./rules.js";

/**
 * The express way is for packets about which nothing is left to decide. The trace build never takes it, so whatever it
 * does to a packet is what the run build must do: frames, columns and all of the state, octet for octet.
 */
export const [POD_PORT, UPLINK, TUNNEL] = [1, 2, 3];
export const NODE = "172.18.0.2";
export const VNI = 7;
export const PORT = 8472;
export const GENEVE_PORT = 6081;
export const PODS = ["10.244.1.2", "10.244.1.3"] as const;
export const VIP = "10.96.0.10";
/** Whose connections go to one of two servers, by chance. */
export const CHANCE = "10.96.0.11";
export const CHOICES = ["10.244.2.9", "10.244.2.10"] as const;
/** Of a virtual server of IPVS. */
export const BALANCED = "10.96.0.20";
/** Who answers for a virtual address. */
export const SERVERS: Readonly<Record<string, string>> = {
  [VIP]: "10.244.2.9:8080",
  [BALANCED]: "10.244.1.3:8080",
};

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

interface Setting {
  /** Of base chains at the hooks of a forwarded packet, and of one they lead to. */
  readonly chains: readonly (readonly RuleDraft[])[];
  readonly verify: boolean;
  readonly noUdpChecksum: boolean;
  /** The tunnel to the other node is Geneve's, with octets of options; undefined: VXLAN's. */
  readonly options?: number | undefined;
  readonly connections: number;
}

export async function nodeOf(
  build: "run" | "trace",
  { verify, noUdpChecksum, options, connections, chains }: Setting,
): Promise<BareNode> {
  const node = (await BareNode.make({ build, connections, seed: 5, sysctls: { "net.ipv4.vs.conntrack": 1 } }))
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

import {
  type Cluster,
  type CompileOptions,
  compile,
  type DropReason,
  Engine,
  likeliest,
  type Outcome,
  type PacketOptions,
  type ProxyMode,
  type Ruleset,
  type Step,
  type Trace,
  type VerdictName,
} from "../index.js";
import { type Ip, parseIp } from "../net/ip.js";

/** What one node did with the packet. */
export interface Leg {
  readonly node: string;
  readonly mode: ProxyMode;
  readonly steps: readonly Step[];
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  /** The interface that the frame left by; undefined unless it was forwarded. */
  readonly out: string | undefined;
  /** What the node sends back, where it drops or refuses the packet. */
  readonly answer: Step | undefined;
  /** All that may become of it on this node. */
  readonly outcomes: readonly Outcome[];
  readonly names: Ruleset["names"];
  readonly numbering: Engine["numbering"];
  readonly diagnostics: Ruleset["diagnostics"];
}

export interface Journey {
  readonly legs: readonly Leg[];
  /** What became of it in the end, as one sentence. */
  readonly end: string;
  /** `pod/shop/web-0` or `node/worker-1`, where it was delivered within the cluster. */
  readonly delivered: string | undefined;
}

export interface JourneyOptions {
  readonly node: string;
  /** How kube-proxy runs on every node. */
  readonly proxy: CompileOptions;
  /** Of choices and ports; undefined: the likeliest outcome is told. */
  readonly seed: number | undefined;
}

/** Nodes that one packet is followed through: more would be a circle, which its TTL would end. */
const MAX_LEGS = 8;
/** A trace opens a connection a node. */
const CONNECTIONS = 1024;

interface Arrival {
  readonly node: string;
  readonly frame: Uint8Array;
  /** Came from another node, by the uplink. */
  readonly isRelayed: boolean;
}

function uplinkOf(ruleset: Ruleset): string | undefined {
  return ruleset.interfaces.find(({ kind }) => kind === "uplink")?.name;
}

/** All that may become of a packet, and one way of it: that of the likeliest outcome, or what the engine's seed draws. */
export function tell(
  engine: Engine,
  frame: Uint8Array,
  arrival: PacketOptions,
  isLikeliest: boolean,
): { readonly outcomes: readonly Outcome[]; readonly trace: Trace } {
  const outcomes = engine.explore(frame, arrival);
  const told = isLikeliest ? likeliest(outcomes) : undefined;
  const choices = told === undefined ? {} : { choices: told.choices };
  return { outcomes, trace: engine.follow(frame, { ...arrival, ...choices, answer: true }) };
}

async function pass(
  cluster: Cluster,
  { node, frame, isRelayed }: Arrival,
  { proxy, seed }: JourneyOptions,
): Promise<{ readonly leg: Leg; readonly frame: Uint8Array }> {
  const { localAddresses, ...everywhere } = proxy;
  // Further addresses are those of the node where the packet starts.
  const own = isRelayed || localAddresses === undefined ? {} : { localAddresses };
  const ruleset = compile(cluster, { ...everywhere, ...own, node });
  const engine = await Engine.load(ruleset, {
    ...(seed === undefined ? {} : { seed }),
    connections: CONNECTIONS,
    fragments: 0,
  });
  const uplink = isRelayed ? uplinkOf(ruleset) : undefined;
  const way = uplink === undefined ? {} : { in: uplink };
  const { outcomes, trace } = tell(engine, frame, way, seed === undefined);
  const { steps, verdict, reason } = trace;
  const out = verdict === "FORWARD" ? steps.at(-1)?.dev : undefined;
  const { proxy: mode, names, diagnostics } = ruleset;
  const { numbering } = engine;
  const answer = trace.answer?.step;
  const leg = { node, mode, steps, verdict, reason, out, answer, outcomes, names, numbering, diagnostics };
  return { leg, frame: trace.frame };
}

/** The address that the frame was sent to on the last stretch. */
function nextAddress({ verdict, steps }: Leg): Ip | undefined {
  const to = verdict === "FORWARD" ? steps.at(-1)?.to : undefined;
  return to === undefined ? undefined : parseIp(to);
}

function nextNode(cluster: Cluster, leg: Leg): string | undefined {
  const address = nextAddress(leg);
  if (address === undefined) return undefined;
  const node = cluster.nodes.find(({ internalIPs }) => internalIPs.includes(address));
  return node?.name === leg.node ? undefined : node?.name;
}

/** The Pod on the node's bridge that the frame went to. */
function bridgedPod(cluster: Cluster, leg: Leg): string | undefined {
  const address = nextAddress(leg);
  if (address === undefined) return undefined;
  const pod = cluster.pods.find(
    ({ hostNetwork, nodeName, podIPs }) => !hostNetwork && nodeName === leg.node && podIPs.includes(address),
  );
  return pod === undefined ? undefined : `pod/${pod.namespace}/${pod.name}`;
}

/** The Pod on the node's own network that declares the port; where none does, the node. */
function localPod(cluster: Cluster, leg: Leg): string {
  const port = Number(leg.steps.at(-1)?.dst?.split(":").at(-1));
  const pod = cluster.pods.find(
    ({ hostNetwork, nodeName, ports }) =>
      hostNetwork && nodeName === leg.node && ports.some((one) => one.port === port),
  );
  return pod === undefined ? `node/${leg.node}` : `pod/${pod.namespace}/${pod.name}`;
}

/** What became of packets that were neither forwarded nor delivered. */
export const FATES = {
  DROP: "dropped",
  REJECT: "rejected",
  PUNT: "handed to a slower path",
  HOLD: "held until the rest of its datagram comes",
  NONE: "lost",
} as const;

function ending(cluster: Cluster, leg: Leg): Pick<Journey, "end" | "delivered"> {
  const { verdict, node, out } = leg;
  if (verdict !== "FORWARD" && verdict !== "LOCAL") {
    const text = leg.steps.at(-1)?.text ?? "";
    return { end: `${FATES[verdict]} on node ${node}: ${text}`, delivered: undefined };
  }
  const delivered = verdict === "LOCAL" ? localPod(cluster, leg) : bridgedPod(cluster, leg);
  if (delivered === `node/${node}`) return { end: `delivered to the node itself (${node})`, delivered };
  if (delivered !== undefined) return { end: `delivered to ${delivered} on node ${node}`, delivered };
  return { end: `left node ${node} by ${out}, to no node of the cluster`, delivered };
}

/**
 * Follows a packet from the node where it starts to the end of its way: what leaves one node toward another comes
 * in there by the uplink. InputError as `compile` has it.
 */
export async function follow(cluster: Cluster, frame: Uint8Array, options: JourneyOptions): Promise<Journey> {
  const legs: Leg[] = [];
  let arrival: Arrival | undefined = { node: options.node, frame, isRelayed: false };
  while (arrival !== undefined && legs.length < MAX_LEGS) {
    const passed: Awaited<ReturnType<typeof pass>> = await pass(cluster, arrival, options);
    legs.push(passed.leg);
    const node = nextNode(cluster, passed.leg);
    arrival = node === undefined ? undefined : { node, frame: passed.frame, isRelayed: true };
  }
  const last = legs.at(-1);
  if (last === undefined || arrival !== undefined) {
    return { legs, end: `still on its way after ${MAX_LEGS} nodes`, delivered: undefined };
  }
  return { legs, ...ending(cluster, last) };
}

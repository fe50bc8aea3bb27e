import type { Ruleset } from "../src/ruleset/ruleset.js";
import { Pair } from "./pair.js";
import {
  type FlowFrames,
  PACKETS,
  POD_INTERFACE,
  podFrames,
  routerOf,
  sceneOf,
  UPLINK,
  withGeneve,
} from "./scene.js";
import type { Case, Topic } from "./topic.js";

/** `answersIn`: by where the answers come, not tunnelled. */
async function forwarding(
  name: string,
  ruleset: Ruleset,
  frames: FlowFrames,
  [inName, answersIn]: readonly [string, string],
): Promise<Case> {
  const pair = await Pair.make(ruleset, PACKETS);
  pair.establish(frames, inName, answersIn);
  if (!pair.forwardsAll) throw new Error(`${name}: packets are lost`);
  const contenders = pair.contenders(frames.middle, inName, false);
  return { name, unit: "packet", count: PACKETS, contenders };
}

/** Packets to another node's Pods, and those as they come there. */
async function both(
  name: string,
  [sender, receiver]: readonly [Ruleset, Ruleset],
  far: FlowFrames,
): Promise<readonly Case[]> {
  const encap = await forwarding(`${name} encap`, sender, far, [POD_INTERFACE, UPLINK]);
  const tunnelled = async (frames: readonly Uint8Array[]) => {
    const pair = await Pair.make(sender, PACKETS);
    pair.run(far.opening, POD_INTERFACE);
    pair.run(frames, POD_INTERFACE);
    return pair.output;
  };
  const arriving = { opening: await tunnelled(far.opening), middle: await tunnelled(far.middle) };
  const decap = await forwarding(`${name} decap`, receiver, arriving, [UPLINK, POD_INTERFACE]);
  return [encap, decap];
}

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(100);
  const nodes = [routerOf(cluster, "worker-1"), routerOf(cluster, "worker-2")] as const;
  const near = podFrames(cluster, "worker-1");
  const far = podFrames(cluster, "worker-2");
  const direct = await forwarding("no tunnel", nodes[0], near, [POD_INTERFACE, POD_INTERFACE]);
  return [
    direct,
    ...(await both("VXLAN", nodes, far)),
    ...(await both("Geneve", [withGeneve(nodes[0]), withGeneve(nodes[1])], far)),
  ];
}

/** Packets of established connections between Pods: on the same node, to another node, and from another node. */
export const tunnelTopic: Topic = { name: "tunnel", cases };

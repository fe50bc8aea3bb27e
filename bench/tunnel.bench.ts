import type { Ruleset } from "../src/ruleset/ruleset.js";
import { Pair } from "./pair.js";
import { PACKETS, POD_INTERFACE, podFrames, routerOf, sceneOf, UPLINK, withGeneve } from "./scene.js";
import type { Case, Topic } from "./topic.js";

async function forwarding(
  name: string,
  pair: Pair,
  frames: readonly Uint8Array[],
  inName: string,
): Promise<Case> {
  // The second time every connection is known.
  for (let time = 0; time < 2; time++) pair.run(frames, inName);
  if (!pair.forwardsAll) throw new Error(`${name}: packets are lost`);
  return { name, unit: "packet", count: PACKETS, contenders: pair.contenders(frames, inName, false) };
}

/** Packets to another node's Pods, and those as they come there. */
async function both(
  name: string,
  [sender, receiver]: readonly [Ruleset, Ruleset],
  far: readonly Uint8Array[],
): Promise<readonly Case[]> {
  const encapsulating = await Pair.make(sender, PACKETS);
  const encap = await forwarding(`${name} encap`, encapsulating, far, POD_INTERFACE);
  const tunnelled = encapsulating.output;
  const decap = await forwarding(`${name} decap`, await Pair.make(receiver, PACKETS), tunnelled, UPLINK);
  return [encap, decap];
}

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(100);
  const nodes = [routerOf(cluster, "worker-1"), routerOf(cluster, "worker-2")] as const;
  const near = podFrames(cluster, "worker-1");
  const far = podFrames(cluster, "worker-2");
  return [
    await forwarding("no tunnel", await Pair.make(nodes[0], PACKETS), near, POD_INTERFACE),
    ...(await both("VXLAN", nodes, far)),
    ...(await both("Geneve", [withGeneve(nodes[0]), withGeneve(nodes[1])], far)),
  ];
}

/** Packets of known connections between Pods: on the same node, to another node, and from another node. */
export const tunnelTopic: Topic = { name: "tunnel", cases };

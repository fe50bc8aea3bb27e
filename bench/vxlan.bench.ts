import { Pair } from "./pair.js";
import { PACKETS, POD_INTERFACE, podFrames, routerOf, sceneOf, UPLINK } from "./scene.js";
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

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(100);
  const [sender, receiver] = [routerOf(cluster, "worker-1"), routerOf(cluster, "worker-2")];
  const near = podFrames(cluster, "worker-1");
  const far = podFrames(cluster, "worker-2");
  const encapsulating = await Pair.make(sender, PACKETS);
  const encap = await forwarding("encap", encapsulating, far, POD_INTERFACE);
  const tunnelled = encapsulating.output;
  return [
    await forwarding("no tunnel", await Pair.make(sender, PACKETS), near, POD_INTERFACE),
    encap,
    await forwarding("decap", await Pair.make(receiver, PACKETS), tunnelled, UPLINK),
  ];
}

/** Packets of known connections between Pods: on the same node, to another node, and from another node. */
export const vxlanTopic: Topic = { name: "vxlan", cases };

import { ETH_LEN, IP4_LEN, TCP_LEN } from "../assembly/abi/wire.js";
import { destinationsOf, originOf } from "../src/compare/destinations.js";
import { BATCH_LEN, FRAME_WORDS, type Frames, trafficTo } from "../src/compare/traffic.js";
import { compile } from "../src/compile.js";
import type { Cluster } from "../src/model/cluster.js";
import { syntheticCluster } from "../src/model/synthetic.js";
import { type Flow, replyTo, SEGMENT_LEN, writeSegment } from "../src/packet/segment.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";

/** Packets of a batch. */
export const PACKETS = BATCH_LEN;
/** Pods' packets come in by it. */
export const POD_INTERFACE = "cni0";
export const UPLINK = "eth0";
const GENEVE_PORT = 6081;

export function sceneOf(services: number): Cluster {
  return syntheticCluster({ services, endpoints: 4, seed: 1 });
}

function framesIn(frames: Frames): readonly Uint8Array[] {
  return Array.from({ length: frames.length / FRAME_WORDS }, (_, index) =>
    new Uint8Array(frames.buffer, frames.byteOffset + index * SEGMENT_LEN, SEGMENT_LEN).slice(),
  );
}

/** Packets of the same flows. */
export type FlowFrames = Readonly<Record<"opening" | "middle", readonly Uint8Array[]>>;

/** A batch of opening packets to all Services and one from the middle of the same flows. */
export function serviceFrames(cluster: Cluster): FlowFrames {
  const [first, ...others] = destinationsOf(cluster);
  if (first === undefined) throw new Error("a scene has Services");
  const { uniform, middle } = trafficTo([first, ...others], originOf(cluster).sources, 1);
  return { opening: framesIn(uniform[0] as Frames), middle: framesIn(middle[0] as Frames) };
}

/** Packets from the first Node's Pods straight to Pods of a Node, by address: opening ones, and of the same flows from their middle. */
export function podFrames(cluster: Cluster, node: string): FlowFrames {
  const { sources } = originOf(cluster);
  const targets = cluster.pods.filter(({ nodeName }) => nodeName === node).flatMap(({ podIPs }) => podIPs);
  const framesOf = (kind: keyof FlowFrames) =>
    Array.from({ length: PACKETS }, (_, index) => {
      const flow: Flow = {
        protocol: "TCP",
        src: sources[index % sources.length] as number,
        srcPort: 1024 + index,
        dst: Number(targets[(index * 7 + 1) % targets.length]),
        dstPort: 8080,
      };
      const octets = new Uint8Array(SEGMENT_LEN);
      writeSegment(octets, flow, kind);
      return octets;
    });
  return { opening: framesOf("opening"), middle: framesOf("middle") };
}

/** What answers a packet that left, perhaps in a tunnel: its last octets are the packet. */
export function answerTo(left: Uint8Array): Uint8Array {
  return replyTo(left.slice(left.length - (ETH_LEN + IP4_LEN + TCP_LEN)), false);
}

/** A Node that only routes: no rules, no Services. */
export function routerOf(cluster: Cluster, node: string): Ruleset {
  const { iptables: _, ...router } = compile(cluster, { node, proxy: "iptables" });
  return router;
}

/** The same node with Geneve instead of VXLAN, at its own port. */
export function withGeneve(ruleset: Ruleset): Ruleset {
  const interfaces = ruleset.interfaces.map(({ vxlan, ...rest }) =>
    vxlan === undefined
      ? rest
      : { ...rest, kind: "geneve" as const, geneve: { ...vxlan, port: GENEVE_PORT } },
  );
  return { ...ruleset, interfaces };
}

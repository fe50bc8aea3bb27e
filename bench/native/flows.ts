import { PROTO_TCP } from "../../assembly/abi/wire.js";
import type { Ip4 } from "../../src/net/ip.js";
import { type Flow, replyTo, SEGMENT_LEN, writeSegment } from "../../src/packet/segment.js";
import type { Random } from "../baseline/random.js";
import { FrameFile } from "./frames.js";
import { inPrefixKeys4 } from "./keys.js";
import type { BenchNode } from "./nodes.js";

/** Packets of a ring (bench/native/ring.h). */
export const RING_LEN = 4096;
const SERVICES = 256;
const FIRST_VIP = 0xac1e0000;
const SERVICE_PORT = 80;
const POD_PORT = 8080;

/** A Service's address, and the Pod that its connections go to. */
export interface BenchService {
  readonly vip: Ip4;
  readonly port: number;
  readonly pod: Ip4;
  readonly podPort: number;
}

/** Services, each with one Pod on another node. */
export function drawServices(random: Random, node: BenchNode): readonly BenchService[] {
  const pods = inPrefixKeys4(random, node.remote, SERVICES);
  return Array.from(pods, (pod, index) => ({
    vip: FIRST_VIP + index,
    port: SERVICE_PORT,
    pod,
    podPort: POD_PORT,
  }));
}

/** Connections of the node's own Pods to Services. */
export class BenchFlows {
  readonly #services: Uint32Array;

  constructor(
    random: Random,
    readonly node: BenchNode,
    readonly services: readonly BenchService[],
    readonly count: number,
  ) {
    this.#services = Uint32Array.from({ length: count }, () => random.below(services.length));
  }

  #service(index: number): BenchService {
    return this.services[this.#services[index] as number] as BenchService;
  }

  /** As the client sends it: Pod and port together tell flows apart. */
  flow(index: number): Flow {
    const { pods } = this.node;
    const { vip, port } = this.#service(index);
    const src = pods[index % pods.length] as Ip4;
    return {
      protocol: "TCP",
      src,
      srcPort: 1024 + Math.floor(index / pods.length),
      dst: vip,
      dstPort: port,
    };
  }

  /** Rows of src, dst, ports, protocol, new destination and new port. */
  rows(): Uint32Array {
    const words = new Uint32Array(this.count * 6);
    for (let index = 0; index < this.count; index++) {
      const { src, srcPort, dst, dstPort } = this.flow(index);
      const { pod, podPort } = this.#service(index);
      words.set([src, dst, srcPort * 65536 + dstPort, PROTO_TCP, pod, podPort], index * 6);
    }
    return words;
  }

  /** Every flow's SYN, then every server's answer. */
  opening(): FrameFile {
    const file = new FrameFile({ count: this.count * 2, length: SEGMENT_LEN });
    for (let index = 0; index < this.count; index++) {
      const flow = this.flow(index);
      const { pod, podPort } = this.#service(index);
      writeSegment(file.at(index), flow, "opening");
      const answered = new Uint8Array(SEGMENT_LEN);
      writeSegment(answered, { ...flow, dst: pod, dstPort: podPort }, "opening");
      file.at(this.count + index).set(replyTo(answered, false));
    }
    return file;
  }

  /** Whole rings of packets from the middle of the flows, in an order drawn; a few flows come twice to fill the last. */
  middle(random: Random): FrameFile {
    const count = Math.ceil(this.count / RING_LEN) * RING_LEN;
    const file = new FrameFile({ count, length: SEGMENT_LEN });
    const order = Uint32Array.from({ length: count }, (_, index) => index % this.count);
    for (let last = count - 1; last > 0; last--) {
      const other = random.below(last + 1);
      [order[last], order[other]] = [order[other] as number, order[last] as number];
    }
    for (let index = 0; index < count; index++)
      writeSegment(file.at(index), this.flow(order[index] as number), "middle");
    return file;
  }
}

import { VXLAN_OUTER_LEN } from "../../assembly/abi/wire.js";
import { SEGMENT_LEN } from "../../src/packet/segment.js";
import { maglevPlaces } from "../baseline/maglev.js";
import { Random } from "../baseline/random.js";
import { BenchFlows, drawServices, RING_LEN } from "./flows.js";
import { FrameFile, outerHeaders, TUNNELLED_LEN, writeRouted } from "./frames.js";
import * as keys from "./keys.js";
import { type BenchNode, benchNode } from "./nodes.js";
import { type Case, type Scenario, type Words, writeAll } from "./scenario.js";
import { packRoutes4 } from "./tables.js";

/** Slots as they are by default, of 2 KB and a little, and as dense as frames allow. */
const WIDE = { ours: 2176, native: [2048, 2176] } as const;
const DENSE = { ours: 256, native: [128] } as const;

function packetCases(work: string, label: string, goal?: number): Case[] {
  const prefix = label === "" ? "" : `${label}, `;
  return [
    { strides: WIDE, slots: "2 KB slots" },
    { strides: DENSE, slots: "dense slots" },
  ].map(({ strides, slots }) => ({
    work,
    keys: `${prefix}${slots}`,
    file: "frames.bin",
    strides,
    ...(goal === undefined ? {} : { goal }),
  }));
}

function nodeFiles(node: BenchNode): Record<string, Words> {
  const { address, port, vni } = node.tunnel;
  return {
    "routes.bin": packRoutes4(node.routes),
    "hops.bin": node.hops,
    "tunnel.bin": Uint32Array.of(address, port, vni),
  };
}

/** Packets of a stream that only asks for destinations: 16 rings. */
const STREAM = 16 * RING_LEN;

export function encapScenario(): Scenario {
  return {
    name: "encap",
    subject: "encap",
    cases: packetCases("route, TTL, VXLAN encap", "", 1.1),
    write: (folder) => {
      const node = benchNode(true);
      const destinations = keys.inPrefixKeys4(new Random(41), node.remote, STREAM);
      const frames = new FrameFile({ count: STREAM, length: SEGMENT_LEN });
      for (const [index, dst] of destinations.entries())
        writeRouted(frames.at(index), node.pods[index % node.pods.length] as number, dst);
      writeAll(folder, { ...nodeFiles(node), "frames.bin": frames.octets });
    },
  };
}

function writeTunnelled(folder: string): void {
  const node = benchNode(true);
  const random = new Random(42);
  const sources = keys.inPrefixKeys4(random, node.remote, STREAM);
  const frames = new FrameFile({ count: STREAM, length: TUNNELLED_LEN });
  const outer = outerHeaders(0xac130001, node.tunnel);
  for (const [index, src] of sources.entries()) {
    const frame = frames.at(index);
    frame.set(outer);
    writeRouted(frame.subarray(VXLAN_OUTER_LEN), src, node.pods[random.below(node.pods.length)] as number);
  }
  writeAll(folder, { ...nodeFiles(node), "frames.bin": frames.octets });
}

export function flowScenario(subject: "connection" | "whole", work: string, size: FlowSize): Scenario {
  return {
    name: `${subject}-${size.label}`,
    subject,
    cases: packetCases(work, `${size.label} flows`, size.goal),
    write: (folder) => {
      const random = new Random(51);
      const node = benchNode(subject === "whole");
      const flows = new BenchFlows(random, node, drawServices(random, node), size.flows);
      const services = flows.services.flatMap(({ vip, port, pod, podPort }) => [vip, port, pod, podPort]);
      writeAll(folder, {
        ...nodeFiles(node),
        "services.bin": Uint32Array.from(services),
        "flows.bin": flows.rows(),
        "opening.bin": flows.opening().octets,
        "frames.bin": flows.middle(random).octets,
      });
    },
  };
}

interface FlowSize {
  readonly label: string;
  readonly flows: number;
  readonly goal: number;
}

const BACKENDS = 1000;
/** Places of the table: a prime, as Maglev's permutations need; the paper's smaller one. */
export const MAGLEV_PLACES = 65_537;

export function maglevScenario(): Scenario {
  return {
    name: "maglev",
    subject: "maglev",
    cases: packetCases("Maglev and DNAT", ""),
    write: (folder) => {
      const random = new Random(61);
      const node = benchNode(false);
      const flows = new BenchFlows(random, node, drawServices(random, node), STREAM);
      const pods = Array.from(keys.inPrefixKeys4(random, node.remote, BACKENDS), (pod) => [pod, 8080]);
      const backends = Uint32Array.from(pods.flat());
      writeAll(folder, {
        "backends.bin": backends,
        "maglev.bin": maglevPlaces(backends, MAGLEV_PLACES),
        "frames.bin": flows.middle(random).octets,
      });
    },
  };
}

/** Tunnelled packets: the outer headers off and nothing else, or all the way to a Pod. */
export function tunnelScenario(subject: "strip" | "decap"): Scenario {
  const cases =
    subject === "strip" ? packetCases("decap", "") : packetCases("decap, inner LPM, TTL, MAC", "", 1);
  return { name: subject, subject, cases, write: writeTunnelled };
}

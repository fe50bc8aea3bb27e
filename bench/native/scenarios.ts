import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { VXLAN_OUTER_LEN } from "../../assembly/abi/wire.js";
import { SEGMENT_LEN } from "../../src/packet/segment.js";
import { Random } from "../baseline/random.js";
import { BenchFlows, drawServices, RING_LEN } from "./flows.js";
import { FrameFile, outerHeaders, TUNNELLED_LEN, writeRouted } from "./frames.js";
import * as keys from "./keys.js";
import { maglevPlaces } from "./maglev.js";
import { type BenchNode, benchNode } from "./nodes.js";
import { type FullTable, k8sRoutes, packRoutes4, packRoutes6 } from "./tables.js";
import { drawTuples, hitKeys, missKeys } from "./tuples.js";

/** A row to measure: what is done, over which keys. */
export interface Case {
  readonly work: string;
  readonly keys: string;
  /** Name of its key file in the scenario's folder. */
  readonly file: string;
  /** Octets of a packet's slot: ours, and the native loops', of which the best counts. */
  readonly strides?: { readonly ours: number; readonly native: readonly number[] };
  /** The ratio that is aimed at. */
  readonly goal?: number;
}

/** One set of tables, with everything that is measured over it. */
export interface Scenario {
  /** Name of its folder. */
  readonly name: string;
  /** What the harness and our own side know it by. */
  readonly subject: string;
  readonly cases: readonly Case[];
  /** Writes tables and keys. */
  readonly write: (folder: string) => void;
}

type Words = Uint32Array | Uint8Array;

function writeAll(folder: string, files: Readonly<Record<string, Words>>): void {
  for (const [name, words] of Object.entries(files))
    writeFileSync(join(folder, name), new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
}

function lpm4Scenario(full: FullTable): Scenario {
  const work = "IPv4 LPM";
  const { ip4 } = full;
  return {
    name: "lpm4-full",
    subject: "lpm4",
    cases: [
      { work, keys: "full table, uniform", file: "uniform.bin", goal: 0.5 },
      { work, keys: "full table, in-prefix", file: "in-prefix.bin", goal: 1.8 },
      { work, keys: "full table, zipf", file: "zipf.bin", goal: 1.3 },
    ],
    write: (folder) =>
      writeAll(folder, {
        "routes.bin": packRoutes4(ip4),
        "uniform.bin": keys.uniformKeys4(new Random(11)),
        "in-prefix.bin": keys.inPrefixKeys4(new Random(12), ip4),
        "zipf.bin": keys.zipfKeys4(new Random(13), ip4),
      }),
  };
}

function k8sScenario(): Scenario {
  const work = "IPv4 LPM";
  return {
    name: "lpm4-k8s",
    subject: "lpm4",
    cases: [
      { work, keys: "k8s, uniform", file: "uniform.bin", goal: 0.5 },
      { work, keys: "k8s, in-prefix", file: "in-prefix.bin", goal: 1 },
    ],
    write: (folder) => {
      const routes = k8sRoutes(new Random(1));
      // A host of a half of the Internet would be a uniform key: the default route is no prefix to be in.
      const prefixes = routes.filter(({ length }) => length > 1);
      writeAll(folder, {
        "routes.bin": packRoutes4(routes),
        "uniform.bin": keys.uniformKeys4(new Random(14)),
        "in-prefix.bin": keys.inPrefixKeys4(new Random(15), prefixes),
      });
    },
  };
}

function lpm6Scenario({ ip6 }: FullTable): Scenario {
  const work = "IPv6 LPM";
  return {
    name: "lpm6-full",
    subject: "lpm6",
    cases: [
      { work, keys: "full table, uniform in 2000::/3", file: "uniform.bin", goal: 1.7 },
      { work, keys: "full table, in-prefix", file: "in-prefix.bin", goal: 1.35 },
      { work, keys: "full table, zipf", file: "zipf.bin", goal: 2.4 },
    ],
    write: (folder) =>
      writeAll(folder, {
        "routes.bin": packRoutes6(ip6),
        "uniform.bin": keys.uniformKeys6(new Random(21)),
        "in-prefix.bin": keys.inPrefixKeys6(new Random(22), ip6),
        "zipf.bin": keys.zipfKeys6(new Random(23), ip6),
      }),
  };
}

function hashScenario(label: string, entries: number, goal: number): Scenario {
  return {
    name: `hash-${label}`,
    subject: "hash",
    cases: [
      { work: "5-tuple hit", keys: `${label} entries`, file: "hits.bin", goal },
      { work: "5-tuple miss", keys: `${label} entries`, file: "misses.bin" },
    ],
    write: (folder) => {
      const tuples = drawTuples(new Random(31), entries / 2);
      writeAll(folder, {
        "tuples.bin": tuples,
        "hits.bin": hitKeys(new Random(32), tuples),
        "misses.bin": missKeys(new Random(33), tuples),
      });
    },
  };
}

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

function encapScenario(): Scenario {
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

function flowScenario(subject: "connection" | "whole", work: string, size: FlowSize): Scenario {
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

function maglevScenario(): Scenario {
  return {
    name: "maglev",
    subject: "maglev",
    cases: packetCases("Maglev and DNAT", ""),
    write: (folder) => {
      const random = new Random(61);
      const node = benchNode(false);
      const flows = new BenchFlows(random, node, drawServices(random, node), STREAM);
      const backends = Array.from(keys.inPrefixKeys4(random, node.remote, BACKENDS), (pod) => [pod, 8080]);
      writeAll(folder, {
        "backends.bin": Uint32Array.from(backends.flat()),
        "maglev.bin": maglevPlaces(random, BACKENDS),
        "frames.bin": flows.middle(random).octets,
      });
    },
  };
}

/** Everything that is measured; without a full table, what needs none. */
export function scenariosOf(full: FullTable | undefined): readonly Scenario[] {
  const decap = { write: writeTunnelled };
  const whole = "whole way of an established packet";
  return [
    ...(full === undefined ? [] : [lpm4Scenario(full)]),
    k8sScenario(),
    ...(full === undefined ? [] : [lpm6Scenario(full)]),
    hashScenario("10k", 10_000, 0.5),
    hashScenario("1M", 1_000_000, 0.7),
    hashScenario("4M", 4_000_000, 0.9),
    encapScenario(),
    { ...decap, name: "strip", subject: "strip", cases: packetCases("decap", "") },
    {
      ...decap,
      name: "decap",
      subject: "decap",
      cases: packetCases("decap, inner LPM, TTL, MAC", "", 1),
    },
    flowScenario("connection", "connection hit and DNAT", { label: "4k", flows: 4096, goal: 1 }),
    flowScenario("connection", "connection hit and DNAT", { label: "1M", flows: 1_000_000, goal: 0.4 }),
    maglevScenario(),
    flowScenario("whole", whole, { label: "10k", flows: 10_000, goal: 1 }),
    flowScenario("whole", whole, { label: "1M", flows: 1_000_000, goal: 1 }),
  ];
}

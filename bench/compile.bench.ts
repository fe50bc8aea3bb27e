import { Compilation } from "../src/compilation.js";
import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import { ImageStore } from "../src/engine/image.js";
import { type RulesetEntries, rulesetEntries } from "../src/engine/live/ruleset.js";
import { link, type Machine } from "../src/engine/machine.js";
import { LinearMemory } from "../src/engine/memory.js";
import { findModule } from "../src/engine/wasm.js";
import type { ClusterChange } from "../src/model/change.js";
import type { Cluster } from "../src/model/cluster.js";
import type { ProxyMode } from "../src/ruleset/ruleset.js";
import { PlainNode } from "./baseline/node.js";
import { sceneOf } from "./scene.js";
import { type Case, PLAIN, type Topic, WASM } from "./topic.js";

const SERVICES = 1000;
const CONNECTIONS = 1024;
const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];

const CHANGES = 64;

/** Takes an endpoint of some Services away, or gives it back where it was taken. */
function endpointChanges({ endpointSlices }: Cluster): () => readonly ClusterChange[] {
  let fewer = false;
  const some = Array.from({ length: CHANGES }, (_, index) => endpointSlices[index * 7]).filter(
    (slice) => slice !== undefined,
  );
  return () => {
    fewer = !fewer;
    return some.map((slice) => ({
      kind: "endpointslice-set",
      endpointSlice: fewer ? { ...slice, endpoints: slice.endpoints.slice(1) } : slice,
    }));
  };
}

function changeCase(cluster: Cluster, proxy: ProxyMode): Case {
  const compilation = new Compilation(cluster, { proxy });
  const next = endpointChanges(cluster);
  const run = () => {
    for (const change of next()) compilation.apply(change);
  };
  return {
    name: `${proxy}, change`,
    unit: "change",
    count: CHANGES,
    contenders: [{ name: "packetyard", run }],
  };
}

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(SERVICES);
  const services = { unit: "Service", count: SERVICES } as const;
  const memory = new LinearMemory();
  const machine = await link(await findModule("run"), memory.memory);
  return MODES.flatMap((proxy) => {
    const ruleset = compile(cluster, { proxy });
    return [
      {
        name: `${proxy}, compile`,
        ...services,
        contenders: [{ name: "packetyard", run: () => compile(cluster, { proxy }) }],
      },
      changeCase(cluster, proxy),
      {
        name: `${proxy}, load`,
        ...services,
        contenders: [{ name: "packetyard", run: () => Engine.load(ruleset, { connections: CONNECTIONS }) }],
      },
      {
        name: `${proxy}, tables`,
        ...services,
        contenders: [
          { name: WASM, run: () => fill(machine, memory, rulesetEntries(ruleset)) },
          { name: PLAIN, run: () => new PlainNode(rulesetEntries(ruleset), 1, CONNECTIONS) },
        ],
      },
    ];
  });
}

/** Fills an image in memory that was touched before, and gives it back. */
function fill(machine: Machine, memory: LinearMemory, entries: RulesetEntries): void {
  memory.borrow(0, () => {
    const image = new ImageStore(machine, memory);
    image.create(true);
    image.fill(entries);
  });
}

/** A cluster of 1,000 Services to a ruleset, a change of it to a change of that, and rulesets to tables. */
export const compileTopic: Topic = { name: "compile", cases };

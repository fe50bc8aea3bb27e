import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import { rulesetEntries } from "../src/engine/live/ruleset.js";
import type { ProxyMode } from "../src/ruleset/ruleset.js";
import { PlainNode } from "./baseline/node.js";
import { sceneOf } from "./scene.js";
import { type Case, PLAIN, type Topic, WASM } from "./topic.js";

const SERVICES = 1000;
const CONNECTIONS = 1024;
const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(SERVICES);
  const services = { unit: "Service", count: SERVICES } as const;
  return MODES.flatMap((proxy) => {
    const ruleset = compile(cluster, { proxy });
    return [
      {
        name: `${proxy}, compile`,
        ...services,
        contenders: [{ name: "packetyard", run: () => compile(cluster, { proxy }) }],
      },
      {
        name: `${proxy}, load`,
        ...services,
        contenders: [
          { name: WASM, run: () => Engine.load(ruleset, { connections: CONNECTIONS }) },
          { name: PLAIN, run: () => new PlainNode(rulesetEntries(ruleset), 1, CONNECTIONS) },
        ],
      },
    ];
  });
}

/** A cluster of 1,000 Services to a ruleset, and that to tables. */
export const compileTopic: Topic = { name: "compile", cases };

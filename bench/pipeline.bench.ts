import { compile } from "../src/compile.js";
import type { ProxyMode } from "../src/ruleset/ruleset.js";
import { Pair } from "./pair.js";
import { answerTo, PACKETS, POD_INTERFACE, sceneOf, serviceFrames, UPLINK } from "./scene.js";
import type { Case, Topic } from "./topic.js";

const SERVICES = 1000;
const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(SERVICES);
  const { opening, middle } = serviceFrames(cluster);
  const made: Case[] = [];
  for (const proxy of MODES) {
    const ruleset = compile(cluster, { proxy });
    const [fresh, known] = [await Pair.make(ruleset, PACKETS), await Pair.make(ruleset, PACKETS)];
    fresh.run(opening, POD_INTERFACE);
    known.establish({ opening, middle }, POD_INTERFACE, UPLINK);
    const answers = known.output.map(answerTo);
    const isThere = known.forwardsAll;
    for (let times = 0; times < 2; times++) known.run(answers, UPLINK);
    if (!fresh.forwardsAll || !isThere || !known.forwardsAll) throw new Error(`${proxy}: packets are lost`);
    const packets = { unit: "packet", count: PACKETS } as const;
    made.push(
      { name: `${proxy}, new`, ...packets, contenders: fresh.contenders(opening, POD_INTERFACE, true) },
      { name: `${proxy}, known`, ...packets, contenders: known.contenders(middle, POD_INTERFACE, false) },
      { name: `${proxy}, answers`, ...packets, contenders: known.contenders(answers, UPLINK, false) },
    );
  }
  return made;
}

/** A packet's whole way from a Pod through a node of 1,000 Services to an endpoint, two thirds through a tunnel, and back. */
export const pipelineTopic: Topic = { name: "pipeline", cases };

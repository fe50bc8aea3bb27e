import { printIp } from "../src/net/ip.js";
import { parseIptables } from "../src/ruleset/iptables-text.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { Pair } from "./pair.js";
import { POD_INTERFACE, podFrames, routerOf, sceneOf } from "./scene.js";
import type { Case, Topic } from "./topic.js";

const RULES = 4096;
const PACKETS = 64;

/** A FORWARD chain of as many rules as said, none of which matches: kube-proxy's own shape, a destination and a port. */
function withRules(router: Ruleset, count: number): Ruleset {
  const rules = Array.from({ length: count }, (_, index) => {
    const address = printIp(0x0a600001 + index);
    return `-A FORWARD -d ${address}/32 -p tcp -m tcp --dport 80 -j DROP`;
  });
  const text = ["*filter", ":FORWARD ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
  return { ...router, iptables: parseIptables(text, "rules") };
}

async function walking(router: Ruleset, frames: readonly Uint8Array[], count: number): Promise<Case> {
  const pair = await Pair.make(withRules(router, count), PACKETS);
  pair.run(frames, POD_INTERFACE);
  return {
    name: `walk past ${count.toLocaleString("en")}`,
    unit: "rule",
    count: PACKETS * count,
    contenders: pair.contenders(frames, POD_INTERFACE, false),
  };
}

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(100);
  const router = routerOf(cluster, "worker-1");
  const frames = podFrames(cluster, "worker-1").opening.slice(0, PACKETS);
  return [await walking(router, frames, RULES), await walking(router, frames, RULES * 4)];
}

/** One rule after another; what else happens to a packet is a few hundredths of it. */
export const rulesTopic: Topic = { name: "rules", cases };

import type { FlowDifference } from "../diff/difference.js";
import type { Scheduler, VirtualServer } from "../ruleset/ipvs.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import type { TargetMode } from "./words.js";

/** What each scheduler does, behind «scheduler …». */
const DEEDS: Readonly<Record<Scheduler, string>> = {
  rr: "gives endpoints their turns",
  wrr: "gives endpoints their turns, more of them to those of more weight",
  lc: "takes the endpoint with the fewest connections",
  wlc: "takes the endpoint with the fewest connections for its weight",
  lblc: "keeps an address with one endpoint while that is not overloaded, and else takes the least busy",
  lblcr: "keeps an address with a few endpoints, of which it takes the least busy",
  dh: "gives an address always the same endpoint",
  sh: "gives a client always the same endpoint",
  sed: "takes the endpoint that is expected to answer first",
  nq: "takes an endpoint that is idle, and else the one that is expected to answer first",
  fo: "takes one endpoint, and others where that is gone",
  ovf: "fills one endpoint before it takes the next",
  mh: "gives a client always the same endpoint, also when others come or go",
  twos: "draws two endpoints and takes the less busy",
};

const KEEPING: readonly Scheduler[] = ["sh", "mh", "dh", "lblc", "lblcr"];
const EVEN: readonly Scheduler[] = ["rr", "twos"];

/** What is lost with a virtual server's scheduler. */
export interface Scheduling {
  readonly scheduler: Scheduler;
  /** Real servers have several weights, 0 apart, or take so many connections at most. */
  readonly isWeighted: boolean;
}

function schedulingOf({ scheduler, servers }: VirtualServer): Scheduling {
  const weights = new Set(servers.map(({ weight }) => weight).filter((weight) => weight > 0));
  const isLimited = servers.some(({ upperThreshold = 0 }) => upperThreshold > 0);
  return { scheduler, isWeighted: weights.size > 1 || isLimited };
}

/** What chose the endpoint of a difference's packet before; undefined where it is to no virtual server. */
export function schedulingAt({ question }: FlowDifference, { ipvs }: Ruleset): Scheduling | undefined {
  const { address, port, kind } = question.target;
  const server = ipvs?.servers.find(
    (one) => one.address === address && one.port === port && one.protocol === kind.protocol,
  );
  return server === undefined ? undefined : schedulingOf(server);
}

/** What is lost, in sentences, and what to do about it. */
export function schedulingWords(
  { scheduler, isWeighted }: Scheduling,
  to: TargetMode,
): readonly [string, string] {
  const weights = isWeighted ? " Its weights and thresholds have no equal, either." : "";
  const about = `Scheduler ${scheduler} ${DEEDS[scheduler]}; mode ${to} draws one at random for each connection, each with the same chance.${weights}`;
  if (isWeighted)
    return [about, "Run as many Pods of each kind as their weights say, or balance in a proxy before them."];
  if (EVEN.includes(scheduler))
    return [about, "Nothing needs to be done: of many connections every endpoint gets as many."];
  if (KEEPING.includes(scheduler))
    return [about, "Where a client must come back to its endpoint, set sessionAffinity: ClientIP."];
  return [
    about,
    "Where connections are long or unequal, balance them in the clients, or in a proxy before the Pods.",
  ];
}

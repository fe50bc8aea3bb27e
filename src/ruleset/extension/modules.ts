import type { Match } from "../iptables.js";
import { CONNECTION_MODULES } from "./connection.js";
import { IPVS } from "./ipvs.js";
import { LIMIT_MODULES } from "./limits.js";
import type { MatchModule } from "./match-module.js";
import { NODE_MODULES } from "./node.js";
import { PACKET_MODULES } from "./packet.js";
import { STATEFUL_MODULES } from "./stateful.js";
import { isTransport, MULTIPORT, TRANSPORT_MODULES, transportModule } from "./transport.js";

const OTHERS = [
  MULTIPORT,
  ...CONNECTION_MODULES,
  ...PACKET_MODULES,
  IPVS,
  ...NODE_MODULES,
  ...STATEFUL_MODULES,
  ...LIMIT_MODULES,
];

const BY_NAME = new Map([...TRANSPORT_MODULES, ...OTHERS].map((module) => [module.name, module]));

const BY_KIND = new Map<Match["kind"], readonly MatchModule[]>();
for (const module of OTHERS)
  for (const kind of module.kinds) BY_KIND.set(kind, [...(BY_KIND.get(kind) ?? []), module]);

/** The match module that `-m` names; undefined for one that this program does not know. */
export function moduleNamed(name: string): MatchModule | undefined {
  return BY_NAME.get(name);
}

/** The module that lists a match of a rule whose protocol has this number; undefined for the rule's own matches. */
export function moduleFor(match: Match, protocol: number | undefined): MatchModule | undefined {
  if (isTransport(match)) return transportModule(protocol);
  return BY_KIND.get(match.kind)?.find((module) => module.lists(match));
}

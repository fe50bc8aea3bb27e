import { RECENT_TIMES } from "../../../assembly/abi/rule.js";
import { familyOf } from "../../net/ip.js";
import type { AddressType, Match, NatRange, Target } from "../../ruleset/iptables.js";

/** Why the machine cannot tell, of some packets or all, whether a match holds or what a target does. */

const SOCKETS = "whose socket a packet is of is known to the node alone";
const PORTS = "which port of a bridge a packet passes is not modelled";
const RATES = "rates are not kept";
const REWRITES = "the header is rewritten in a way that is not modelled";

const MATCHES: Partial<Record<Match["kind"], string>> = {
  "tcp-option": "TCP options are not looked into",
  nth: "packets are not counted rule by rule",
  owner: SOCKETS,
  "socket-exists": SOCKETS,
  socket: SOCKETS,
  "physdev-in": PORTS,
  "physdev-out": PORTS,
  "physdev-is-out": PORTS,
  "physdev-is-bridged": PORTS,
  limit: RATES,
  hashlimit: RATES,
  connlimit: "connections are not counted by address",
  unknown: "the match is not known",
};

const TARGETS: Partial<Record<Target["kind"], string>> = {
  tproxy: SOCKETS,
  tcpmss: REWRITES,
  ttl: REWRITES,
  hl: REWRITES,
  dscp: REWRITES,
  tos: REWRITES,
  set: "sets that rules fill are not modelled",
  unknown: "the target is not known",
};

/** Types that the kernel finds in its table of local addresses, where such routes are not modelled. */
const ROUTE_TYPES: readonly AddressType[] = [
  "ANYCAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
  "THROW",
  "NAT",
  "XRESOLVE",
];

/** The machine itself says of which packets it cannot tell. */
function recentDoubt({ hitcount = 0, seconds = 0 }: Extract<Match, { kind: "recent" }>): string | undefined {
  if (hitcount <= RECENT_TIMES || seconds === 0) return undefined;
  return `of a recent address the last ${RECENT_TIMES} times are remembered`;
}

/** Why a match is undecided for some packets or all; undefined for one that is always known. */
export function matchDoubt(match: Match): string | undefined {
  if (match.kind === "addrtype" && match.types.some((type) => ROUTE_TYPES.includes(type)))
    return "routes of that type are not modelled";
  const isAddress = match.kind === "ctaddress" || match.kind === "ipvs-address";
  if (isAddress && match.invert && familyOf(match.prefix.address) === 6)
    return "that a connection's IPv6 address is another is not asked";
  if (match.kind === "set" && match.returnNomatch)
    return "elements marked nomatch are not told from absent ones";
  if (match.kind === "recent") return recentDoubt(match);
  if (match.kind === "rpfilter" && match.validmark) return "routing by marks is not modelled";
  return MATCHES[match.kind];
}

function rangeDoubt({ addresses }: NatRange): string | undefined {
  if (addresses === undefined) return undefined;
  const [first, last] = addresses.map((address) => BigInt(address) >> 32n);
  return first === last ? undefined : "no address is drawn of so many";
}

/** Why it is not known what a target does; undefined for one that is. */
export function targetDoubt(target: Target): string | undefined {
  if (target.kind === "translate") return rangeDoubt(target.range);
  if (target.kind === "ct")
    return target.zone === undefined ? undefined : "zones of connections are not modelled";
  return TARGETS[target.kind];
}

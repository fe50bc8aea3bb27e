import {
  MATCH_BRIDGED,
  MATCH_MARK,
  MATCH_PORT_LIST,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_STATISTIC,
  MATCH_UNDECIDED,
} from "../../../assembly/abi/entry.js";
import * as code from "../../../assembly/abi/rule.js";
import { PROTO_ICMP } from "../../../assembly/abi/wire.js";
import { PROTOCOL_NUMBER } from "../../net/port.js";
import type { Match } from "../../ruleset/iptables.js";
import { addInterface, interfacesNamed } from "./interfaces.js";
import { addConnectionMatch } from "./iptables-connection.js";
import { addHeaderMatch } from "./iptables-header.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";
import { setKey } from "./set-key.js";
import { never } from "./within.js";
import { wordsOf6 } from "./words.js";

const isInverted = (match: Match) => "invert" in match && match.invert === true;

/** A match that is always known. Each kind's words are as abi/entry.ts says. */
export function addMatch(draft: RuleDraft, match: Match, scope: Scope): RuleDraft {
  const invert = isInverted(match);
  switch (match.kind) {
    case "protocol":
      return draft.protocol(protocolNumber(match.protocol), invert);
    case "source":
      return draft.src(match.prefix, invert);
    case "destination":
      return draft.dst(match.prefix, invert);
    case "dport":
      if (match.from > match.to) return invert ? draft : never(draft);
      return draft.dport(match.from, match.to, invert);
    case "sport":
      if (match.from > match.to) return invert ? draft : never(draft);
      return draft.match(MATCH_SPORT, invert, match.from, match.to);
    case "in-interface":
    case "out-interface": {
      const wanted = interfacesNamed(match.name, "+");
      return addInterface(draft, match.kind === "in-interface", invert, wanted, scope);
    }
    case "mark":
      return draft.match(MATCH_MARK, invert, match.value, match.mask);
    case "statistic":
      return draft.match(MATCH_STATISTIC, invert, match.threshold);
    case "physdev-is-in":
      return draft.match(MATCH_BRIDGED, invert);
    case "recent":
      return addRecent(draft, match, invert, scope);
    case "set":
      return addSet(draft, match, invert, scope);
    default:
      return addHeaderMatch(draft, match, invert) ?? addConnectionMatch(draft, match, invert);
  }
}

/** A match that is not known of some packets; what it says of the others. */
export function addDoubtful(draft: RuleDraft, match: Match): RuleDraft {
  const invert = isInverted(match);
  switch (match.kind) {
    case "owner":
    case "socket-exists":
      return undecided(draft, code.UNDECIDED_NODE, invert);
    case "physdev-in":
    case "physdev-out":
    case "physdev-is-out":
    case "physdev-is-bridged":
      return undecided(draft, code.UNDECIDED_BRIDGED, invert);
    default:
      return undecided(draft, code.UNDECIDED_ALWAYS, invert);
  }
}

function undecided(draft: RuleDraft, of: number, invert: boolean): RuleDraft {
  return draft.match(MATCH_UNDECIDED, invert, of);
}

function protocolNumber(protocol: Extract<Match, { kind: "protocol" }>["protocol"]): number {
  if (typeof protocol === "number") return protocol;
  return protocol === "ICMP" ? PROTO_ICMP : PROTOCOL_NUMBER[protocol];
}

const RECENT_CODES = {
  set: code.RECENT_SET,
  rcheck: code.RECENT_CHECK,
  update: code.RECENT_UPDATE,
  remove: code.RECENT_REMOVE,
} as const;

function addRecent(
  draft: RuleDraft,
  match: Extract<Match, { kind: "recent" }>,
  invert: boolean,
  scope: Scope,
): RuleDraft {
  const { op, name, side, mask, seconds = 0, hitcount = 0, reap, rttl } = match;
  const bits =
    (side === "dest" ? code.RECENT_FLAG_DST : 0) |
    (reap ? code.RECENT_FLAG_REAP : 0) |
    (rttl ? code.RECENT_FLAG_TTL : 0);
  const hits = Math.min(hitcount, code.RECENT_HITS_MAX) << code.RECENT_HITS_SHIFT;
  const words = [scope.listOf(name), seconds, (RECENT_CODES[op] | bits | hits) >>> 0];
  return draft.list(MATCH_RECENT, invert, words, wordsOf6(BigInt(mask)));
}

/** A destination port that is asked behind other matches, not before them. */
export function addLateDport(
  draft: RuleDraft,
  match: Extract<Match, { kind: "dport" | "sport" }>,
): RuleDraft {
  const { from, to } = match;
  if (from > to) return isInverted(match) ? draft : never(draft);
  return draft.list(MATCH_PORT_LIST, isInverted(match), [code.PORT_DST, 1], [(from | (to << 16)) >>> 0]);
}

function addSet(
  draft: RuleDraft,
  match: Extract<Match, { kind: "set" }>,
  invert: boolean,
  scope: Scope,
): RuleDraft {
  const { number, type } = scope.setOf(match.set);
  return draft.match(MATCH_SET, invert, number, setKey(type, match.sides) ?? 0);
}

import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  KEY_DST,
  KEY_DST_PROTO_DPORT,
  KEY_DST_PROTO_DPORT_SRC,
  KEY_PROTO_DPORT,
  KEY_SRC,
  KEY_SRC_PROTO_DPORT,
  MATCH_BRIDGED,
  MATCH_CTSTATE,
  MATCH_IN,
  MATCH_LOCAL,
  MATCH_MARK,
  MATCH_OUT,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_STATISTIC,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_REJECT,
  TARGET_RETURN,
} from "../../../assembly/abi/entry.js";
import { PROTO_ICMP } from "../../../assembly/abi/wire.js";
import { PROTOCOL_NUMBER } from "../../net/port.js";
import type { Match, Rule, Target } from "../../ruleset/iptables.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";

const CTSTATES: Readonly<Record<string, number>> = {
  INVALID: CTSTATE_INVALID,
  NEW: CTSTATE_NEW,
  ESTABLISHED: CTSTATE_ESTABLISHED,
  RELATED: CTSTATE_RELATED,
  DNAT: CTSTATE_DNAT,
  SNAT: CTSTATE_SNAT,
};

/** Which packet fields an ipset's type and a rule's sides take. */
const SET_KEYS: Readonly<Record<string, number>> = {
  "hash:ip dst": KEY_DST,
  "hash:ip src": KEY_SRC,
  "hash:ip,port dst,dst": KEY_DST_PROTO_DPORT,
  "hash:ip,port src,src": KEY_SRC_PROTO_DPORT,
  "hash:ip,port,ip dst,dst,src": KEY_DST_PROTO_DPORT_SRC,
  "bitmap:port dst": KEY_PROTO_DPORT,
};

const VERDICTS: Readonly<Record<string, number>> = {
  accept: TARGET_ACCEPT,
  drop: TARGET_DROP,
  return: TARGET_RETURN,
};

function protocolNumber(protocol: Extract<Match, { kind: "protocol" }>["protocol"]): number {
  if (typeof protocol === "number") return protocol;
  return protocol === "ICMP" ? PROTO_ICMP : PROTOCOL_NUMBER[protocol];
}

function addMatch(draft: RuleDraft, match: Match, scope: Scope): RuleDraft {
  const invert = "invert" in match && match.invert === true;
  switch (match.kind) {
    case "protocol":
      return draft.protocol(protocolNumber(match.protocol), invert);
    case "source":
      return draft.src(match.prefix, invert);
    case "destination":
      return draft.dst(match.prefix, invert);
    case "dport":
      return draft.dport(match.from, match.to, invert);
    case "sport":
      return draft.match(MATCH_SPORT, invert, match.from, match.to);
    case "in-interface":
      return draft.match(MATCH_IN, invert, scope.interfaceNumber(match.name));
    case "out-interface":
      return draft.match(MATCH_OUT, invert, scope.interfaceNumber(match.name));
    case "mark":
      return draft.match(MATCH_MARK, invert, match.value, match.mask);
    case "ctstate":
      return draft.match(
        MATCH_CTSTATE,
        invert,
        match.states.reduce((bits, state) => bits | (CTSTATES[state] ?? 0), 0),
      );
    case "addrtype":
      return draft.match(MATCH_LOCAL, invert, match.side === "src" ? 0 : 1);
    case "statistic":
      return draft.match(MATCH_STATISTIC, false, match.threshold);
    case "physdev-is-in":
      return draft.match(MATCH_BRIDGED, invert);
    case "set":
      return addSet(draft, match, invert, scope);
    default:
      throw new TypeError(`The machine has no match «${match.kind}».`);
  }
}

function addSet(
  draft: RuleDraft,
  match: Extract<Match, { kind: "set" }>,
  invert: boolean,
  scope: Scope,
): RuleDraft {
  const { number, type } = scope.setOf(match.set);
  const key = SET_KEYS[`${type} ${match.sides.join(",")}`];
  if (key === undefined) {
    throw new TypeError(
      `The machine has no key for ipset ${match.set} (${type}) by ${match.sides.join(",")}.`,
    );
  }
  return draft.match(MATCH_SET, invert, number, key);
}

function addTarget(draft: RuleDraft, target: Target, scope: Scope): RuleDraft {
  switch (target.kind) {
    case "jump":
      return draft.target(TARGET_JUMP, scope.chainNumber(target.chain));
    case "goto":
      return draft.target(TARGET_GOTO, scope.chainNumber(target.chain));
    case "reject":
      return draft.target(TARGET_REJECT);
    case "dnat":
      return draft.dnat(target.address, target.port);
    case "masquerade":
      return draft.target(TARGET_MASQUERADE, target.randomFully ? 1 : 0, 0);
    case "mark":
      return draft.target(TARGET_MARK, target.value, target.mask);
    default: {
      const verdict = VERDICTS[target.kind];
      if (verdict === undefined) throw new TypeError(`The machine has no target «${target.kind}».`);
      return draft.target(verdict);
    }
  }
}

/** One iptables rule of a table as the machine takes it: `draft` is filled with it. */
export function iptablesRule(rule: Rule, scope: Scope, draft: RuleDraft): RuleDraft {
  for (const match of rule.matches) addMatch(draft, match, scope);
  if (rule.target !== undefined) addTarget(draft, rule.target, scope);
  return draft;
}

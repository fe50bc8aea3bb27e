import {
  MATCH_ADDRESS_TYPE,
  MATCH_BITS,
  MATCH_LOCAL,
  MATCH_MAC,
  MATCH_PORT_LIST,
  MATCH_RANGE6,
  MATCH_RPFILTER,
} from "../../../assembly/abi/entry.js";
import * as code from "../../../assembly/abi/rule.js";
import type { AddressType, Match } from "../../ruleset/iptables.js";
import type { RuleDraft } from "./rules.js";
import { addWithin, never } from "./within.js";
import { wordsOf6 } from "./words.js";

const PORT_SIDES = {
  sports: code.PORT_SRC,
  dports: code.PORT_DST,
  ports: code.PORT_SRC | code.PORT_DST,
} as const;

const LINKS = {
  unicast: code.LINK_UNICAST,
  broadcast: code.LINK_BROADCAST,
  multicast: code.LINK_MULTICAST,
} as const;

const ADDRESS_TYPES: Partial<Record<AddressType, number>> = {
  UNSPEC: code.ADDRESS_TYPE_UNSPEC,
  UNICAST: code.ADDRESS_TYPE_UNICAST,
  LOCAL: code.ADDRESS_TYPE_LOCAL,
  BROADCAST: code.ADDRESS_TYPE_BROADCAST,
  MULTICAST: code.ADDRESS_TYPE_MULTICAST,
};

const LIMITS = { in: code.LIMIT_IN, out: code.LIMIT_OUT } as const;
const ANY_VALUE = 0xffffffff;

/** Matches of the packet's headers, and of routes to its addresses; undefined for others. */
export function addHeaderMatch(draft: RuleDraft, match: Match, invert: boolean): RuleDraft | undefined {
  const within = (field: number, from: number, to: number) => addWithin(draft, field, from, to, invert);
  const bits = (field: number, value: number, mask: number) =>
    draft.match(MATCH_BITS, invert, field, value, mask);
  switch (match.kind) {
    case "tcp-flags":
      return bits(code.FIELD_TCP_FLAGS, match.flags, match.mask);
    case "icmp":
    case "icmpv6": {
      const { type = 0, code: sub = 0 } = match;
      const last = match.code ?? 255;
      if (match.type === undefined) return within(code.FIELD_ICMP, 0, 0xffff);
      return within(code.FIELD_ICMP, (type << 8) | sub, (type << 8) | last);
    }
    case "multiport": {
      const ranges = match.ports.map(([from, to]) => (from | (to << 16)) >>> 0);
      return draft.list(MATCH_PORT_LIST, invert, [PORT_SIDES[match.on], ranges.length], ranges);
    }
    case "iprange":
      return addRange(draft, match, invert);
    case "addrtype":
      return addType(draft, match, invert);
    case "mac":
      return draft.match(MATCH_MAC, invert, Math.floor(match.address / 2 ** 16), match.address % 2 ** 16);
    case "pkttype":
      return bits(code.FIELD_LINK, LINKS[match.type], ANY_VALUE);
    case "ttl":
    case "hl": {
      if (match.is === "eq") return within(code.FIELD_TTL, match.value, match.value);
      if (match.is === "gt") return within(code.FIELD_TTL, match.value + 1, 256);
      if (match.value === 0) return invert ? draft : never(draft);
      return within(code.FIELD_TTL, 0, match.value - 1);
    }
    case "length":
      return within(code.FIELD_LENGTH, match.from, match.to);
    case "dscp":
      return bits(code.FIELD_TOS, match.value << 2, 0xfc);
    case "tos":
      return bits(code.FIELD_TOS, match.value, match.mask);
    case "rpfilter": {
      const flags =
        (match.loose ? code.RPFILTER_LOOSE : 0) | (match.acceptLocal ? code.RPFILTER_ACCEPT_LOCAL : 0);
      return draft.match(MATCH_RPFILTER, invert, flags);
    }
    // Fragments past the first never come to rules: they are punted before.
    case "fragment":
      return invert ? draft : never(draft);
    case "nfacct":
    case "comment":
    case "module":
      return draft;
  }
  return undefined;
}

function addRange(
  draft: RuleDraft,
  { side, from, to }: Extract<Match, { kind: "iprange" }>,
  invert: boolean,
): RuleDraft {
  if (typeof from === "bigint" && typeof to === "bigint")
    return draft.list(MATCH_RANGE6, invert, [Number(side === "dst")], [...wordsOf6(from), ...wordsOf6(to)]);
  const field = side === "src" ? code.FIELD_SRC : code.FIELD_DST;
  return addWithin(draft, field, Number(from), Number(to), invert);
}

function addType(
  draft: RuleDraft,
  { side, types, limitIface }: Extract<Match, { kind: "addrtype" }>,
  invert: boolean,
): RuleDraft {
  const isDst = Number(side === "dst");
  const [only] = types;
  if (types.length === 1 && only === "LOCAL" && limitIface === undefined)
    return draft.match(MATCH_LOCAL, invert, isDst);
  const bits = types.reduce((all, type) => all | (ADDRESS_TYPES[type] ?? 0), 0);
  const limit = limitIface === undefined ? code.LIMIT_NONE : LIMITS[limitIface];
  return draft.match(MATCH_ADDRESS_TYPE, invert, isDst, bits, limit);
}

import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  CTSTATE_UNTRACKED,
  MATCH_ADDRESS_TYPE,
  MATCH_BITS,
  MATCH_BRIDGED,
  MATCH_CTSTATE,
  MATCH_LOCAL,
  MATCH_MAC,
  MATCH_MARK,
  MATCH_PORT_LIST,
  MATCH_RANGE6,
  MATCH_RPFILTER,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_STATISTIC,
  MATCH_UNDECIDED,
  MATCH_WITHIN,
} from "../../../assembly/abi/entry.js";
import * as code from "../../../assembly/abi/rule.js";
import { PROTO_ICMP } from "../../../assembly/abi/wire.js";
import { PROTOCOL_NUMBER } from "../../net/port.js";
import { maskOf, type Prefix } from "../../net/prefix.js";
import type { AddressType, Match } from "../../ruleset/iptables.js";
import { addInterface, interfacesNamed } from "./interfaces.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";
import { setKey } from "./set-key.js";
import { wordsOf6 } from "./words.js";

const CTSTATES = {
  INVALID: CTSTATE_INVALID,
  NEW: CTSTATE_NEW,
  ESTABLISHED: CTSTATE_ESTABLISHED,
  RELATED: CTSTATE_RELATED,
  UNTRACKED: CTSTATE_UNTRACKED,
  DNAT: CTSTATE_DNAT,
  SNAT: CTSTATE_SNAT,
} as const;

/** Nothing that the machine keeps is expected by another connection. */
const CTSTATUSES = {
  NONE: 0,
  EXPECTED: 0,
  SEEN_REPLY: code.CTSTATUS_SEEN_REPLY,
  ASSURED: code.CTSTATUS_ASSURED,
  CONFIRMED: code.CTSTATUS_CONFIRMED,
} as const;

const CT_ADDRESSES = {
  origsrc: code.FIELD_CT_SRC,
  origdst: code.FIELD_CT_DST,
  replsrc: code.FIELD_CT_REPLY_SRC,
  repldst: code.FIELD_CT_REPLY_DST,
} as const;

const CT_PORTS = {
  origsrc: code.FIELD_CT_SPORT,
  origdst: code.FIELD_CT_DPORT,
  replsrc: code.FIELD_CT_REPLY_SPORT,
  repldst: code.FIELD_CT_REPLY_DPORT,
} as const;

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
      return draft.dport(match.from, match.to, invert);
    case "sport":
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
    case "set":
      return addSet(draft, match, invert, scope);
    default:
      return addHeaderMatch(draft, match, invert) ?? addConnectionMatch(draft, match, invert);
  }
}

/** Matches of the packet's headers, and of routes to its addresses. */
function addHeaderMatch(draft: RuleDraft, match: Match, invert: boolean): RuleDraft | undefined {
  const within = (field: number, from: number, to: number) =>
    draft.match(MATCH_WITHIN, invert, field, from, to);
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

/** Matches of the packet's connection. */
function addConnectionMatch(draft: RuleDraft, match: Match, invert: boolean): RuleDraft {
  const within = (field: number, from: number, to: number) =>
    draft.match(MATCH_WITHIN, invert, field, from, to);
  switch (match.kind) {
    case "ctstate":
      return draft.match(
        MATCH_CTSTATE,
        invert,
        match.states.reduce((bits, state) => bits | CTSTATES[state], 0),
      );
    case "ctstatus": {
      const mask = match.statuses.reduce((bits, status) => bits | CTSTATUSES[status], 0);
      // One of the bits is set: that not all of them are 0.
      return draft.match(MATCH_BITS, !invert, code.FIELD_CT_STATUS, 0, mask);
    }
    case "connmark":
      return draft.match(MATCH_BITS, invert, code.FIELD_CONNMARK, match.value, match.mask);
    case "ctproto":
      return within(code.FIELD_CT_PROTOCOL, match.protocol, match.protocol);
    case "ctdir": {
      const direction = match.direction === "REPLY" ? 1 : 0;
      return within(code.FIELD_CT_DIRECTION, direction, direction);
    }
    case "ctexpire":
      return within(code.FIELD_CT_LEFT, match.from, match.to);
    case "ctport":
      return within(CT_PORTS[match.end], match.from, match.to);
    case "ctaddress":
      return addAddress(draft, CT_ADDRESSES[match.end], match.prefix, invert);
    case "ipvs-protocol":
      return within(code.FIELD_IPVS_PROTOCOL, match.protocol, match.protocol);
    case "ipvs-address":
      return addAddress(draft, code.FIELD_IPVS_DST, match.prefix, invert);
    case "ipvs-port":
      return within(code.FIELD_IPVS_DPORT, match.port, match.port);
    default:
      return undecided(draft, code.UNDECIDED_ALWAYS, invert);
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

/** No packet has none of the states. */
function never(draft: RuleDraft): RuleDraft {
  return draft.match(MATCH_CTSTATE, false, 0);
}

function protocolNumber(protocol: Extract<Match, { kind: "protocol" }>["protocol"]): number {
  if (typeof protocol === "number") return protocol;
  return protocol === "ICMP" ? PROTO_ICMP : PROTOCOL_NUMBER[protocol];
}

/** A field that is an address; of IPv6 a match for each word that the prefix has something of. */
function addAddress(
  draft: RuleDraft,
  field: number,
  { address, length }: Prefix,
  invert: boolean,
): RuleDraft {
  if (typeof address === "number") return draft.match(MATCH_BITS, invert, field, address, maskOf(length));
  for (const [index, word] of wordsOf6(address).entries()) {
    const mask = maskOf(Math.min(32, Math.max(0, length - 32 * index)));
    draft.match(MATCH_BITS, false, field | (index << code.FIELD_WORD_SHIFT), word, mask);
  }
  return draft;
}

function addRange(
  draft: RuleDraft,
  { side, from, to }: Extract<Match, { kind: "iprange" }>,
  invert: boolean,
): RuleDraft {
  if (typeof from === "bigint" && typeof to === "bigint")
    return draft.list(MATCH_RANGE6, invert, [Number(side === "dst")], [...wordsOf6(from), ...wordsOf6(to)]);
  const field = side === "src" ? code.FIELD_SRC : code.FIELD_DST;
  return draft.match(MATCH_WITHIN, invert, field, Number(from), Number(to));
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

function addSet(
  draft: RuleDraft,
  match: Extract<Match, { kind: "set" }>,
  invert: boolean,
  scope: Scope,
): RuleDraft {
  const { number, type } = scope.setOf(match.set);
  return draft.match(MATCH_SET, invert, number, setKey(type, match.sides) ?? 0);
}

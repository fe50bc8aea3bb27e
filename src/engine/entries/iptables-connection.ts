import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  CTSTATE_UNTRACKED,
  MATCH_BITS,
  MATCH_CTSTATE,
  MATCH_UNDECIDED,
} from "../../../assembly/abi/entry.js";
import * as code from "../../../assembly/abi/rule.js";
import { maskOf, type Prefix } from "../../net/prefix.js";
import type { Match } from "../../ruleset/iptables.js";
import type { RuleDraft } from "./rules.js";
import { addWithin } from "./within.js";
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

/** Matches of the packet's connection; whatever else there is, is undecided. */
export function addConnectionMatch(draft: RuleDraft, match: Match, invert: boolean): RuleDraft {
  const within = (field: number, from: number, to: number) => addWithin(draft, field, from, to, invert);
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
      return draft.match(MATCH_UNDECIDED, invert, code.UNDECIDED_ALWAYS);
  }
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

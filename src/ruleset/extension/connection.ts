import { type Family, familyOf } from "../../net/ip.js";
import { hostLength } from "../../net/prefix.js";
import type { CtState, CtStatus, Match } from "../iptables.js";
import {
  FULL_MASK,
  parseBounds,
  parseList,
  parseNetwork,
  printAddress,
  printHex,
  printMasked,
  printNetwork,
  printRange,
  readMasked,
} from "../iptables-values.js";
import { parseProtocolNumber } from "../protocols.js";
import type { Words } from "../words.js";
import { type MatchModule, type MatchOf, type MatchOption, moduleOf, option } from "./match-module.js";

/** The order in which the listing names states. */
const CT_STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"] as const;
const CT_STATUSES = ["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "NONE"] as const;
const CT_ENDS = ["origsrc", "origdst", "replsrc", "repldst"] as const;

const CTSTATE_WORDS =
  "a list of connection states (INVALID, NEW, RELATED, ESTABLISHED, UNTRACKED, SNAT, DNAT)";

const readStates = (words: Words) => words.read(CTSTATE_WORDS, (word) => parseList(word, CT_STATES));

const inOrder = <T extends CtState | CtStatus>(order: readonly T[], some: readonly T[]) =>
  order.filter((one) => some.includes(one)).join(",");

/** conntrack's match as it was first called, and as old rules are listed to this day. */
const STATE = moduleOf("state", [
  option(
    "ctstate",
    ["--state"],
    (words) => ({ kind: "ctstate", states: readStates(words), module: "state" }),
    ({ states }) => inOrder(CT_STATES, states),
    ({ module }) => module === "state",
  ),
]);

/** An address or prefix of the family. */
export function readNetwork(words: Words, family: Family) {
  return words.read(`an IPv${family} address or prefix`, (word) => {
    const prefix = parseNetwork(word);
    return prefix !== undefined && familyOf(prefix.address) === family ? prefix : undefined;
  });
}

function ctAddress(end: (typeof CT_ENDS)[number]): MatchOption {
  return option(
    "ctaddress",
    [`--ct${end}`],
    (words, family) => ({ kind: "ctaddress", end, prefix: readNetwork(words, family) }),
    ({ prefix }) =>
      prefix.length === hostLength(prefix.address) ? printAddress(prefix.address) : printNetwork(prefix),
    (match) => match.end === end,
  );
}

function ctPort(end: (typeof CT_ENDS)[number]): MatchOption {
  return option(
    "ctport",
    [`--ct${end}port`],
    (words) => {
      const [from, to] = words.read("a port or a range of ports", (word) => parseBounds(word, 0xffff));
      return { kind: "ctport", end, from, to };
    },
    ({ from, to }) => printRange([from, to]),
    (match) => match.end === end,
  );
}

const DIRECTIONS = ["ORIGINAL", "REPLY"] as const;

const CONNTRACK = moduleOf("conntrack", [
  option(
    "ctstate",
    ["--ctstate"],
    (words) => ({ kind: "ctstate", states: readStates(words) }),
    ({ states }) => inOrder(CT_STATES, states),
    ({ module }) => module === undefined,
  ),
  option(
    "ctproto",
    ["--ctproto"],
    (words) => ({ kind: "ctproto", protocol: words.read("a protocol", parseProtocolNumber) }),
    ({ protocol }) => `${protocol}`,
  ),
  ...CT_ENDS.map(ctAddress),
  ...CT_ENDS.map(ctPort),
  option(
    "ctstatus",
    ["--ctstatus"],
    (words) => ({
      kind: "ctstatus",
      statuses: words.read("a list of connection statuses", (word) => parseList(word, CT_STATUSES)),
    }),
    ({ statuses }) => inOrder(CT_STATUSES, statuses),
  ),
  option(
    "ctexpire",
    ["--ctexpire"],
    (words) => {
      const [from, to] = words.read("seconds or a range of them", (word) => parseBounds(word, FULL_MASK));
      return { kind: "ctexpire", from, to };
    },
    ({ from, to }) => printRange([from, to]),
  ),
  option(
    "ctdir",
    ["--ctdir"],
    (words) => ({
      kind: "ctdir",
      direction: words.read("a direction (ORIGINAL or REPLY)", (word) =>
        DIRECTIONS.find((direction) => direction === word),
      ),
    }),
    ({ direction }) => direction,
  ),
]);

const printMark = ({ value, mask }: MatchOf<"mark"> | MatchOf<"connmark">) =>
  mask === FULL_MASK ? printHex(value) : printMasked(value, mask);

function mark(kind: "mark" | "connmark"): MatchModule {
  return moduleOf(kind, [
    option(
      kind,
      ["--mark"],
      (words) => {
        const [value, mask] = readMasked(words, "a mark");
        return { kind, value, mask } as Match as MatchOf<typeof kind>;
      },
      printMark,
    ),
  ]);
}

/** Modules that ask for a packet's connection, for its mark or the packet's. */
export const CONNECTION_MODULES: readonly MatchModule[] = [CONNTRACK, STATE, mark("mark"), mark("connmark")];

import { familyOf, parseIp } from "../../net/ip.js";
import { parseMac, printMac } from "../../net/mac.js";
import type { Side } from "../iptables.js";
import {
  parseBounds,
  parseNumber,
  parsePair,
  printAddress,
  printHexOctet,
  printRange,
} from "../iptables-values.js";
import { dscpClass, tosName } from "./dscp-classes.js";
import { type MatchModule, type MatchOf, type MatchOption, moduleOf, option } from "./match-module.js";

const SIDES = ["src", "dst"] as const;

function ipRange(side: Side): MatchOption {
  return option(
    "iprange",
    [`--${side}-range`],
    (words, family) => {
      const [from, to] = words.read(`a range of IPv${family} addresses`, (word) => {
        const pair = parsePair(word, "-", parseIp, (first) => first);
        return pair?.every((ip) => familyOf(ip) === family) ? pair : undefined;
      });
      return { kind: "iprange", side, from, to };
    },
    ({ from, to }) => `${printAddress(from)}-${printAddress(to)}`,
    (match) => match.side === side,
  );
}

const MAC = moduleOf("mac", [
  option(
    "mac",
    ["--mac-source"],
    (words) => ({ kind: "mac", address: words.read("a MAC address", parseMac) }),
    ({ address }) => printMac(address),
  ),
]);

const PACKET_TYPES = ["unicast", "broadcast", "multicast"] as const;

const PKTTYPE = moduleOf("pkttype", [
  option(
    "pkttype",
    ["--pkt-type"],
    (words) => {
      const word = words.next("a packet type");
      const type = PACKET_TYPES.find((one) => one === word);
      return type && { kind: "pkttype", type };
    },
    ({ type }) => type,
  ),
]);

/** The hops that a packet may still make, by each family's word for them. */
function hops(kind: "ttl" | "hl"): MatchModule {
  const module = moduleOf(
    kind,
    (["eq", "lt", "gt"] as const).map((is) =>
      option(
        kind,
        is === "eq" ? [`--${kind}-eq`, `--${kind}`] : [`--${kind}-${is}`],
        (words) =>
          ({
            kind,
            is,
            value: words.read("a number up to 255", (word) => parseNumber(word, 255)),
          }) as MatchOf<typeof kind>,
        ({ value }) => `${value}`,
        (match) => match.is === is,
      ),
    ),
  );
  return { ...module, follows: () => false };
}

const LENGTH = moduleOf("length", [
  option(
    "length",
    ["--length"],
    (words) => {
      const [from, to] = words.read("a length or a range of lengths", (word) => parseBounds(word, 0xffff));
      return { kind: "length", from, to };
    },
    ({ from, to }) => printRange([from, to]),
  ),
]);

const DSCP = moduleOf("dscp", [
  option(
    "dscp",
    ["--dscp"],
    (words) => ({
      kind: "dscp",
      value: words.read("a DSCP (0 to 63)", (word) => parseNumber(word, 63)),
    }),
    ({ value }) => printHexOctet(value),
  ),
  // The same by the class's name, which the listing does not use.
  option(
    "dscp",
    ["--dscp-class"],
    (words) => ({ kind: "dscp", value: words.read("a DSCP class (CS1, AF11, EF …)", dscpClass) }),
    () => "",
  ),
]);

const TOS = moduleOf("tos", [
  option(
    "tos",
    ["--tos"],
    (words) => {
      const [value, mask] = words.read("a TOS or a TOS and its mask", (word) => {
        const name = tosName(word);
        return name === undefined
          ? parsePair(
              word,
              "/",
              (part) => parseNumber(part, 255),
              () => 255,
            )
          : ([name, 0x3f] as const);
      });
      return { kind: "tos", value, mask };
    },
    ({ value, mask }) => `${printHexOctet(value)}/${printHexOctet(mask)}`,
  ),
]);

/** Modules that ask for the packet itself. */
export const PACKET_MODULES: readonly MatchModule[] = [
  moduleOf("iprange", SIDES.map(ipRange)),
  MAC,
  PKTTYPE,
  hops("ttl"),
  hops("hl"),
  LENGTH,
  DSCP,
  TOS,
];

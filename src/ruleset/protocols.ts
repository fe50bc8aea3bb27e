import { PROTOCOL_NUMBER } from "../net/port.js";
import type { Match } from "./iptables.js";

type ProtocolMatch = Extract<Match, { kind: "protocol" }>;

/** The protocols that have names in rulesets; the others are numbers. */
const NAMED = { ...PROTOCOL_NUMBER, ICMP: 1 } as const;

/** As the tools list them, from what they hold themselves and from /etc/protocols; the first of a number is listed. */
const NAMES: readonly (readonly [string, number])[] = [
  ["tcp", 6],
  ["udp", 17],
  ["sctp", 132],
  ["icmp", 1],
  ["igmp", 2],
  ["ipencap", 4],
  ["egp", 8],
  ["dccp", 33],
  ["ipv6", 41],
  ["ipv6-route", 43],
  ["ipv6-frag", 44],
  ["rsvp", 46],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["ipv6-icmp", 58],
  ["icmpv6", 58],
  ["ipv6-nonxt", 59],
  ["ipv6-opts", 60],
  ["eigrp", 88],
  ["ospf", 89],
  ["ipip", 94],
  ["etherip", 97],
  ["pim", 103],
  ["ipcomp", 108],
  ["vrrp", 112],
  ["l2tp", 115],
  ["mobility-header", 135],
  ["ipv6-mh", 135],
  ["mh", 135],
  ["udplite", 136],
  ["hip", 139],
];

const NUMBER = new Map(NAMES);
const NAME = new Map([...NAMES].reverse().map(([name, number]) => [number, name]));

/** The IANA number of a rule's protocol. */
export function protocolNumber(protocol: ProtocolMatch["protocol"]): number {
  return typeof protocol === "number" ? protocol : NAMED[protocol];
}

function usualName(protocol: ProtocolMatch["protocol"]): string {
  const number = protocolNumber(protocol);
  return NAME.get(number) ?? `${number}`;
}

/** `tcp`, `esp`, `253`. */
export function printProtocol({ protocol, name }: Pick<ProtocolMatch, "protocol" | "name">): string {
  return name ?? usualName(protocol);
}

/** A protocol by any of its names or its number, 0 and `all` being every protocol; undefined for what is none. */
export function parseProtocolNumber(word: string): number | undefined {
  const lower = word.toLowerCase();
  if (lower === "all") return 0;
  const number = NUMBER.get(lower) ?? (/^[0-9]{1,3}$/.test(word) ? Number(word) : 256);
  return number <= 255 ? number : undefined;
}

/** The inverse of printProtocol: the name is kept where it is not the usual one. */
export function parseProtocol(word: string): Pick<ProtocolMatch, "protocol" | "name"> | undefined {
  const number = parseProtocolNumber(word);
  if (number === undefined) return undefined;
  const names = Object.keys(NAMED) as (keyof typeof NAMED)[];
  const named = names.find((name) => NAMED[name] === number);
  if (named !== undefined) return { protocol: named };
  const name = word.toLowerCase();
  return name === usualName(number) ? { protocol: number } : { protocol: number, name };
}

import type { Match, Range } from "../iptables.js";
import { parseBounds, parseNumber, parseRange, printRange } from "../iptables-values.js";
import type { Words } from "../words.js";
import { ICMP_TYPES, ICMPV6_TYPES } from "./icmp-types.js";
import { type MatchModule, type MatchOption, moduleOf, option } from "./match-module.js";

/** The name of a service or of a type, which only the machine it was written on could look up. */
const isName = (words: Words) => /^[a-zA-Z]/.test(words.peek() ?? "");

type ParsePorts = (word: string) => Range | undefined;

const parsePorts: ParsePorts = (word) => parseRange(word, 0xffff);
const parsePortBounds: ParsePorts = (word) => parseBounds(word, 0xffff);

function readPorts(words: Words, parse: ParsePorts) {
  return isName(words) ? undefined : words.read("a port or a range of ports, the lower first", parse);
}

function port(kind: "sport" | "dport", long: string, parse: ParsePorts): MatchOption {
  return option(
    kind,
    [`--${kind}`, long],
    (words) => {
      const ports = readPorts(words, parse);
      return ports && { kind, from: ports[0], to: ports[1] };
    },
    ({ from, to }) => printRange([from, to]),
  );
}

const ports = (parse: ParsePorts) =>
  [port("sport", "--source-port", parse), port("dport", "--destination-port", parse)] as const;

const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;
const ALL_FLAGS = 63;

function parseFlags(word: string): number | undefined {
  if (word === "NONE") return 0;
  if (word === "ALL") return ALL_FLAGS;
  let flags = 0;
  for (const name of word.split(",")) {
    if (!Object.hasOwn(TCP_FLAGS, name)) return undefined;
    flags |= TCP_FLAGS[name as keyof typeof TCP_FLAGS];
  }
  return flags;
}

function printFlags(flags: number): string {
  const names = Object.entries(TCP_FLAGS).filter(([, bit]) => (flags & bit) !== 0);
  return flags === 0 ? "NONE" : names.map(([name]) => name).join(",");
}

const FLAGS_WORDS = "a list of TCP flags (FIN, SYN, RST, PSH, ACK, URG, ALL, NONE)";

const TCP = moduleOf("tcp", [
  ...ports(parsePorts),
  option(
    "tcp-option",
    ["--tcp-option"],
    (words) => ({
      kind: "tcp-option",
      option: words.read("the number of a TCP option", (word) => parseNumber(word, 255)),
    }),
    (match) => `${match.option}`,
  ),
  option(
    "tcp-flags",
    ["--tcp-flags"],
    (words) => ({
      kind: "tcp-flags",
      mask: words.read(FLAGS_WORDS, parseFlags),
      flags: words.read(FLAGS_WORDS, parseFlags),
    }),
    ({ mask, flags }) => `${printFlags(mask)} ${printFlags(flags)}`,
  ),
  // A shorter way to say the one before, which the listing does not use.
  option(
    "tcp-flags",
    ["--syn"],
    () => ({ kind: "tcp-flags", mask: 1 + 2 + 4 + 16, flags: 2 }),
    () => "",
  ),
]);

/** `8`, `3/4`, `any`; `8/0:255` is not listed. */
function icmp(
  kind: "icmp" | "icmpv6",
  module: string,
  types: Readonly<Record<string, readonly [number, number?]>>,
): MatchModule {
  const parse = (word: string): readonly [number, number?] | undefined => {
    if (Object.hasOwn(types, word)) return types[word];
    const [type, code] = word.split("/").map((part) => parseNumber(part, 255));
    if (type === undefined || word.split("/").length > 2) return undefined;
    if (!word.includes("/")) return [type];
    return code === undefined ? undefined : [type, code];
  };
  const read = (words: Words) => {
    if (kind === "icmp" && words.take("any")) return { kind } as const;
    const [type, code] = words.read("an ICMP type, or type/code", parse);
    return code === undefined ? ({ kind, type } as const) : ({ kind, type, code } as const);
  };
  const print = ({ type, code }: { readonly type?: number; readonly code?: number }) =>
    `${type ?? "any"}${code === undefined ? "" : `/${code}`}`;
  return moduleOf(module, [option(kind, [`--${kind}-type`], read, print)]);
}

/** The modules of transport protocols by the protocol's number; their ports have no other. */
const TRANSPORTS: ReadonlyMap<number, MatchModule> = new Map([
  [1, icmp("icmp", "icmp", ICMP_TYPES)],
  [6, TCP],
  [17, moduleOf("udp", ports(parsePortBounds))],
  [33, moduleOf("dccp", ports(parsePortBounds))],
  [58, icmp("icmpv6", "icmp6", ICMPV6_TYPES)],
  [132, moduleOf("sctp", ports(parsePorts))],
]);

export const TRANSPORT_MODULES = [...TRANSPORTS.values()];

export function transportModule(protocol: number | undefined): MatchModule | undefined {
  return protocol === undefined ? undefined : TRANSPORTS.get(protocol);
}

export const isTransportModule = (name: string) => TRANSPORT_MODULES.some((module) => module.name === name);

/** Whether a match is one of the transport's own header. */
export function isTransport(match: Match): boolean {
  return TRANSPORT_MODULES.some((module) => module.lists(match));
}

const PORT_LISTS = { sports: "--source-ports", dports: "--destination-ports", ports: "--port" } as const;

function parsePortList(word: string) {
  const ranges = word.split(",").map(parsePorts);
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

export const MULTIPORT = moduleOf(
  "multiport",
  (["sports", "dports", "ports"] as const).map((on) =>
    option(
      "multiport",
      [`--${on}`, PORT_LISTS[on]],
      (words) =>
        isName(words)
          ? undefined
          : { kind: "multiport", on, ports: words.read("a list of ports", parsePortList) },
      ({ ports }) => ports.map((range) => printRange(range)).join(","),
      (match) => match.on === on,
    ),
  ),
);

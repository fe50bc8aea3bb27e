import { familyOf, parseIp, parseIp4 } from "../net/ip.js";
import { type HostPort, type Protocol, parseHostPort } from "../net/port.js";
import { familyOfService, type ServiceMatch } from "./ipvs.js";
import type { Words } from "./words.js";

/** What the options of one line of `ipvsadm -R` have said so far, in the order they stand in: some depend on those before. */
export interface Draft {
  service?: ServiceMatch;
  scheduler?: string;
  flags?: string;
  persistence?: number;
  netmask?: number;
  onePacket?: true;
  real?: HostPort;
  forwarding?: "masquerade" | "direct" | "tunnel";
  weight?: number;
  upperThreshold?: number;
  lowerThreshold?: number;
  tunnel?: string;
  tunnelPort?: number;
  checksum?: "nocsum" | "csum" | "remcsum";
}

export const VERBS = {
  "add-service": "A",
  "edit-service": "E",
  "delete-service": "D",
  "add-server": "a",
  "edit-server": "e",
  "delete-server": "d",
  clear: "C",
  zero: "Z",
  set: undefined,
} as const;
export type Verb = keyof typeof VERBS;

/** ipvsadm's own words for what it does otherwise, which no file of virtual servers needs. */
export const OTHER_VERBS = {
  list: "L",
  save: "S",
  restore: "R",
  help: "h",
  version: "v",
  "start-daemon": undefined,
  "stop-daemon": undefined,
} as const;

const SERVICES: readonly Verb[] = ["add-service", "edit-service"];
const REALS: readonly Verb[] = ["add-server", "edit-server"];
const WITH_REAL: readonly Verb[] = [...REALS, "delete-server"];
const WITH_SERVICE: readonly Verb[] = [...SERVICES, ...WITH_REAL, "delete-service", "zero"];

export interface IpvsOption {
  readonly name: string;
  readonly short?: string;
  /** Options of one slot exclude each other: only one of them may be given, once. */
  readonly slot: string;
  /** The commands that take it. */
  readonly of: readonly Verb[];
  readonly value: "none" | "optional" | "required";
  readonly read: (draft: Draft, value: string, words: Words) => void;
}

/** `strtol` to the end of the word, within bounds. */
export function readNumber(
  word: string,
  what: string,
  bounds: readonly [number, number],
  words: Words,
): number {
  const number = /^[+-]?[0-9]+$/.test(word) ? Number(word) : Number.NaN;
  if (number >= bounds[0] && number <= bounds[1]) return number + 0;
  throw words.refusal(`«${word}» is not ${what} (${bounds.join(" to ")}).`);
}

/** An address with a port, which may have a sign, or bare. */
function parseHost(word: string): Partial<HostPort> | undefined {
  const address = parseIp(word);
  return address === undefined ? parseHostPort(word.replace(/:\+(?=[0-9]+$)/, ":")) : { address };
}

function readHost(word: string, words: Words): Pick<HostPort, "address"> & Partial<HostPort> {
  const { address, port } = parseHost(word) ?? {};
  if (address !== undefined) return { address, ...(port === undefined ? {} : { port }) };
  throw words.refusal(`«${word}» is not an address with a port in numbers.`);
}

function service(protocol: Protocol): IpvsOption["read"] {
  return (draft, word, words) => {
    const { address, port = 0 } = readHost(word, words);
    draft.service = { protocol, address, port };
    if (familyOf(address) === 6) draft.netmask = 128;
  };
}

const MARK_MAX = 0xffffffff;
const INT_MAX = 0x7fffffff;
const SECONDS_MAX = 86_400 * 31;
/** Of `-p` alone. */
const PERSISTENCE_DEFAULT = 360;

function sixth(draft: Draft, _: string, words: Words): void {
  const { service: of } = draft;
  if (of?.mark === undefined) throw words.refusal("-6 stands behind the firewall mark (-f) that it is of.");
  draft.service = { mark: of.mark, family: 6 };
  draft.netmask = 128;
}

function netmask(draft: Draft, word: string, words: Words): void {
  const { service: of } = draft;
  const isSix = of !== undefined && familyOfService(of) === 6;
  const mask = isSix ? readNumber(word, "a prefix length", [1, 128], words) : parseIp4(word);
  if (mask === undefined) throw words.refusal(`«${word}» is not a netmask such as 255.255.255.0.`);
  draft.netmask = mask;
}

/** Without a port it has the one of the service, where that stands before. */
function real(draft: Draft, word: string, words: Words): void {
  const { address, port } = readHost(word, words);
  draft.real = { address, port: port ?? draft.service?.port ?? 0 };
}

function tunnelType(draft: Draft, word: string, words: Words): void {
  if (!["ipip", "gue", "gre"].includes(word))
    throw words.refusal(`«${word}» is not a type of tunnel (ipip, gue, gre).`);
  draft.tunnel = word;
}

const refused =
  (message: string): IpvsOption["read"] =>
  (_, __, words) => {
    throw words.refusal(message);
  };

/** An option that stands alone in its slot, and one of several. */
const option = (
  name: string,
  short: string | undefined,
  of: readonly Verb[],
  value: IpvsOption["value"],
  read: IpvsOption["read"],
  slot = name,
): IpvsOption => {
  return { name, ...(short === undefined ? {} : { short }), slot, of, value, read };
};

const VIRTUAL = "virtual service";
const FORWARDING = "forwarding method";

/** As ipvsadm 1.31 has them; those that only list are none of a line that is restored. */
export const OPTIONS: readonly IpvsOption[] = [
  option("tcp-service", "t", WITH_SERVICE, "required", service("TCP"), VIRTUAL),
  option("udp-service", "u", WITH_SERVICE, "required", service("UDP"), VIRTUAL),
  option("sctp-service", undefined, WITH_SERVICE, "required", service("SCTP"), VIRTUAL),
  option(
    "fwmark-service",
    "f",
    WITH_SERVICE,
    "required",
    (draft, word, words) => {
      draft.service = { mark: readNumber(word, "a firewall mark", [1, MARK_MAX], words), family: 4 };
    },
    VIRTUAL,
  ),
  option("scheduler", "s", SERVICES, "required", (draft, word) => {
    draft.scheduler = word;
  }),
  option("persistent", "p", SERVICES, "optional", (draft, word, words) => {
    draft.persistence =
      word === "" ? PERSISTENCE_DEFAULT : readNumber(word, "a number of seconds", [1, SECONDS_MAX], words);
  }),
  option("netmask", "M", SERVICES, "required", netmask),
  option("ops", "o", SERVICES, "none", (draft) => {
    draft.onePacket = true;
  }),
  option(
    "pe",
    undefined,
    SERVICES,
    "required",
    refused("persistence engines (--pe) are not modelled: leave this service out."),
  ),
  option("sched-flags", "b", SERVICES, "required", (draft, word) => {
    draft.flags = word;
  }),
  option("real-server", "r", WITH_REAL, "required", real),
  option(
    "masquerading",
    "m",
    REALS,
    "none",
    (draft) => {
      draft.forwarding = "masquerade";
    },
    FORWARDING,
  ),
  option(
    "gatewaying",
    "g",
    REALS,
    "none",
    (draft) => {
      draft.forwarding = "direct";
    },
    FORWARDING,
  ),
  option(
    "ipip",
    "i",
    REALS,
    "none",
    (draft) => {
      draft.forwarding = "tunnel";
    },
    FORWARDING,
  ),
  option("weight", "w", REALS, "required", (draft, word, words) => {
    draft.weight = readNumber(word, "a weight", [0, INT_MAX], words);
  }),
  option("u-threshold", "x", REALS, "required", (draft, word, words) => {
    draft.upperThreshold = readNumber(word, "an upper threshold", [0, INT_MAX], words);
  }),
  option("l-threshold", "y", REALS, "required", (draft, word, words) => {
    draft.lowerThreshold = readNumber(word, "a lower threshold", [0, INT_MAX], words);
  }),
  option("tun-type", undefined, REALS, "required", tunnelType),
  option("tun-port", undefined, REALS, "required", (draft, word, words) => {
    draft.tunnelPort = readNumber(word, "a tunnel's port", [1, 65535], words);
  }),
  ...(["nocsum", "csum", "remcsum"] as const).map((checksum) =>
    option(
      `tun-${checksum}`,
      undefined,
      REALS,
      "none",
      (draft) => {
        draft.checksum = checksum;
      },
      "tunnel's checksum",
    ),
  ),
  // These two the tool takes with every command, and as often as one likes.
  option("ipv6", "6", Object.keys(VERBS) as Verb[], "none", sixth, ""),
  option("sort", undefined, Object.keys(VERBS) as Verb[], "none", () => {}, ""),
];

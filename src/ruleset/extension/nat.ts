import { type Family, familyOf, type Ip, parseIp } from "../../net/ip.js";
import { printHostPort } from "../../net/port.js";
import type { NatRange, Range, Side } from "../iptables.js";
import {
  parseNetwork,
  parsePair,
  parseRange,
  printAddress,
  printNetwork,
  printRange,
} from "../iptables-values.js";
import type { Words } from "../words.js";
import { type TargetExtension, type TargetOf, target } from "./target-extension.js";

function parseAddresses(text: string, family: Family): readonly [Ip, Ip] | undefined {
  const pair = parsePair(text, "-", parseIp, (first) => first);
  return pair?.every((ip) => familyOf(ip) === family) && pair[0] <= pair[1] ? pair : undefined;
}

/** `80`, `80-90`, `80-90/8000`. */
function parsePorts(text: string): Pick<NatRange, "ports" | "basePort"> | undefined {
  const [range = "", base, ...more] = text.split("/");
  const ports = parseRange(range, 0xffff, "-");
  if (ports === undefined || more.length > 0) return undefined;
  const first = base === undefined ? undefined : parseRange(base, 0xffff);
  if (base === undefined) return { ports };
  return first === undefined ? undefined : { ports, basePort: first[0] };
}

/** `10.0.0.1`, `10.0.0.1-10.0.0.9:80-90`, `:80`, `[fd00::1]:80`, `fd00::1-fd00::9`. */
function parseDestination(word: string, family: Family): NatRange | undefined {
  const shape = family === 4 ? /^([^:]*)(?::(.*))?$/ : /^(?:\[([^\]]*)\])?(?::([0-9/-]+))?$/;
  const bare = family === 6 && !/^(\[|:[0-9/-]+$)/.test(word);
  const [, addresses = "", ports] = bare ? [word, word] : (shape.exec(word) ?? [word, "?"]);
  const range = addresses === "" ? undefined : parseAddresses(addresses, family);
  const where = ports === undefined ? {} : parsePorts(ports);
  if (where === undefined || (addresses !== "" && range === undefined)) return undefined;
  if (range === undefined && ports === undefined) return undefined;
  return range === undefined ? where : { addresses: range, ...where };
}

const printPorts = ({ ports, basePort }: NatRange) =>
  ports === undefined ? "" : printRange(ports, "-") + (basePort === undefined ? "" : `/${basePort}`);

function printDestination(range: NatRange): string {
  const { addresses, ports } = range;
  const [from, to] = addresses ?? [];
  const first = from === undefined ? "" : printAddress(from);
  const text = to === undefined || to === from ? first : `${first}-${printAddress(to)}`;
  if (ports === undefined) return text;
  return `${typeof from === "bigint" ? `[${text}]` : text}:${printPorts(range)}`;
}

type Flags = Pick<NatRange, "random" | "randomFully" | "persistent">;

const FLAGS = {
  "--random": () => ({ random: true as const }),
  "--random-fully": () => ({ randomFully: true as const }),
  "--persistent": () => ({ persistent: true as const }),
};

const printFlags = ({ random, randomFully, persistent }: Flags) =>
  (random ? " --random" : "") + (randomFully ? " --random-fully" : "") + (persistent ? " --persistent" : "");

interface Destination extends Flags {
  readonly to: NatRange;
}

function toward(option: string) {
  return {
    [option]: (words: Words, family: Family) => ({
      to: words.read(`an IPv${family} address, a range of them or ports`, (word) =>
        parseDestination(word, family),
      ),
    }),
    ...FLAGS,
  };
}

/** One address and one port without more is what kube-proxy writes, and has a kind of its own. */
function buildDnat({ to, ...flags }: Partial<Destination>): TargetOf<"dnat" | "translate"> | undefined {
  if (to === undefined) return undefined;
  const { addresses, ports, basePort } = to;
  const one = addresses?.[0] === addresses?.[1] && ports?.[0] === ports?.[1];
  if (one && addresses && ports && basePort === undefined && Object.keys(flags).length === 0) {
    return { kind: "dnat", address: addresses[0], port: ports[0] };
  }
  return { kind: "translate", side: "dst", range: { ...to, ...flags } };
}

const isSide = (side: Side) => (one: TargetOf<"dnat" | "translate">) =>
  one.kind === "dnat" ? side === "dst" : one.side === side;

const DNAT = target<"dnat" | "translate", Destination>("DNAT", ["dnat", "translate"], {
  fields: toward("--to-destination"),
  build: buildDnat,
  print: (one) =>
    ` --to-destination ${
      one.kind === "dnat" ? printHostPort(one.address, one.port) : printDestination(one.range)
    }${one.kind === "dnat" ? "" : printFlags(one.range)}`,
  when: isSide("dst"),
});

const SNAT = target<"translate", Destination>("SNAT", ["translate"], {
  fields: toward("--to-source"),
  build: ({ to, ...flags }) => to && { kind: "translate", side: "src", range: { ...to, ...flags } },
  print: ({ range }) => ` --to-source ${printDestination(range)}${printFlags(range)}`,
  when: isSide("src"),
});

const PORTS_WORDS = "a port or a range of ports";

const readPorts = (words: Words) => ({ to: words.read(PORTS_WORDS, parsePorts) });

const REDIRECT = target<"redirect", Destination>("REDIRECT", ["redirect"], {
  fields: { "--to-ports": readPorts, "--to-port": readPorts, ...FLAGS },
  build: ({ to = {}, ...flags }) => ({ kind: "redirect", range: { ...to, ...flags } }),
  print: ({ range }) =>
    (range.ports === undefined ? "" : ` --to-ports ${printPorts(range)}`) + printFlags(range),
});

const MASQUERADE = target<"masquerade", { ports: Range; random: true; randomFully: true }>(
  "MASQUERADE",
  ["masquerade"],
  {
    fields: {
      "--to-ports": (words) => ({
        ports: words.read(PORTS_WORDS, (word) => parseRange(word, 0xffff, "-")),
      }),
      "--random": FLAGS["--random"],
      "--random-fully": FLAGS["--random-fully"],
    },
    build: ({ randomFully = false, ...more }) => ({ ...more, kind: "masquerade", randomFully }),
    print: ({ ports, random, randomFully }) =>
      (ports === undefined ? "" : ` --to-ports ${printRange(ports, "-")}`) +
      (random ? " --random" : "") +
      (randomFully ? " --random-fully" : ""),
  },
);

const NETMAP = target<"netmap", TargetOf<"netmap">>("NETMAP", ["netmap"], {
  fields: {
    "--to": (words, family) => ({
      prefix: words.read(`an IPv${family} prefix`, (word) => {
        const prefix = parseNetwork(word);
        return prefix !== undefined && familyOf(prefix.address) === family ? prefix : undefined;
      }),
    }),
  },
  build: ({ prefix }) => prefix && { kind: "netmap", prefix },
  print: ({ prefix }) => ` --to ${printNetwork(prefix)}`,
});

export const NAT_TARGETS: readonly TargetExtension[] = [DNAT, SNAT, REDIRECT, MASQUERADE, NETMAP];

import { familyOf, parseIp } from "../../net/ip.js";
import {
  parseNumber,
  parsePair,
  printAddress,
  printHexOctet,
  printMasked,
  readMasked,
} from "../iptables-values.js";
import type { Words } from "../words.js";
import { dscpClass, tosName } from "./dscp-classes.js";
import { readSides } from "./stateful.js";
import { type TargetExtension, type TargetOf, target } from "./target-extension.js";

type CtTarget = TargetOf<"ct">;

const readZone = (words: Words) =>
  words.read("a zone (a number, or mark)", (word) => (word === "mark" ? word : parseNumber(word, 0xffff)));

/** `-j CT --notrack` is what new kernels list of `-j NOTRACK`. */
const CT = target<"ct" | "notrack", CtTarget & { readonly notrack: true }>("CT", ["ct", "notrack"], {
  fields: {
    "--notrack": () => ({ notrack: true }),
    "--zone": (words) => ({ zone: readZone(words) }),
    "--zone-orig": (words) => ({ zone: readZone(words), direction: "orig" }),
    "--zone-reply": (words) => ({ zone: readZone(words), direction: "reply" }),
    "--helper": (words) => ({ helper: words.next("the name of a helper") }),
  },
  build({ notrack, ...more }) {
    if (!notrack) return { ...more, kind: "ct" };
    return Object.keys(more).length === 0 ? { kind: "notrack" } : undefined;
  },
  print(one) {
    if (one.kind === "notrack") return " --notrack";
    const { helper, zone, direction } = one;
    const option = direction === undefined ? "--zone" : `--zone-${direction}`;
    return (
      (helper === undefined ? "" : ` --helper ${helper}`) + (zone === undefined ? "" : ` ${option} ${zone}`)
    );
  },
  when: (one) => one.kind === "ct" || one.module === undefined,
});

const NOTRACK = target<"notrack", object>("NOTRACK", ["notrack"], {
  fields: {},
  build: () => ({ kind: "notrack", module: "NOTRACK" }),
  print: () => "",
  when: ({ module }) => module !== undefined,
});

const TCPMSS = target<"tcpmss", { readonly clamp: true; readonly value: number }>("TCPMSS", ["tcpmss"], {
  fields: {
    "--clamp-mss-to-pmtu": () => ({ clamp: true }),
    "--set-mss": (words) => ({ value: words.read("a segment size", (word) => parseNumber(word, 0xffff)) }),
  },
  build: ({ clamp, value }) =>
    value !== undefined ? { kind: "tcpmss", value } : clamp && { kind: "tcpmss" },
  print: ({ value }) => (value === undefined ? " --clamp-mss-to-pmtu" : ` --set-mss ${value}`),
});

interface Hops {
  readonly op: "set" | "inc" | "dec";
  readonly value: number;
}

/** TTL, and HL of IPv6. */
function hops(kind: "ttl" | "hl"): TargetExtension {
  const change = (op: Hops["op"]) => (words: Words) => ({
    op,
    value: words.read("a number up to 255", (word) => parseNumber(word, 255)),
  });
  return target<"ttl" | "hl", Hops>(kind.toUpperCase(), [kind], {
    fields: {
      [`--${kind}-set`]: change("set"),
      [`--${kind}-inc`]: change("inc"),
      [`--${kind}-dec`]: change("dec"),
    },
    build: ({ op, value }) => (op === undefined || value === undefined ? undefined : { kind, op, value }),
    print: ({ op, value }) => ` --${kind}-${op} ${value}`,
  });
}

const DSCP = target<"dscp", TargetOf<"dscp">>("DSCP", ["dscp"], {
  fields: {
    "--set-dscp": (words) => ({ value: words.read("a DSCP (0 to 63)", (word) => parseNumber(word, 63)) }),
    "--set-dscp-class": (words) => ({ value: words.read("a DSCP class (CS1, AF11, EF …)", dscpClass) }),
  },
  build: ({ value }) => (value === undefined ? undefined : { kind: "dscp", value }),
  print: ({ value }) => ` --set-dscp ${printHexOctet(value)}`,
});

const parseOctet = (word: string) => parseNumber(word, 255);
const readOctet = (words: Words) => words.read("a number up to 255", parseOctet);

type TosTarget = TargetOf<"tos">;

const TOS = target<"tos", TosTarget>("TOS", ["tos"], {
  fields: {
    "--set-tos": (words) => {
      const [value, mask] = words.read("a TOS or a TOS and its mask", (word) => {
        const name = tosName(word);
        if (name !== undefined) return [name, 0x3f] as const;
        return parsePair(word, "/", parseOctet, () => 255);
      });
      return { value, mask };
    },
    "--and-tos": (words) => ({ value: 0, mask: 255 ^ readOctet(words) }),
    "--or-tos": (words) => {
      const bits = readOctet(words);
      return { value: bits, mask: bits };
    },
    "--xor-tos": (words) => ({ value: readOctet(words), mask: 0 }),
  },
  build: ({ value, mask }) =>
    value === undefined || mask === undefined ? undefined : { kind: "tos", value, mask },
  print: ({ value, mask }) => ` --set-tos ${printHexOctet(value)}/${printHexOctet(mask)}`,
});

type SetTarget = TargetOf<"set">;

function entry(op: SetTarget["op"]) {
  return (words: Words) => ({ op, set: words.next("the name of a set"), sides: readSides(words) });
}

const SET = target<"set", SetTarget>("SET", ["set"], {
  fields: {
    "--add-set": entry("add"),
    "--del-set": entry("del"),
    "--exist": () => ({ exist: true }),
    "--timeout": (words) => ({ timeout: words.readCount("a number of seconds") }),
  },
  build: ({ op, set, sides, ...more }) =>
    op === undefined || set === undefined || sides === undefined
      ? undefined
      : { ...more, kind: "set", op, set, sides },
  print: ({ op, set, sides, exist, timeout }) =>
    ` --${op}-set ${set} ${sides.join(",")}` +
    (exist ? " --exist" : "") +
    (timeout === undefined ? "" : ` --timeout ${timeout}`),
});

type TproxyTarget = TargetOf<"tproxy">;

const TPROXY = target<"tproxy", TproxyTarget>("TPROXY", ["tproxy"], {
  fields: {
    "--on-port": (words) => ({ port: words.read("a port", (word) => parseNumber(word, 0xffff)) }),
    "--on-ip": (words, family) => ({
      address: words.read(`an IPv${family} address`, (word) => {
        const address = parseIp(word);
        return address !== undefined && familyOf(address) === family ? address : undefined;
      }),
    }),
    "--tproxy-mark": (words) => {
      const [value, mask] = readMasked(words, "a mark and its mask");
      return { value, mask };
    },
  },
  build: ({ port, address, value = 0, mask = 0 }, family) =>
    port === undefined
      ? undefined
      : { kind: "tproxy", address: address ?? (family === 4 ? 0 : 0n), port, value, mask },
  print: ({ address, port, value, mask }) =>
    ` --on-port ${port} --on-ip ${printAddress(address)} --tproxy-mark ${printMasked(value, mask)}`,
});

/** Targets that change a packet, or what is kept of it, and let it go on; and TPROXY, which hands it to a socket. */
export const CHANGE_TARGETS: readonly TargetExtension[] = [
  CT,
  NOTRACK,
  TCPMSS,
  hops("ttl"),
  hops("hl"),
  DSCP,
  TOS,
  SET,
  TPROXY,
];

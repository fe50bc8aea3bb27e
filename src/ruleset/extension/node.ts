import type { AddressType, Match, Side } from "../iptables.js";
import { bang, FULL_MASK, parseList, parseRange, printRange } from "../iptables-values.js";
import type { Words } from "../words.js";
import {
  type MatchModule,
  type MatchOf,
  type MatchOption,
  moduleOf,
  option,
  readFields,
  wholeModule,
} from "./match-module.js";

const SIDES = ["src", "dst"] as const;

const ADDRESS_TYPES: readonly AddressType[] = [
  "UNSPEC",
  "UNICAST",
  "LOCAL",
  "BROADCAST",
  "ANYCAST",
  "MULTICAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
  "THROW",
  "NAT",
  "XRESOLVE",
];

type AddrTypeMatch = MatchOf<"addrtype">;

interface AddrTypes {
  readonly src: readonly AddressType[];
  readonly dst: readonly AddressType[];
  readonly inverted: readonly Side[];
  readonly limitIface: "in" | "out";
}

/** `--src-type` and `--dst-type`, each with its own `!`, and one interface to ask for both. */
function readAddressTypes(words: Words): readonly Match[] | undefined {
  const inverted: Side[] = [];
  const types = (side: Side) => (_: Words) => {
    if (words.peek(-2) === "!" || words.peek(-1) === "!") inverted.push(side);
    return {
      [side]: words.read("a list of address types (LOCAL, UNICAST …)", (word) =>
        parseList(word, ADDRESS_TYPES),
      ),
    };
  };
  const { draft } = readFields<AddrTypes>(
    words,
    {
      "--src-type": types("src"),
      "--dst-type": types("dst"),
      "--limit-iface-in": () => ({ limitIface: "in" }),
      "--limit-iface-out": () => ({ limitIface: "out" }),
    },
    4,
  );
  const { limitIface } = draft;
  return SIDES.flatMap((side): readonly Match[] => {
    const list = draft[side];
    if (list === undefined) return [];
    return [
      {
        kind: "addrtype",
        side,
        types: list,
        ...(limitIface === undefined ? {} : { limitIface }),
        ...(inverted.includes(side) ? { invert: true } : {}),
      },
    ];
  });
}

function printAddressTypes(matches: readonly Match[]): string {
  const all = matches as readonly (AddrTypeMatch & Match)[];
  const sides = all.map((match) => ` ${bang(match)}--${match.side}-type ${match.types.join(",")}`);
  const limit = all[0]?.limitIface;
  return sides.join("") + (limit === undefined ? "" : ` --limit-iface-${limit}`);
}

const ADDRTYPE: MatchModule = {
  name: "addrtype",
  kinds: ["addrtype"],
  lists: ({ kind }) => kind === "addrtype",
  owns: (spelled) => /^--(src-type|dst-type|limit-iface-(in|out))$/.test(spelled),
  read: readAddressTypes,
  print: printAddressTypes,
  // They share the interface that they ask for.
  follows: (match, before) =>
    match.kind === "addrtype" &&
    before.kind === "addrtype" &&
    match.limitIface === before.limitIface &&
    before.side === "src" &&
    match.side === "dst",
};

function bridgePort(direction: "in" | "out"): MatchOption {
  const kind = `physdev-${direction}` as const;
  return option(
    kind,
    [`--${kind}`],
    (words) => ({ kind, name: words.next("an interface") }),
    ({ name }) => name,
  );
}

function bridged(kind: "physdev-is-in" | "physdev-is-out" | "physdev-is-bridged"): MatchOption {
  return option(
    kind,
    [`--${kind}`],
    () => ({ kind }),
    () => "",
  );
}

const PHYSDEV = moduleOf("physdev", [
  bridged("physdev-is-in"),
  bridgePort("in"),
  bridged("physdev-is-out"),
  bridgePort("out"),
  bridged("physdev-is-bridged"),
]);

function owner(id: "uid" | "gid"): MatchOption {
  return option(
    "owner",
    [`--${id}-owner`],
    (words) => {
      // A name is known to the machine alone that it was written on.
      const range = parseRange(words.next("the number of an owner"), FULL_MASK, "-");
      if (range === undefined) return undefined;
      const [from, to] = range;
      const more = id === "gid" && words.take("--suppl-groups") ? { supplementary: true as const } : {};
      return { kind: "owner", id, from, to, ...more };
    },
    ({ from, to, supplementary }) => printRange([from, to], "-") + (supplementary ? " --suppl-groups" : ""),
    (match) => match.id === id,
  );
}

const OWNER = moduleOf("owner", [
  option(
    "socket-exists",
    ["--socket-exists"],
    () => ({ kind: "socket-exists" }),
    () => "",
  ),
  owner("uid"),
  owner("gid"),
]);

type SocketMatch = MatchOf<"socket">;

const SOCKET = wholeModule<"socket", SocketMatch>({
  name: "socket",
  kind: "socket",
  fields: {
    "--transparent": () => ({ transparent: true }),
    "--nowildcard": () => ({ nowildcard: true }),
    "--restore-skmark": () => ({ restoreSkmark: true }),
  },
  build: (draft) => ({ ...draft, kind: "socket" }),
  print: ({ transparent, nowildcard, restoreSkmark }) =>
    (transparent ? " --transparent" : "") +
    (nowildcard ? " --nowildcard" : "") +
    (restoreSkmark ? " --restore-skmark" : ""),
});

type RpfilterMatch = MatchOf<"rpfilter">;

const RPFILTER = wholeModule<"rpfilter", RpfilterMatch>({
  name: "rpfilter",
  kind: "rpfilter",
  fields: {
    "--loose": () => ({ loose: true }),
    "--validmark": () => ({ validmark: true }),
    "--accept-local": () => ({ acceptLocal: true }),
    "--invert": () => ({ invert: true }),
  },
  build: (draft) => ({ ...draft, kind: "rpfilter" }),
  print: ({ loose, validmark, acceptLocal, invert }) =>
    (loose ? " --loose" : "") +
    (validmark ? " --validmark" : "") +
    (acceptLocal ? " --accept-local" : "") +
    (invert ? " --invert" : ""),
});

const NFACCT = moduleOf("nfacct", [
  option(
    "nfacct",
    ["--nfacct-name"],
    (words) => ({ kind: "nfacct", name: words.next("the name of an accounting object") }),
    ({ name }) => name,
  ),
]);

/** Modules that ask for the node: its addresses, interfaces, routes and sockets. */
export const NODE_MODULES: readonly MatchModule[] = [ADDRTYPE, PHYSDEV, OWNER, SOCKET, RPFILTER, NFACCT];

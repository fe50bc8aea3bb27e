import type { Iptables } from "./iptables.js";
import type { NftTable } from "./nftables.js";
import type { Ruleset } from "./ruleset.js";

/** IFNAMSIZ - 1 (include/uapi/linux/if.h): octets of an interface's name. */
const NAME_MAX = 15;

/** What keeps a text from being an interface's name (dev_valid_name in net/core/dev.c); undefined where nothing does. */
export function interfaceNameFault(name: string): string | undefined {
  const { length } = new TextEncoder().encode(name);
  if (length > NAME_MAX) return `has ${length} octets, and an interface's name at most ${NAME_MAX}`;
  if (name === "" || name === "." || name === ".." || /[\s/:]/.test(name))
    return "is no interface's name: it has no white space, / or :, and is neither . nor ..";
  return undefined;
}

function iptablesNames({ tables }: Iptables): readonly string[] {
  return tables.flatMap(({ chains }) =>
    chains.flatMap(({ rules }) =>
      rules.flatMap(({ matches }) =>
        matches.flatMap((match) =>
          match.kind === "in-interface" || match.kind === "out-interface" ? [match.name] : [],
        ),
      ),
    ),
  );
}

function nftNames({ chains }: NftTable): readonly string[] {
  return chains.flatMap(({ rules }) =>
    rules.flatMap(({ statements }) =>
      statements.flatMap((statement) => (statement.kind === "match-interface" ? [statement.name] : [])),
    ),
  );
}

/** Interfaces that rules name, each once, as they do: `cali+` and `cali*` stand for all that begin so. */
export function interfacesInRules({
  iptables,
  ip6tables,
  nftables,
  nftables6,
}: Partial<Ruleset>): readonly string[] {
  const names = [
    ...[iptables, ip6tables].flatMap((one) => (one === undefined ? [] : iptablesNames(one))),
    ...[nftables, nftables6].flatMap((one) => (one === undefined ? [] : nftNames(one))),
  ];
  return [...new Set(names)];
}

/** Whether one of the names that rules say, in full or by their beginning, is an interface's. */
export function isNamedIn(named: readonly string[], name: string): boolean {
  return named.some((one) => (/[+*]$/.test(one) ? name.startsWith(one.slice(0, -1)) : name === one));
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { parseIptablesDump } from "../../src/ruleset/iptables-dump.js";
import { unknownParts } from "../../src/ruleset/iptables-lines.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { listingOf, RULE_FORMS } from "../ruleset/rule-forms.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";
import { cannotRun, inNamespace } from "./namespace.js";

const FOLDER = join(SHARED, "data", "iptables");
const BACKENDS = ["legacy", "nft"] as const;

const toolOf = (family: 4 | 6, backend: string) => `${family === 6 ? "ip6tables" : "iptables"}-${backend}`;

function obstacleOf(backend: string): string | undefined {
  const tool = toolOf(4, backend);
  return cannotRun(
    `printf '*nat\\nCOMMIT\\n' | ${tool}-restore && ${tool}-save && modprobe -n x_tables || true`,
  );
}

/** What the kernel lists of what is loaded into a new namespace. */
function loaded(listing: string, family: 4 | 6, backend: string, before = "true"): string {
  const tool = toolOf(family, backend);
  return inNamespace(`${before}; ${tool}-restore && ${tool}-save`, listing);
}

/** A table's chains by name, and under each the rules in their order. */
function tableInOrder(table: string): string {
  const lines = table.trimEnd().split("\n");
  const chains = lines.filter((line) => line.startsWith(":") && !line.endsWith("ACCEPT [0:0]"));
  const chainOf = (rule: string) => rule.split(" ")[1] ?? "";
  const rules = lines.filter((line) => line.startsWith("-A"));
  rules.sort((a, b) => Number(chainOf(a) > chainOf(b)) - Number(chainOf(a) < chainOf(b)));
  return [lines[0], ...chains.sort(), ...rules, "COMMIT", ""].join("\n");
}

/**
 * A listing in one order, without comments and counters, and without what is there in any case: tables and built-in
 * chains that are empty and accept.
 */
function inOrder(listing: string): string {
  const plain = listing.replace(/^#.*\n/gm, "").replace(/\[\d+:\d+\]$/gm, "[0:0]");
  const tables = (plain.match(/^\*[\s\S]*?^COMMIT\n/gm) ?? []).map(tableInOrder);
  return tables
    .filter((table) => !/^\*\w+\nCOMMIT\n$/.test(table))
    .sort()
    .join("");
}

describe.each(BACKENDS)("a real kernel's iptables-%s", (backend) => {
  const obstacle = obstacleOf(backend);
  const title = (text: string) => (obstacle === undefined ? text : `${text} (${obstacle})`);

  it.skipIf(obstacle !== undefined).each(RULE_FORMS)(
    title("lists every rule as it is printed: ip$family table $table"),
    ({ family, table, rules }) => {
      const listing = listingOf(
        table,
        rules.map(([written]) => written),
      );
      const saved = loaded(listing, family, backend);
      expect(inOrder(saved)).toBe(printIptables(parseIptables(listing, "rules", family)));
      expect(inOrder(printIptables(parseIptables(saved, "kernel", family)))).toBe(inOrder(saved));
    },
  );
});

/** Sets that rules name are made first, of a type that fits all of them. */
function sets(iptables: Iptables): string {
  const type = (sides: number) =>
    sides === 1 ? "hash:net" : `hash:ip${",port,ip".slice(0, sides === 2 ? 5 : 8)}`;
  const matches = iptables.tables.flatMap(({ chains }) =>
    chains.flatMap(({ rules }) => rules.flatMap((rule) => rule.matches)),
  );
  const family = iptables.family === 6 ? "inet6" : "inet";
  const made = matches.flatMap((match) =>
    match.kind === "set"
      ? [`ipset create '${match.set}' ${type(match.sides.length)} family ${family} -exist`]
      : [],
  );
  return [...new Set(made), "true"].join("; ");
}

const listings = existsSync(FOLDER)
  ? readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(txt|dump)$/.test(name) && !/cni-nftables|\.Ln\./.test(name))
      .sort()
  : [];

describe.each(BACKENDS)("listings of real nodes in iptables-%s", (backend) => {
  const obstacle = obstacleOf(backend);
  skipWithout(listings, FOLDER);

  it.skipIf(obstacle !== undefined).each(listings)("%s is listed as it is printed", (name) => {
    const { iptables, ip6tables } = parseIptablesDump(readFileSync(join(FOLDER, name), "utf8"), name);
    for (const one of [iptables, ip6tables]) {
      // A group by its name: another machine's.
      if (one === undefined || unknownParts(one).length > 0) continue;
      const printed = printIptables(one);
      const saved = loaded(printed, one.family, backend, sets(one));
      expect(inOrder(saved)).toBe(inOrder(printed));
      expect(inOrder(printIptables(parseIptables(saved, "kernel", one.family)))).toBe(inOrder(saved));
    }
  });
});

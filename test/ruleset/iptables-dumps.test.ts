import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { ruleDoubt } from "../../src/engine/entries/iptables.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { parseIptablesDump } from "../../src/ruleset/iptables-dump.js";
import { unknownParts, withoutLines } from "../../src/ruleset/iptables-lines.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";

const FOLDER = join(SHARED, "data", "iptables");

function filesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(txt|dump)$/.test(name))
    .sort();
}

/** Files that are no listing of iptables-save: of nft, and of iptables -L, which does not say all that rules match. */
const NO_LISTING = /^istio-cni-nftables\/|\.Ln\.(FWD|INP)\.(lower|upper)\.txt$/;

const files = filesOf(FOLDER);
const listings = files.filter((name) => !NO_LISTING.test(name));

/**
 * Rules of each file, IPv4 and IPv6, and how many of them are fully understood: no packet is undecided by what they
 * ask, if their sets are given. What keeps the others from it, test/engine/dumps.test.ts says.
 */
const UNDERSTOOD: Readonly<Record<string, readonly [rules: number, understood: number]>> = {
  "istio-cni-iptables/default.golden.txt": [18, 16],
  "istio-cni-iptables/dns_pod_disabled_and_on_globally.golden.txt": [12, 12],
  "istio-cni-iptables/dns_pod_disabled_and_on_globally_ipv6.golden.txt": [24, 24],
  "istio-cni-iptables/dns_pod_enabled_and_off_globally.golden.txt": [18, 16],
  "istio-cni-iptables/hostprobe_ipv6.golden.txt": [4, 2],
  "istio-cni-iptables/ingress.golden.txt": [10, 10],
  "istio-cni-iptables/ingress_and_virtual_interfaces.golden.txt": [14, 14],
  "istio-cni-iptables/ingress_and_virtual_interfaces_ipv6.golden.txt": [28, 28],
  "istio-cni-iptables/ingress_ipv6.golden.txt": [20, 20],
  "istio-cni-iptables/virtual_interfaces.golden.txt": [16, 16],
  "istio-cni-iptables/virtual_interfaces_ipv6.golden.txt": [32, 32],
  "istio-istio-iptables/basic-exclude-nic.golden.txt": [14, 8],
  "istio-istio-iptables/dns-uid-gid.golden.txt": [66, 22],
  "istio-istio-iptables/empty.golden.txt": [12, 6],
  "istio-istio-iptables/inbound-ports-wildcard-tproxy.golden.txt": [26, 17],
  "istio-istio-iptables/inbound-ports-wildcard.golden.txt": [14, 8],
  "istio-istio-iptables/ip-range.golden.txt": [35, 13],
  "istio-istio-iptables/ipnets-with-kube-virt-interfaces.golden.txt": [17, 11],
  "istio-istio-iptables/ipv6-dns-outbound-owner-groups-exclude.golden.txt": [28, 12],
  "istio-istio-iptables/ipv6-dns-outbound-owner-groups.golden.txt": [26, 12],
  "istio-istio-iptables/ipv6-empty-inbound-ports.golden.txt": [24, 12],
  "istio-istio-iptables/ipv6-inbound-ports.golden.txt": [30, 18],
  "istio-istio-iptables/ipv6-ipnets.golden.txt": [38, 26],
  "istio-istio-iptables/ipv6-outbound-ports.golden.txt": [28, 16],
  "istio-istio-iptables/ipv6-uid-gid.golden.txt": [50, 26],
  "istio-istio-iptables/kube-virt-interfaces.golden.txt": [17, 11],
  "istio-istio-iptables/loopback-outbound-iprange.golden.txt": [30, 12],
  "istio-istio-iptables/outbound-ports-include.golden.txt": [14, 8],
  "istio-istio-iptables/tproxy.golden.txt": [78, 50],
  "k8s/aks-2021-07-iptables-save-npm-filter.txt": [80, 80],
  "k8s/aks-2022-04-iptables-save-npm-v2.txt": [270, 269],
  "k8s/calico-felix-iptables-dump.txt": [44, 44],
  "k8s/kubeadm-1.11-bridge-iptables-save.txt": [85, 83],
  "netfilter-suite/fedora27-iptables.txt": [73, 73],
  "netfilter-suite/ipt-save-filter.txt": [55, 49],
  "netfilter-suite/iptables.dump": [5, 5],
  "netfilter-suite/policy-drop.txt": [1, 1],
  "realworld/config_home_user__typical_home_user_iptables-save.txt": [218, 204],
  "realworld/config_memphis_testbed__iptables-save.txt": [34, 31],
  "realworld/config_random_srv__iptables-save.txt": [8, 7],
  "realworld/configs_sqrl_shorewall__2015_aug_iptables-save-spoofing-protection.txt": [102, 102],
  "realworld/configs_srvs_ufw__server2-iptables-save.txt": [68, 61],
  "realworld/docker_topos__iptables-save.topos4.1.txt": [36, 36],
  "realworld/medium-sized-company__iptables-save.txt": [598, 598],
  "realworld/openvpn.eu__iptables-save.txt": [17, 16],
};

function rulesOf(iptables: Iptables | undefined) {
  return iptables?.tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)) ?? [];
}

function families(text: string, name: string): readonly Iptables[] {
  const { iptables, ip6tables } = parseIptablesDump(text, name);
  return [iptables, ip6tables].filter((one) => one !== undefined);
}

/** A listing's rule as it is printed: written by hand, it is in another order, or leaves out what the tool spells out. */
const BY_HAND = [
  // REJECT's default is left out, and older tools had no --mask.
  [/ -j REJECT$/, " -j REJECT --reject-with icmp-port-unreachable"],
  [/( -m recent .*--name \S+) (--rsource)/, "$1 --mask 255.255.255.255 $2"],
] as const;

const asListed = (rule: string) => BY_HAND.reduce((text, [from, to]) => text.replace(from, to), rule);

function listedRules(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trim().replace(/^\[\d+:\d+\] /, ""));
  return lines.filter((line) => line.startsWith("-A")).map(asListed);
}

/** Chains in one order: listings have them in any. */
function canonical(iptables: Iptables): Iptables {
  const { family, tables } = withoutLines(iptables);
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
  return { family, tables: tables.map(({ name, chains }) => ({ name, chains: [...chains].sort(byName) })) };
}

describe("listings of real nodes", () => {
  skipWithout(listings, FOLDER);

  it.skipIf(listings.length === 0)("are all in the table, and nothing else is", () => {
    expect(Object.keys(UNDERSTOOD)).toEqual(listings);
  });

  it.each(listings)("%s is understood", (name) => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const all = families(text, name);
    const rules = all.flatMap(rulesOf);
    expect([rules.length, rules.filter((rule) => ruleDoubt(rule) === undefined).length]).toEqual(
      UNDERSTOOD[name],
    );
    for (const { line = 0 } of rules) expect(text.split("\n")[line - 1]).toMatch(/-[AI] /);
  });

  it.skipIf(listings.length === 0)("hold nothing unknown but groups by their names", () => {
    // Only the machine that the rules are for could look those up.
    const all = listings.flatMap((name) => families(readFileSync(join(FOLDER, name), "utf8"), name));
    const unknown = all.flatMap(unknownParts).map(({ text }) => text);
    expect([...new Set(unknown)]).toEqual(["-m owner --gid-owner ftp", "-m owner ! --gid-owner java"]);
  });

  it.each(listings)("%s is printed and read again as it was", (name) => {
    for (const iptables of families(readFileSync(join(FOLDER, name), "utf8"), name)) {
      const text = printIptables(iptables);
      const [again] = families(iptables.family === 6 ? `# ip6tables-save\n${text}` : text, "printed");
      expect(again && canonical(again)).toEqual(canonical(iptables));
      expect(again && printIptables(again)).toBe(text);
    }
  });

  // Istio's are input of iptables-restore: rules in the order in which people write them.
  it.each(listings.filter((name) => !name.startsWith("istio")))(
    "%s is printed rule for rule as it stands",
    (name) => {
      const text = readFileSync(join(FOLDER, name), "utf8");
      const printed = families(text, name).map(printIptables).join("");
      expect([...listedRules(printed)].sort()).toEqual([...listedRules(text)].sort());
    },
  );

  it.each(files.filter((name) => NO_LISTING.test(name)))("%s is refused in one sentence", (name) => {
    const read = () => parseIptablesDump(readFileSync(join(FOLDER, name), "utf8"), name);
    expect(read).toThrow(InputError);
    expect(read).toThrow(/^[^\n]*: line \d+: [^\n]*\.$/);
  });
});

describe("a file of listings", () => {
  const table = (name: string, ...rules: readonly string[]) => `*${name}\n${rules.join("\n")}\nCOMMIT\n`;
  const counts = (text: string) => {
    const { iptables, ip6tables } = parseIptablesDump(text, "node");
    return [iptables?.tables.map(({ name }) => name), ip6tables?.tables.map(({ name }) => name)];
  };

  it("is of the family that its header names", () => {
    const any = table("nat", "-A OUTPUT -j ACCEPT");
    expect(counts(`# Generated by iptables-save v1.8.9 on a day\n${any}`)).toEqual([["nat"], undefined]);
    expect(counts(`# Generated by ip6tables-nft-save v1.8.9 on a day\n${any}`)).toEqual([undefined, ["nat"]]);
    expect(counts(`# Generated by ip6tables-save v1.4.21 (nf_tables)\n${any}`)).toEqual([undefined, ["nat"]]);
    expect(counts(any)).toEqual([["nat"], undefined]);
  });

  it("may be two, one after the other", () => {
    const four = table("nat", "-A OUTPUT -j ACCEPT") + table("filter", "-A INPUT -s 10.0.0.0/8 -j DROP");
    const six = table("nat", "-A OUTPUT -d fd00::/8 -j ACCEPT") + table("raw");
    const both = [
      ["nat", "filter"],
      ["nat", "raw"],
    ];
    expect(counts(four + six)).toEqual(both);
    expect(counts(`# Generated by ip6tables-save\n${six}# Generated by iptables-save\n${four}`)).toEqual(
      both,
    );
    expect(counts(`${four}# Generated by ip6tables-save v1\n${table("nat")}`)).toEqual([
      ["nat", "filter"],
      ["nat"],
    ]);
    expect(counts(table("nat") + table("nat"))).toEqual([["nat"], ["nat"]]);
    expect(counts(table("nat", "-A OUTPUT -p icmpv6 -j DROP"))).toEqual([undefined, ["nat"]]);
  });

  it("names the lines of the whole file", () => {
    const two = table("nat") + table("nat", "-A OUTPUT -d fd00::/8 -j ACCEPT");
    const { ip6tables } = parseIptablesDump(two, "node");
    expect(rulesOf(ip6tables)[0]?.line).toBe(5);
    const wrong = table("nat", "-A NO -j DROP") + table("nat", "-A OUTPUT -d fd00::/129");
    expect(() => parseIptablesDump(wrong, "node")).toThrow(
      "node: line 2: «NO» is not a chain of this table.\nnode: line 5: «fd00::/129» is not an IPv6 prefix.",
    );
  });

  it.each([
    ["", "node: line 1: the file holds no listing: give the output of iptables-save."],
    ["# nothing\n", "node: line 1: the file holds no listing: give the output of iptables-save."],
    [
      "Chain INPUT (policy ACCEPT)\n",
      "node: line 1: this is the output of iptables -L, which leaves out what rules match: give that of iptables-save.",
    ],
    [
      "# iptables-save\n*nat\nCOMMIT\n*nat\nCOMMIT\n",
      "node: line 4: the IPv4 table nat is listed a second time: give one dump of each family.",
    ],
  ])("is refused: %j", (text, message) => {
    expect(() => parseIptablesDump(text, "node")).toThrow(message);
  });
});

import { describe, expect, it } from "vitest";
import type { IptablesOptions } from "../../src/proxy/iptables.js";
import type { Iptables, Match, Rule } from "../../src/ruleset/iptables.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { clusterOf, ip, one, prefix, REMOTE, type ServiceFields } from "./cluster-of.js";
import { iptablesOf } from "./compiled.js";
import { walk } from "./iptables-walk.js";

const NODE_PORT: ServiceFields = { clusterIPs: "10.96.0.41", ports: "http:80>30080" };

const web = (fields: ServiceFields, endpoints = REMOTE) =>
  one("shop/web", { clusterIPs: "10.96.0.41", ...fields }, endpoints);

function rulesOf(iptables: Iptables, table: string, chain: string): readonly Rule[] {
  const found = iptables.tables.find(({ name }) => name === table)?.chains;
  return found?.find(({ name }) => name.startsWith(chain))?.rules ?? [];
}

const kinds = (rules: readonly Rule[]) => rules.map(({ matches }) => matches.map(({ kind }) => kind).join());

describe("iptables mode: the mark", () => {
  it.each([
    [14, "0x4000"],
    [0, "0x1"],
    [31, "0x80000000"],
  ])("masqueradeBit %i makes it %s, wherever it is asked or set", (masqueradeBit, mark) => {
    const text = printIptables(iptablesOf(web({}), { masqueradeBit }));
    expect(text.match(/0x[0-9a-f]+\/0x[0-9a-f]+/g)?.sort()).toEqual(
      [`${mark}/0x0`, ...new Array(3).fill(`${mark}/${mark}`)].sort(),
    );
  });
});

describe("iptables mode: local Pods by interface", () => {
  const fields: ServiceFields = { externalIPs: "192.0.2.1", externalTrafficPolicy: "Local" };

  it.each([
    [{ bridgeInterface: "cbr0" }, "cbr0"],
    [{ interfaceNamePrefix: "veth" }, "veth+"],
  ])("%j asks for -i %s, in both families", (detectLocal, name) => {
    const six = web({ ...fields, clusterIPs: "fd00:96::41", externalIPs: "2001:db8::1" }, []).slice(
      "shop/web",
      "http:8080",
      "fd00::9@worker-2",
    );
    const texts = [iptablesOf(web(fields), { detectLocal }), iptablesOf(six, { detectLocal, family: 6 })];
    for (const text of texts.map(printIptables)) {
      expect(text).toMatch(
        new RegExp(`-A KUBE-SVC-\\w+ -d \\S+ ! -i ${name.replace("+", "\\+")} -p tcp .* -j KUBE-MARK-MASQ`),
      );
      expect(text).toMatch(
        new RegExp(
          `-A KUBE-EXT-\\w+ -i ${name.replace("+", "\\+")} -m comment --comment "pod traffic .* -j KUBE-SVC-`,
        ),
      );
    }
  });

  it("what the node makes comes in through none: it is masqueraded", () => {
    const iptables = iptablesOf(web(fields), { detectLocal: { interfaceNamePrefix: "veth" } });
    const packet = { src: ip("10.244.1.7"), dst: ip("10.96.0.41"), protocol: "TCP", dport: 80 } as const;
    const ends = (more: { iif?: string; fromNode?: boolean }) => [
      ...walk(iptables, { ...packet, ...more }, [ip("172.18.0.2")]).keys(),
    ];
    expect(ends({ iif: "veth1a2b" })).toEqual(["10.244.2.9:8080"]);
    expect(ends({ iif: "eth0" })).toEqual(["10.244.2.9:8080 masquerade"]);
    expect(ends({ fromNode: true })).toEqual(["10.244.2.9:8080 masquerade"]);
    const outside = { ...packet, dst: ip("192.0.2.1") };
    expect([...walk(iptables, { ...outside, iif: "veth1" }, []).keys()]).toEqual(["10.244.2.9:8080"]);
    expect([...walk(iptables, { ...outside, iif: "eth0" }, []).keys()]).toEqual(["DROP"]);
  });
});

describe("iptables mode: detect-local prefixes", () => {
  it("are taken by family", () => {
    const detectLocal = ["10.0.0.0/9", "fd00:1::/32"].map(prefix);
    expect(printIptables(iptablesOf(web({}), { detectLocal }))).toContain(
      " ! -s 10.0.0.0/9 -d 10.96.0.41/32 ",
    );
    const six = clusterOf()
      .service("shop/web", { ports: "http:80", clusterIPs: "fd00:96::41" })
      .slice("shop/web", "http:8080", "fd00::9");
    expect(printIptables(iptablesOf(six, { detectLocal, family: 6 }))).toContain(
      " ! -s fd00:1::/32 -d fd00:96::41/128 ",
    );
  });
});

describe("iptables mode: what the kernel has", () => {
  it("packets that are INVALID are dropped, but not where conntrack is liberal", () => {
    expect(kinds(rulesOf(iptablesOf(web({})), "filter", "KUBE-FORWARD"))).toEqual([
      "ctstate",
      "mark",
      "ctstate",
    ]);
    const liberal = iptablesOf(web({}), { conntrackTcpBeLiberal: true });
    expect(kinds(rulesOf(liberal, "filter", "KUBE-FORWARD"))).toEqual(["mark", "ctstate"]);
  });

  it.each([
    ["1.31", true, false],
    ["1.32", true, true],
    ["1.35", true, true],
    ["1.35", false, false],
  ] as const)("kube-proxy %s counts packets, nfacct %s: %s", (kubernetesVersion, nfacct, counts) => {
    const iptables = iptablesOf(web(NODE_PORT), { kubernetesVersion, nfacct });
    const counters = iptables.tables.flatMap(({ chains }) =>
      chains.flatMap(({ rules }) =>
        rules.flatMap(({ matches }) =>
          matches.flatMap((match) => (match.kind === "nfacct" ? [match.name] : [])),
        ),
      ),
    );
    expect(counters).toEqual(counts ? ["ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"] : []);
  });

  it("nodePorts on 127.0.0.0/8 are counted by a twin before the rule, where they answer", () => {
    const twin = (options: IptablesOptions) =>
      kinds(rulesOf(iptablesOf(web(NODE_PORT), { nfacct: true, ...options }), "nat", "KUBE-NODEPORTS"));
    expect(twin({})).toEqual(["destination,protocol,dport,nfacct", "protocol,dport"]);
    expect(twin({ localhostNodePorts: false })).toEqual(["protocol,dport"]);
  });
});

describe("iptables mode: session affinity", () => {
  const endpoints = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];

  it("asks for each endpoint's client list first, and sets it with the DNAT", () => {
    const iptables = iptablesOf(web({ affinitySeconds: 600 }, endpoints));
    const service = rulesOf(iptables, "nat", "KUBE-SVC-");
    expect(service.map(({ comment, target }) => [comment, target])).toEqual([
      ["shop/web:http cluster IP", { kind: "jump", chain: "KUBE-MARK-MASQ" }],
      ["shop/web:http -> 10.244.1.9:8080", { kind: "jump", chain: "KUBE-SEP-Z5LSZF7RYHBWLYWB" }],
      ["shop/web:http -> 10.244.2.9:8080", { kind: "jump", chain: "KUBE-SEP-EMUAPVFCFHRD2FOR" }],
      ["shop/web:http -> 10.244.1.9:8080", { kind: "jump", chain: "KUBE-SEP-Z5LSZF7RYHBWLYWB" }],
      ["shop/web:http -> 10.244.2.9:8080", { kind: "jump", chain: "KUBE-SEP-EMUAPVFCFHRD2FOR" }],
    ]);
    const list = { kind: "recent", name: "KUBE-SEP-Z5LSZF7RYHBWLYWB", side: "source", mask: 0xffffffff };
    expect(service[1]?.matches).toEqual([{ ...list, op: "rcheck", seconds: 600, reap: true }]);
    expect(rulesOf(iptables, "nat", "KUBE-SEP-Z5")[1]?.matches).toEqual([
      { kind: "protocol", protocol: "TCP" },
      { ...list, op: "set" },
      { kind: "module", name: "tcp" },
    ]);
  });

  it("has the endpoints of each policy's own chain as candidates", () => {
    const fields: ServiceFields = { ...NODE_PORT, externalTrafficPolicy: "Local", type: "NodePort" };
    const iptables = iptablesOf(web({ ...fields, affinitySeconds: 600 }, endpoints));
    const asked = (chain: string) =>
      rulesOf(iptables, "nat", chain)
        .flatMap(({ matches }) => matches)
        .filter((match): match is Extract<Match, { kind: "recent" }> => match.kind === "recent").length;
    expect([asked("KUBE-SVC-"), asked("KUBE-SVL-")]).toEqual([2, 1]);
  });

  it("is of whole addresses in IPv6 too", () => {
    const cluster = clusterOf()
      .service("shop/web", { ports: "http:80", clusterIPs: "fd00:96::41", affinitySeconds: 10800 })
      .slice("shop/web", "http:8080", "fd00::9");
    const [, set] = rulesOf(iptablesOf(cluster, { family: 6 }), "nat", "KUBE-SEP-");
    expect(set?.matches[1]).toMatchObject({ op: "set", mask: 2n ** 128n - 1n });
  });
});

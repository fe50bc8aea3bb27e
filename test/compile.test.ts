import { describe, expect, it } from "vitest";
import { type CompileOptions, compile } from "../src/compile.js";
import { type Diagnostic, InputError, printDiagnostic } from "../src/diagnostics.js";
import type { Cluster } from "../src/model/cluster.js";
import { printIp } from "../src/net/ip.js";
import { parseNft } from "../src/ruleset/nft-listing.js";
import { parseRoutes } from "../src/ruleset/routes.js";
import { printRuleset, RULESET_FORMATS, type RulesetFormat } from "../src/ruleset/ruleset.js";
import { clusterOf, dualClusterOf, ip, prefix } from "./proxy/cluster-of.js";

const SHOP: Cluster = clusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80>30080", type: "NodePort" })
  .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
  .service("shop/lb", { clusterIPs: "10.96.0.42", ports: "http:80", externalIPs: "192.0.2.7" })
  .build();

const MODES = ["iptables", "ipvs", "nftables"] as const;

function refused(cluster: Cluster, options: CompileOptions): string {
  try {
    compile(cluster, options);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

describe("compile", () => {
  it("takes the first node, mode iptables and flannel over VXLAN unless told otherwise", () => {
    const ruleset = compile(SHOP);
    expect([ruleset.node, ruleset.proxy]).toEqual(["worker-1", "iptables"]);
    expect(ruleset.interfaces.map(({ name }) => name)).toEqual(["lo", "eth0", "cni0", "flannel.1"]);
    expect(compile(SHOP, { node: "worker-1", proxy: "iptables", cni: "flannel" })).toEqual(ruleset);
  });

  it("has the parts of its mode and no others", () => {
    const parts = MODES.map((proxy) => {
      const { iptables, ipsets, ipvs, nftables } = compile(SHOP, { proxy });
      return Object.entries({ iptables, ipsets, ipvs, nftables })
        .filter(([, part]) => part !== undefined)
        .map(([name]) => name);
    });
    expect(parts).toEqual([["iptables"], ["iptables", "ipsets", "ipvs"], ["nftables"]]);
  });

  it("has one network in every mode, but for kube-ipvs0 and its addresses", () => {
    const [first, ipvs, second] = MODES.map((proxy) => compile(SHOP, { node: "worker-2", proxy }));
    expect(second?.interfaces).toEqual(first?.interfaces);
    expect(ipvs?.routes).toEqual(first?.routes);
    const [dummy, ...more] = ipvs?.interfaces.slice(first?.interfaces.length) ?? [];
    expect(more).toEqual([]);
    expect(dummy).toMatchObject({ name: "kube-ipvs0", kind: "dummy" });
    expect(dummy?.addresses.map(({ address, length }) => `${printIp(address)}/${length}`).sort()).toEqual([
      "10.96.0.41/32",
      "10.96.0.42/32",
      "192.0.2.7/32",
    ]);
  });

  it("answers nodePorts of mode ipvs on every address but loopback's", () => {
    const { ipvs } = compile(SHOP, { proxy: "ipvs" });
    const on = ipvs?.servers.filter(({ port }) => port === 30080).map(({ address }) => printIp(address ?? 0));
    expect(on?.sort()).toEqual(["10.244.1.0", "10.244.1.1", "172.18.0.2"]);
    const { nftables } = compile(SHOP, { proxy: "nftables" });
    const set = nftables?.sets.find(({ name }) => name === "nodeport-ips");
    expect(set?.addresses.map(({ address }) => printIp(address))).toEqual(["172.18.0.2"]);
  });

  it("hands options on to the proxy and to the plugin", () => {
    const cni = { plugin: "flannel", backend: "vxlan", vni: 9 } as const;
    const ruleset = compile(SHOP, { proxy: "nftables", cni, masqueradeAll: true });
    expect(ruleset.interfaces.at(-1)?.name).toBe("flannel.9");
    expect(printRuleset(ruleset, "nft")).toContain("\t\tip daddr 10.96.0.41 jump mark-for-masquerade\n");
    expect(printRuleset(compile(SHOP, { proxy: "nftables", detectLocal: "none" }), "nft")).not.toContain(
      "ip saddr != 10.244.0.0/16",
    );
  });

  it("answers nodePorts where nodePortAddresses say, in every mode", () => {
    const nodePortAddresses = [prefix("10.244.1.1/32")];
    const [iptables, ipvs, nftables] = MODES.map((proxy) => compile(SHOP, { proxy, nodePortAddresses }));
    if (iptables === undefined || ipvs === undefined || nftables === undefined) throw new Error("no ruleset");
    const dispatch = printRuleset(iptables, "iptables-save").match(/-A KUBE-SERVICES .*-j KUBE-NODEPORTS/g);
    expect(dispatch).toHaveLength(1);
    expect(dispatch?.[0]).toContain("-d 10.244.1.1/32");
    expect(printRuleset(ipvs, "ipvsadm-save").match(/-A -t .*:30080/g)).toEqual(["-A -t 10.244.1.1:30080"]);
    expect(printRuleset(nftables, "nft")).toContain("elements = { 10.244.1.1 }");
  });

  it("names Services beside nodes and Pods", () => {
    const { names } = compile(SHOP);
    expect(["10.96.0.41", "192.0.2.7", "172.18.0.3"].map((text) => names.get(ip(text)))).toEqual([
      "svc/shop/web",
      "svc/shop/lb",
      "node/worker-2",
    ]);
  });

  it("tells what was told of the cluster, and what plugin and proxy leave out", () => {
    const read: Diagnostic = {
      severity: "note",
      place: { file: "shop.yaml" },
      message: "skipped 3 ConfigMap.",
    };
    const open = clusterOf()
      .service("shop/web", {
        type: "LoadBalancer",
        clusterIPs: "10.96.0.41",
        ports: "http:80",
        ingress: "203.0.113.1",
        sourceRanges: "0.0.0.0/0",
      })
      .build();
    const { diagnostics } = compile({ ...open, diagnostics: [read] }, { proxy: "ipvs" });
    expect(diagnostics.map(printDiagnostic).map((text) => text.split(": ").slice(0, 2).join(": "))).toEqual([
      "shop.yaml: skipped 3 ConfigMap.",
      "flannel: --ip-masq",
      "test.yaml: Service shop/web",
    ]);
  });

  it("refuses a node that is not there, naming those that are", () => {
    expect(refused(SHOP, { node: "worker-9" })).toBe(
      "no node is called «worker-9»: name one of worker-1, worker-2.",
    );
    const [node] = SHOP.nodes;
    if (node === undefined) throw new Error("no node");
    const many = Array.from({ length: 12 }, (_, index) => ({ ...node, name: `n${index}` }));
    expect(refused({ ...SHOP, nodes: many }, { node: "x" })).toContain("n9, and 2 more.");
    expect(refused({ ...SHOP, nodes: [] }, {})).toBe("the cluster has no node to compile for: add one.");
  });

  it("takes nodePortAddresses as text too, and refuses text that is no network", () => {
    const parsed = compile(SHOP, { nodePortAddresses: [prefix("10.244.1.1/32")] });
    expect(compile(SHOP, { nodePortAddresses: ["10.244.1.1/32"] })).toEqual(parsed);
    expect(refused(SHOP, { nodePortAddresses: ["10.244.1.1/8"] })).toBe(
      "nodePortAddresses: «10.244.1.1/8» is not a network such as 192.0.2.0/24.",
    );
  });

  it("refuses words that it does not know, naming those that it does", () => {
    const cases: readonly [Readonly<Record<string, unknown>>, string][] = [
      [{ proxy: "userspace" }, "proxy: «userspace» is not known: name iptables, ipvs or nftables."],
      [{ proxy: "toString" }, "proxy: «toString» is not known: name iptables, ipvs or nftables."],
      [{ cni: "calico" }, "cni: «calico» is not known: name flannel."],
      [{ cni: { plugin: "calico" } }, "cni: «calico» is not known: name flannel."],
      [{ detectLocal: "Bridge" }, "detectLocal: «Bridge» is not known: name ClusterCIDR, NodeCIDR or none."],
    ];
    for (const [options, sentence] of cases) expect(refused(SHOP, options as CompileOptions)).toBe(sentence);
  });

  it("refuses a node without an address of its podCIDR's family", () => {
    const nodes = SHOP.nodes.map((node) => ({ ...node, internalIPs: [ip("fd00::5")] }));
    expect(refused({ ...SHOP, nodes }, {})).toBe(
      "Node worker-1: status.addresses: no InternalIP of its podCIDR's family: give the node one.",
    );
  });
});

describe("printRuleset", () => {
  const has: Record<(typeof MODES)[number], readonly RulesetFormat[]> = {
    iptables: ["iptables-save", "ip-route", "ip-neigh", "bridge-fdb", "sysctl"],
    ipvs: [
      "iptables-save",
      "ipset-save",
      "ipvsadm-save",
      "ipvsadm-set",
      "ip-route",
      "ip-neigh",
      "bridge-fdb",
      "sysctl",
    ],
    nftables: ["nft", "ip-route", "ip-neigh", "bridge-fdb", "sysctl"],
  };

  it.each(MODES)("in mode %s prints what that mode has, and says which mode has the rest", (proxy) => {
    const ruleset = compile(SHOP, { proxy });
    for (const format of RULESET_FORMATS) {
      const print = () => printRuleset(ruleset, format);
      if (has[proxy].includes(format)) expect(print()).toMatch(/\n$/);
      else
        expect(print).toThrow(
          new RegExp(
            `^a node in proxy mode ${proxy} has nothing to print as ${format}: (compile with proxy mode |nothing of that family is on it)`,
          ),
        );
    }
  });

  it("names no other mode where the family is what is missing", () => {
    for (const [proxy, format] of [
      ["iptables", "ip6tables-save"],
      ["nftables", "ip6-route"],
    ] as const)
      expect(() => printRuleset(compile(SHOP, { proxy }), format)).toThrow(
        `a node in proxy mode ${proxy} has nothing to print as ${format}: nothing of that family is on it.`,
      );
    expect(() => printRuleset(compile(SHOP, { proxy: "nftables" }), "ip6tables-save")).toThrow(
      "has nothing to print as ip6tables-save: compile with proxy mode iptables or ipvs.",
    );
  });

  it("refuses a format that is none, naming those that are", () => {
    for (const format of ["foo", "toString"]) {
      const print = () => printRuleset(compile(SHOP), format as RulesetFormat);
      expect(print).toThrow(InputError);
      expect(print).toThrow(
        `«${format}» is no format: name one of iptables-save, ip6tables-save, ipset-save, `,
      );
    }
  });

  it.each(MODES)("prints both families' parts in mode %s", (proxy) => {
    const cluster = dualClusterOf().service("shop/web", { clusterIPs: "10.96.0.1 fd00:96::1", ports: ":80" });
    const ruleset = compile(cluster.build(), { proxy, node: "dual-1" });
    for (const format of RULESET_FORMATS) {
      if (!has[proxy].includes(format) && !/6/.test(format)) continue;
      if (format === "ip6tables-save" && proxy === "nftables") continue;
      expect(printRuleset(ruleset, format)).toMatch(/\n$/);
    }
    expect(printRuleset(ruleset, "ip6-route")).toContain("fd00:244:0:8::/64 dev cni0");
    if (proxy === "nftables")
      expect(printRuleset(ruleset, "nft")).toMatch(/^table ip kube-proxy[\s\S]*^table ip6 kube-proxy/m);
  });

  it("prints what the parsers read back", () => {
    const ruleset = compile(SHOP, { proxy: "nftables" });
    expect(parseNft(printRuleset(ruleset, "nft"), "nft")).toEqual(ruleset.nftables);
    expect(parseRoutes(printRuleset(ruleset, "ip-route"), "ip route").routes).toEqual(ruleset.routes);
  });
});

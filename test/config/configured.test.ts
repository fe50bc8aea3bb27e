import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { Compilation } from "../../src/compilation.js";
import { type CompileOptions, compile } from "../../src/compile.js";
import { parseProxyConfig } from "../../src/config/parse.js";
import { InputError, printDiagnostic } from "../../src/diagnostics.js";
import { SCHEDULERS } from "../../src/ruleset/ipvs.js";
import { parseIpvs } from "../../src/ruleset/ipvs-save.js";
import { printRuleset } from "../../src/ruleset/ruleset.js";
import { clusterOf } from "../proxy/cluster-of.js";

const HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

const SHOP = clusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80>30080", type: "NodePort" })
  .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2")
  .build();

function compiled(body: string, options: CompileOptions = {}) {
  return compile(SHOP, { ...options, proxyConfig: parseProxyConfig(`${HEAD}${body}`) });
}

const saved = (body: string, options?: CompileOptions) =>
  printRuleset(compiled(body, options), "iptables-save");

describe("a node whose kube-proxy is configured", () => {
  it("runs in the configuration's mode, unless another is said", () => {
    expect(compiled("mode: nftables").proxy).toBe("nftables");
    expect(compiled("mode: ipvs\nipvs: { scheduler: wrr }").ipvs?.servers[0]?.scheduler).toBe("wrr");
    expect(compiled("mode: ipvs", { proxy: "iptables" }).ipvs).toBeUndefined();
    expect(compiled("").proxy).toBe("iptables");
  });

  it("is the one that hostnameOverride names, unless another is said", () => {
    expect(compiled("hostnameOverride: worker-2").node).toBe("worker-2");
    expect(compiled("hostnameOverride: worker-2", { node: "worker-1" }).node).toBe("worker-1");
  });

  it("masquerades as its own mode's part says", () => {
    const body = "iptables: { masqueradeAll: true, masqueradeBit: 20 }\nclusterCIDR: 10.244.0.0/16\n";
    expect(saved(body)).toContain("--set-xmark 0x100000/0x100000");
    expect(saved(body)).toMatch(/-A KUBE-SVC-\w+ -d 10.96.0.41\/32 .* -j KUBE-MARK-MASQ/);
    expect(saved(body, { masqueradeAll: false })).toMatch(
      /-A KUBE-SVC-\w+ ! -s 10.244.0.0\/16 -d 10.96.0.41\/32 /,
    );
    expect(printRuleset(compiled(`${body}mode: nftables`), "nft")).not.toContain("0x00100000");
  });

  it("tells Pods from others as it is told, and not at all without clusterCIDR", () => {
    expect(saved("clusterCIDR: 10.0.0.0/9")).toContain(" ! -s 10.0.0.0/9 ");
    expect(
      saved("detectLocalMode: InterfaceNamePrefix\ndetectLocal: { interfaceNamePrefix: veth }"),
    ).toContain(" ! -i veth+ ");
    expect(saved("mode: iptables")).not.toMatch(/-A KUBE-SVC-\w+ .* -j KUBE-MARK-MASQ/);
  });

  it("is missed where Pods have several networks: one is taken for it", () => {
    const node = (name: string, podCIDR: string, ip: string) =>
      `---\napiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nspec: { podCIDR: ${podCIDR} }\nstatus: { addresses: [{ type: InternalIP, address: ${ip} }] }\n`;
    const cluster = Cluster.parse(
      node("a", "10.4.0.0/24", "10.6.0.1") + node("b", "10.7.0.0/24", "10.6.0.2"),
    );
    const warnings = (options: CompileOptions) =>
      compile(cluster, { node: "a", ...options })
        .diagnostics.filter(({ severity }) => severity === "warning")
        .map(printDiagnostic);
    expect(warnings({})).toEqual([
      "kube-proxy: clusterCIDR: is taken to be 10.4.0.0/16, so that Pods of 10.7.0.0/16 count as outsiders: give the network of all Pods by --proxy-config.",
    ]);
    expect(warnings({ detectLocal: "NodeCIDR" })).toEqual([]);
  });

  it("warns where it is to tell Pods by interfaces that the node does not have", () => {
    const warnings = (body: string) =>
      compiled(body)
        .diagnostics.filter(({ severity }) => severity === "warning")
        .map(printDiagnostic);
    expect(warnings("detectLocalMode: BridgeInterface\ndetectLocal: { bridgeInterface: cni }")).toEqual([
      "Node worker-1: detectLocal: no interface is called cni (there are lo, eth0, cni0, flannel.1), so that kube-proxy takes no packet for a local Pod's.",
    ]);
    expect(
      warnings("detectLocalMode: InterfaceNamePrefix\ndetectLocal: { interfaceNamePrefix: veth }"),
    ).toEqual([
      "Node worker-1: detectLocal: no interface is called veth… (there are lo, eth0, cni0, flannel.1), so that kube-proxy takes no packet for a local Pod's.",
    ]);
    expect(warnings("detectLocalMode: BridgeInterface\ndetectLocal: { bridgeInterface: cni0 }")).toEqual([]);
    expect(
      warnings("detectLocalMode: InterfaceNamePrefix\ndetectLocal: { interfaceNamePrefix: cni }"),
    ).toEqual([]);
  });

  it("answers nodePorts where it is told; primary is the node's own address, or bindAddress", () => {
    const dispatch = (body: string, options?: CompileOptions) =>
      [...saved(body, options).matchAll(/-A KUBE-SERVICES (?:-d (\S+) )?.* -j KUBE-NODEPORTS/g)].map(
        ([, to]) => to,
      );
    expect(dispatch("nodePortAddresses: []")).toEqual([undefined]);
    expect(dispatch("nodePortAddresses: [primary]")).toEqual(["172.18.0.2/32"]);
    expect(dispatch("nodePortAddresses: [primary]\nbindAddress: 10.244.1.1")).toEqual(["10.244.1.1/32"]);
    expect(dispatch("nodePortAddresses: [127.0.0.0/8]")).toEqual(["127.0.0.1/32"]);
    expect(dispatch("nodePortAddresses: [primary]", { nodePortAddresses: ["10.0.0.0/8"] })).not.toContain(
      "172.18.0.2/32",
    );
  });

  it("has localhost nodePorts, packets out of state and hints as it is told", () => {
    expect(saved("iptables: { localhostNodePorts: false }")).toContain("! -d 127.0.0.0/8");
    expect(saved("conntrack: { tcpBeLiberal: true }")).not.toContain("INVALID");
    const hinted = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80" })
      .slice(
        "shop/web",
        "http:8080",
        "10.244.1.9@worker-1 node=worker-1",
        "10.244.2.9@worker-2 node=worker-2",
      )
      .build();
    const endpoints = (options: CompileOptions) =>
      printRuleset(compile(hinted, options), "iptables-save").match(/-j DNAT/g)?.length;
    expect(endpoints({})).toBe(1);
    expect(endpoints({ kubernetesVersion: "1.33" })).toBe(2);
    const proxyConfig = parseProxyConfig(`${HEAD}featureGates: { PreferSameTrafficDistribution: true }`);
    expect(endpoints({ kubernetesVersion: "1.33", proxyConfig })).toBe(1);
  });

  it("has the kernel's settings that kube-proxy makes", () => {
    expect(compile(SHOP).sysctls).toEqual({
      "net.netfilter.nf_conntrack_tcp_timeout_established": 86400,
      "net.netfilter.nf_conntrack_tcp_timeout_close_wait": 3600,
      "net.ipv4.conf.all.route_localnet": 1,
    });
    const body = `
conntrack: { tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 90s, tcpBeLiberal: true, udpTimeout: 10s, udpStreamTimeout: 1m }
nodePortAddresses: [172.18.0.0/16]
`;
    expect(compiled(body).sysctls).toEqual({
      "net.netfilter.nf_conntrack_tcp_timeout_close_wait": 90,
      "net.netfilter.nf_conntrack_udp_timeout": 10,
      "net.netfilter.nf_conntrack_udp_timeout_stream": 60,
      "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
    });
    const localhost = "net.ipv4.conf.all.route_localnet";
    expect(compiled("nodePortAddresses: [127.0.0.0/8]").sysctls).toHaveProperty([localhost], 1);
    expect(compiled("iptables: { localhostNodePorts: false }").sysctls).not.toHaveProperty([localhost]);
    expect(compiled("mode: nftables").sysctls).not.toHaveProperty([localhost]);
  });

  it("has IPVS's scheduler, timeouts and settings", () => {
    const body = "mode: ipvs\nipvs: { scheduler: wrr, strictARP: true, tcpTimeout: 15m, udpTimeout: 1m30s }";
    const { ipvs, sysctls } = compiled(body);
    expect(ipvs?.servers[0]?.scheduler).toBe("wrr");
    expect(ipvs?.timeouts).toEqual({ tcp: 900, udp: 90 });
    const set = printRuleset(compiled(body), "ipvsadm-set");
    expect(set).toBe("--set 900 0 90\n");
    expect(parseIpvs(set, "set").timeouts).toEqual(ipvs?.timeouts);
    expect(printRuleset(compiled("mode: ipvs"), "ipvsadm-set")).toBe("--set 0 0 0\n");
    expect(sysctls).toMatchObject({
      "net.ipv4.vs.conntrack": 1,
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.netfilter.nf_conntrack_tcp_timeout_established": 86400,
    });
    expect(compiled("mode: ipvs").ipvs?.timeouts).toBeUndefined();
    expect(compiled("mode: ipvs").sysctls).not.toHaveProperty(["net.ipv4.conf.all.arp_ignore"]);
  });

  it("asks its kernel for the scheduler where it runs in mode ipvs alone", () => {
    for (const scheduler of SCHEDULERS) {
      const { ipvs } = compiled(`mode: ipvs\nipvs: { scheduler: ${scheduler} }`);
      const flags = scheduler === "mh" ? ["mh-port"] : undefined;
      for (const server of ipvs?.servers ?? [])
        expect([server.scheduler, server.flags]).toEqual([scheduler, flags]);
      expect(ipvs?.servers.length).toBeGreaterThan(1);
    }
    const odd = "ipvs: { scheduler: random }";
    expect(compiled(`mode: iptables\n${odd}`)).toEqual(compiled("mode: iptables"));
    expect(compiled(`mode: ipvs\n${odd}`, { ipvsScheduler: "sh" }).ipvs?.servers[0]?.scheduler).toBe("sh");
    for (const [body, options] of [
      [`mode: ipvs\n${odd}`, {}],
      [odd, { proxy: "ipvs" }],
    ] as const)
      expect(() => compiled(body, options)).toThrow(
        /ipvs\.scheduler: «random» is none of rr, .*: kube-proxy does not start in mode ipvs with it\.$/,
      );
  });

  it("prints what it sets of the kernel", () => {
    expect(printRuleset(compiled("mode: ipvs"), "sysctl")).toBe(
      [
        "net.ipv4.ip_forward = 1",
        "net.ipv4.vs.conntrack = 1",
        "net.ipv4.vs.expire_nodest_conn = 1",
        "net.ipv4.vs.expire_quiescent_template = 1",
        "net.netfilter.nf_conntrack_tcp_timeout_close_wait = 3600",
        "net.netfilter.nf_conntrack_tcp_timeout_established = 86400",
        "",
      ].join("\n"),
    );
  });

  it("refuses what no kube-proxy knows", () => {
    const refused = (options: object) => {
      expect(() => compile(SHOP, options)).toThrow(InputError);
      try {
        compile(SHOP, options);
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(refused({ kubernetesVersion: "1.30" })).toBe(
      "kubernetesVersion: «1.30» is not known: name 1.31, 1.32, 1.33, 1.34 or 1.35.",
    );
    expect(refused({ masqueradeBit: 32 })).toBe(
      "masqueradeBit: 32 is no bit of a mark: name one from 0 to 31.",
    );
  });
});

describe("a cluster whose objects hold the configuration", () => {
  const objects = (body: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-proxy, namespace: kube-system }
data:
  config.conf: ${JSON.stringify(HEAD + body)}
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: 10.96.0.41, ports: [{ port: 80 }] }
`;

  it("is compiled with it, once and following changes, unless another is given", () => {
    const cluster = Cluster.parse(objects("mode: ipvs\nclusterCIDR: 10.244.0.0/16"));
    expect(compile(cluster).proxy).toBe("ipvs");
    expect(new Compilation(cluster).ruleset.proxy).toBe("ipvs");
    expect(compile(cluster, { proxyConfig: parseProxyConfig(`${HEAD}mode: nftables`) }).proxy).toBe(
      "nftables",
    );
    expect(cluster.diagnostics.map(printDiagnostic).join()).not.toContain("ConfigMap");
  });

  it("tells the notes about it, and refuses its faults", () => {
    const told = Cluster.parse(objects("mode: ipvs")).diagnostics.map(printDiagnostic);
    expect(told.at(-1)).toBe(
      "input: ConfigMap kube-system/kube-proxy: data.config.conf: document 1: KubeProxyConfiguration: clusterCIDR: names no network: kube-proxy cannot tell local Pods from others.",
    );
    expect(() => Cluster.parse(objects("mode: userspace"))).toThrow("«userspace» is none of");
  });

  it("is as it was where a ConfigMap of that name holds something else", () => {
    const cluster = Cluster.parse(objects("").replace(HEAD.split("\n")[1] ?? "", "kind: Other"));
    expect(cluster.proxyConfig).toBeUndefined();
  });
});

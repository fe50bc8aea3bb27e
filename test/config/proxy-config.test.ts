import { describe, expect, it } from "vitest";
import { parseDuration } from "../../src/config/duration.js";
import { parseProxyConfig } from "../../src/config/parse.js";
import { InputError, printDiagnostic } from "../../src/diagnostics.js";
import { ip, prefix } from "../proxy/cluster-of.js";

const HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

const configOf = (body: string) => parseProxyConfig(HEAD + body, "proxy.yaml");

function errorsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics.map(printDiagnostic);
    throw error;
  }
  return [];
}

const refused = (body: string) => errorsOf(() => configOf(body));
const told = (body: string) => configOf(body).diagnostics.map(printDiagnostic);

/** As kubeadm writes it: every field there is, most of them empty. */
const KUBEADM = `
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: { acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0 }
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  { max: null, maxPerCore: null, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null, udpStreamTimeout: 0s, udpTimeout: 0s }
detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" }
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables: { localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s }
ipvs:
  { excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s, tcpFinTimeout: 0s, tcpTimeout: 0s, udpTimeout: 0s }
logging:
  { flushFrequency: 0, options: { json: { infoBufferSize: "0" }, text: { infoBufferSize: "0" } }, verbosity: 0 }
metricsBindAddress: ""
mode: ""
nftables: { masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s }
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel: { enableDSR: false, forwardHealthCheckVip: false, networkName: "", rootHnsEndpointName: "", sourceVip: "" }
`;

describe("KubeProxyConfiguration", () => {
  it("as kubeadm writes it is the defaults, and nothing is said", () => {
    const config = configOf(KUBEADM);
    expect(config).toEqual({
      mode: undefined,
      nodeName: undefined,
      nodeIP: undefined,
      featureGates: {},
      detectLocal: [prefix("10.244.0.0/16")],
      nodePortAddresses: [],
      iptables: { masqueradeBit: 14, masqueradeAll: false, localhostNodePorts: true },
      nftables: { masqueradeBit: 14, masqueradeAll: false },
      ipvs: {
        scheduler: "rr",
        excludeCIDRs: [],
        strictARP: false,
        tcpTimeout: 0,
        tcpFinTimeout: 0,
        udpTimeout: 0,
      },
      conntrack: {
        maxPerCore: 32768,
        min: 131072,
        tcpEstablishedTimeout: 86400,
        tcpCloseWaitTimeout: 3600,
        tcpBeLiberal: false,
        udpTimeout: 0,
        udpStreamTimeout: 0,
      },
      diagnostics: [],
    });
  });

  it("reads what packets depend on", () => {
    const config = configOf(`
mode: ipvs
hostnameOverride: Worker-1
bindAddress: 192.0.2.7
clusterCIDR: 10.244.0.0/16,fd00:10:244::/56
nodePortAddresses: [192.0.2.7/24, "fd00::/8"]
iptables: { masqueradeBit: 20, masqueradeAll: true, localhostNodePorts: false }
nftables: { masqueradeBit: 31 }
ipvs: { scheduler: mh, excludeCIDRs: [198.51.100.0/24], strictARP: true, tcpTimeout: 15m, tcpFinTimeout: 30s, udpTimeout: 1m30s }
conntrack: { tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 90m, tcpBeLiberal: true, udpTimeout: 10s, udpStreamTimeout: 2m }
featureGates: { PreferSameTrafficDistribution: false }
`);
    expect(config).toMatchObject({
      mode: "ipvs",
      nodeName: "worker-1",
      nodeIP: ip("192.0.2.7"),
      detectLocal: [prefix("10.244.0.0/16"), prefix("fd00:10:244::/56")],
      nodePortAddresses: [prefix("192.0.2.0/24"), prefix("fd00::/8")],
      iptables: { masqueradeBit: 20, masqueradeAll: true, localhostNodePorts: false },
      nftables: { masqueradeBit: 31, masqueradeAll: false },
      ipvs: { scheduler: "mh", strictARP: true, tcpTimeout: 900, tcpFinTimeout: 30, udpTimeout: 90 },
      conntrack: {
        tcpEstablishedTimeout: 0,
        tcpCloseWaitTimeout: 5400,
        tcpBeLiberal: true,
        udpTimeout: 10,
        udpStreamTimeout: 120,
      },
      featureGates: { PreferSameTrafficDistribution: false },
    });
    expect(config.ipvs.excludeCIDRs).toEqual([prefix("198.51.100.0/24")]);
  });

  it.each([
    ["detectLocalMode: NodeCIDR", "NodeCIDR"],
    ["detectLocalMode: BridgeInterface\ndetectLocal: { bridgeInterface: cbr0 }", { bridgeInterface: "cbr0" }],
    [
      "detectLocalMode: InterfaceNamePrefix\ndetectLocal: { interfaceNamePrefix: veth }",
      { interfaceNamePrefix: "veth" },
    ],
    ["detectLocalMode: ClusterCIDR", "none"],
    ["clusterCIDR: fd00::/48", [prefix("fd00::/48")]],
  ])("detects local Pods by %j", (body, expected) => {
    expect(configOf(body).detectLocal).toEqual(expected);
  });

  it("says that there is no detector without clusterCIDR, which gates change nothing, and what is outdated", () => {
    expect(
      told("featureGates: { ContextualLogging: true }\nudpIdleTimeout: 250ms\nconntrack: { max: 0 }"),
    ).toEqual([
      "proxy.yaml: document 1: KubeProxyConfiguration: udpIdleTimeout: is of older versions: kube-proxy passes it over.",
      "proxy.yaml: document 1: KubeProxyConfiguration: conntrack.max: is of older versions: kube-proxy passes it over.",
      "proxy.yaml: document 1: KubeProxyConfiguration: featureGates.ContextualLogging: is passed over: it changes nothing that is modelled.",
      "proxy.yaml: document 1: KubeProxyConfiguration: clusterCIDR: names no network: kube-proxy cannot tell local Pods from others.",
    ]);
  });

  it("says which of what is set changes nothing, where one might think so", () => {
    const body = `
ipvs: { excludeCIDRs: [198.51.100.0/24], syncPeriod: 10s, minSyncPeriod: 2s }
conntrack: { maxPerCore: 0, min: 1000 }
nftables: { syncPeriod: 1m }
configSyncPeriod: 15m
healthzBindAddress: 192.0.2.7
portRange: 300+50
winkernel: { enableDSR: true }
metricsBindAddress: "[::1]:10249"
oomScoreAdj: -999
enableProfiling: true
clusterCIDR: 10.244.0.0/16
`;
    const notes = told(body).map((note) =>
      note.replace("proxy.yaml: document 1: KubeProxyConfiguration: ", ""),
    );
    expect(notes).toEqual([
      "ipvs.excludeCIDRs: changes nothing here: kube-proxy leaves virtual servers of others there, and there are none here.",
      "conntrack.min: changes nothing here: an engine holds as many connections as it is asked to.",
      "ipvs.syncPeriod: changes nothing here: rules follow changes at once.",
      "ipvs.minSyncPeriod: changes nothing here: rules follow changes at once.",
      "nftables.syncPeriod: changes nothing here: rules follow changes at once.",
      "configSyncPeriod: changes nothing here: rules follow changes at once.",
      "healthzBindAddress: changes nothing here: kube-proxy is taken to be healthy.",
      "portRange: changes nothing here: kube-proxy passes it over, too.",
      "winkernel: changes nothing here: nodes run Linux.",
    ]);
  });

  it("compares the periods of its mode, with their defaults, and of no other", () => {
    const message = (mode: string, least: number, most: number) =>
      `proxy.yaml: document 1: KubeProxyConfiguration: ${mode}.minSyncPeriod: is ${least} s, more than syncPeriod's ${most} s: kube-proxy refuses that; make it less.`;
    expect(refused("iptables: { minSyncPeriod: 31s }")).toEqual([message("iptables", 31, 30)]);
    expect(refused("iptables: { minSyncPeriod: 1m, syncPeriod: 1m }")).toEqual([]);
    expect(refused("mode: nftables\nnftables: { syncPeriod: 500ms }")).toEqual([message("nftables", 1, 0.5)]);
    expect(refused("mode: ipvs\nipvs: { syncPeriod: 500ms }\niptables: { minSyncPeriod: 1h }")).toEqual([]);
  });

  it("takes nodePortAddresses primary", () => {
    expect(configOf("nodePortAddresses: [primary]").nodePortAddresses).toBe("primary");
  });

  it.each([
    ["iptables: { masqueradeall: true }", "iptables.masqueradeall: is not known here: write masqueradeAll."],
    [
      "nodePortAddress: []",
      /^nodePortAddress: is not known here: known are apiVersion, kind, featureGates, /,
    ],
    ["mode: userspace", "mode: «userspace» is none of iptables, ipvs, nftables."],
    ["iptables: { masqueradeBit: 32 }", "iptables.masqueradeBit: 32 is out of range: 0 to 31."],
    [
      "iptables: { syncPeriod: 30 }",
      "iptables.syncPeriod: «30» has no unit: write 30s for seconds, or text such as 1h30m.",
    ],
    [
      "ipvs: { tcpTimeout: 5 }",
      "ipvs.tcpTimeout: «5» has no unit: write 5s for seconds, or text such as 1h30m.",
    ],
    [
      'ipvs: { tcpTimeout: "2.5" }',
      "ipvs.tcpTimeout: «2.5» has no unit: write 2.5s for seconds, or text such as 1h30m.",
    ],
    [
      "ipvs: { tcpTimeout: 0 }",
      "ipvs.tcpTimeout: «0» has no unit: write 0s for seconds, or text such as 1h30m.",
    ],
    ["ipvs: { tcpTimeout: true }", "ipvs.tcpTimeout: is «true», not text."],
    ["conntrack: { udpTimeout: 10 s }", "conntrack.udpTimeout: «10 s» is no duration such as 30s or 1h30m."],
    ["conntrack: { udpTimeout: -1s }", "conntrack.udpTimeout: «-1s» is negative: a duration is 0s or more."],
    ["ipvs: { scheduler: 1 }", "ipvs.scheduler: is «1», not text."],
    [
      "ipvs: { excludeCIDRs: [10.0.0.1] }",
      "ipvs.excludeCIDRs[0]: «10.0.0.1» is not a network, such as 203.0.113.0/24.",
    ],
    ["bindAddress: localhost", "bindAddress: «localhost» is not an IP address, such as 10.96.0.1."],
    [
      "nodePortAddresses: [primary, 10.0.0.0/8]",
      "nodePortAddresses[0]: «primary» stands alone or not at all: leave it, or the networks beside it.",
    ],
    [
      "nodePortAddresses: [10.0.0.1]",
      "nodePortAddresses[0]: «10.0.0.1» is not a network, such as 203.0.113.0/24.",
    ],
    [
      "detectLocalMode: Bridge",
      "detectLocalMode: «Bridge» is none of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix.",
    ],
    [
      "detectLocalMode: BridgeInterface",
      "detectLocal.bridgeInterface: is missing: detectLocalMode BridgeInterface takes its interfaces from there.",
    ],
    [
      "clusterCIDR: 10.0.0.0/8,10.1.0.0/16",
      /^clusterCIDR: «10.0.0.0\/8,10.1.0.0\/16» is neither one network nor one of each family/,
    ],
    [
      "featureGates: { AllAlpha: yes please }",
      "featureGates.AllAlpha: is the text «yes please», not true or false.",
    ],
    [
      "healthzBindAddress: localhost:10256",
      "healthzBindAddress: «localhost:10256» is no address, with or without a port, such as 0.0.0.0:10256 or [::]:10256.",
    ],
    ["metricsBindAddress: 0.0.0.0:0", /^metricsBindAddress: «0.0.0.0:0» is no address/],
    ["metricsBindAddress: 0.0.0.0:70000", /^metricsBindAddress: «0.0.0.0:70000» is no address/],
    ["portRange: 2000-300", "portRange: «2000-300» is no range of ports such as 300-2000."],
    ["portRange: 60000+6000", "portRange: «60000+6000» is no range of ports such as 300-2000."],
    ["clientConnection: { burst: -1 }", "clientConnection.burst: -1 is out of range: 0 to 2147483647."],
    ["oomScoreAdj: -1001", "oomScoreAdj: -1001 is out of range: -1000 to 1000."],
  ])("refuses %s", (body, expected) => {
    const [error = "", ...more] = refused(body);
    expect(more).toEqual([]);
    const sentence = error.replace("proxy.yaml: document 1: KubeProxyConfiguration: ", "");
    if (typeof expected === "string") expect(sentence).toBe(expected);
    else expect(sentence).toMatch(expected);
  });

  it("names every fault at once", () => {
    expect(refused("mode: userspace\nclusterCidr: 10.0.0.0/8\nconntrack: { min: -1 }")).toHaveLength(3);
  });
});

describe("parseProxyConfig", () => {
  it("finds the configuration within kubeadm's ConfigMap, and names the key in messages", () => {
    const map = (body: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: kube-proxy, namespace: kube-system }\ndata:\n  kubeconfig.conf: "apiVersion: v1"\n  config.conf: ${JSON.stringify(HEAD + body)}\n`;
    expect(parseProxyConfig(map("mode: nftables")).mode).toBe("nftables");
    expect(errorsOf(() => parseProxyConfig(map("mode: none"), "cm.yaml"))).toEqual([
      "cm.yaml: ConfigMap kube-system/kube-proxy: data.config.conf: document 1: KubeProxyConfiguration: mode: «none» is none of iptables, ipvs, nftables.",
    ]);
  });

  it("finds it beside kubeadm's other documents, but only one", () => {
    const others = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n---\n";
    expect(parseProxyConfig(`${others}${HEAD}mode: ipvs`).mode).toBe("ipvs");
    expect(errorsOf(() => parseProxyConfig(`${HEAD}---\n${HEAD}`, "p.yaml"))).toEqual([
      "p.yaml: document 2: KubeProxyConfiguration: is a second KubeProxyConfiguration: a node's kube-proxy has one.",
    ]);
  });

  it("refuses a text without any, and versions that there are none of", () => {
    expect(errorsOf(() => parseProxyConfig("apiVersion: v1\nkind: Pod\n", "p.yaml"))).toEqual([
      "p.yaml: holds no KubeProxyConfiguration (apiVersion kubeproxy.config.k8s.io/v1alpha1).",
    ]);
    expect(errorsOf(() => parseProxyConfig(HEAD.replace("v1alpha1", "v1"), "p.yaml"))).toEqual([
      "p.yaml: document 1: KubeProxyConfiguration: apiVersion: «kubeproxy.config.k8s.io/v1» is not known: it is kubeproxy.config.k8s.io/v1alpha1.",
    ]);
  });
});

describe("parseDuration", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["1h30m", 5400],
    ["1.5h", 5400],
    ["250ms", 0.25],
    [".5s", 0.5],
    ["1us", 1e-6],
    ["-2m", -120],
  ])("%s is %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBeCloseTo(seconds, 12);
  });

  it.each(["", "10", "s", "1d", "1h ", "1h-2m", "--1s", "1.2.3s"])("«%s» is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

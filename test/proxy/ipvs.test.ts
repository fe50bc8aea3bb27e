import { describe, expect, it } from "vitest";
import { printDiagnostic } from "../../src/diagnostics.js";
import { printIp } from "../../src/net/ip.js";
import { compileIpvs, type IpvsOptions } from "../../src/proxy/ipvs.js";
import { printIpSets } from "../../src/ruleset/ipset.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { printIpvs } from "../../src/ruleset/ipvs-save.js";
import { type ClusterBuilder, clusterOf, ip, nodeOf, prefix } from "./cluster-of.js";

const NODE_ADDRESSES = ["172.18.0.2", "10.244.1.1"].map(ip);

function compiled(cluster: ClusterBuilder, options: Partial<IpvsOptions> = {}) {
  const built = cluster.build();
  return compileIpvs(built, nodeOf(built), { nodeAddresses: NODE_ADDRESSES, ...options });
}

/** Non-empty sets, as `name: element element`. */
function setsOf(cluster: ClusterBuilder): readonly string[] {
  const { ipsets } = compiled(cluster);
  return ipsets
    .filter(({ entries }) => entries.length > 0)
    .map((set) => {
      const elements = printIpSets([set]).trimEnd().split("\n").slice(1);
      return `${set.name}: ${elements.map((line) => line.split(" ")[2]).join(" ")}`;
    });
}

const TWO = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];
const REMOTE = ["10.244.2.9@worker-2"];

const WEB = clusterOf()
  .service("shop/web", {
    type: "LoadBalancer",
    clusterIPs: "10.96.0.41",
    ports: "http:80>30080",
    externalIPs: "192.0.2.1 172.18.0.2",
    ingress: "198.51.100.1",
  })
  .slice("shop/web", "http:8080", ...TWO);

describe("ipvs mode", () => {
  it("has a virtual server for each address: ClusterIP, external IPs, VIPs, node addresses", () => {
    expect(printIpvs(compiled(WEB).ipvs)).toBe(
      [
        "10.96.0.41:80",
        "192.0.2.1:80",
        "172.18.0.2:80",
        "198.51.100.1:80",
        "172.18.0.2:30080",
        "10.244.1.1:30080",
      ]
        .map(
          (at) => `\
-A -t ${at} -s rr
-a -t ${at} -r 10.244.1.9:8080 -m -w 1
-a -t ${at} -r 10.244.2.9:8080 -m -w 1
`,
        )
        .join(""),
    );
  });

  it("binds to kube-ipvs0 what no other interface has", () => {
    const { dummyAddresses } = compiled(WEB);
    expect(dummyAddresses.map(printIp)).toEqual(["10.96.0.41", "192.0.2.1", "198.51.100.1"]);
  });

  it("fills the sets; of endpoints only those on this node", () => {
    expect(setsOf(WEB)).toEqual([
      "KUBE-LOOP-BACK: 10.244.1.9,tcp:8080,10.244.1.9",
      "KUBE-CLUSTER-IP: 10.96.0.41,tcp:80",
      "KUBE-EXTERNAL-IP: 192.0.2.1,tcp:80 172.18.0.2,tcp:80",
      "KUBE-LOAD-BALANCER: 198.51.100.1,tcp:80",
      "KUBE-NODE-PORT-TCP: 30080",
      "KUBE-IPVS-IPS: 10.96.0.41 192.0.2.1 198.51.100.1",
    ]);
  });

  it("keeps policy Local, UDP, SCTP and health checks in sets of their own", () => {
    const cluster = clusterOf().service("shop/web", {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.41",
      ports: "a:80>30080 b:80/UDP>30081 c:82/SCTP>30082",
      externalIPs: "192.0.2.1",
      ingress: "198.51.100.1",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 32000,
    });
    expect(setsOf(cluster)).toEqual([
      "KUBE-CLUSTER-IP: 10.96.0.41,tcp:80 10.96.0.41,udp:80 10.96.0.41,sctp:82",
      "KUBE-EXTERNAL-IP-LOCAL: 192.0.2.1,tcp:80 192.0.2.1,udp:80 192.0.2.1,sctp:82",
      "KUBE-LOAD-BALANCER: 198.51.100.1,tcp:80 198.51.100.1,udp:80 198.51.100.1,sctp:82",
      "KUBE-LOAD-BALANCER-LOCAL: 198.51.100.1,tcp:80 198.51.100.1,udp:80 198.51.100.1,sctp:82",
      "KUBE-NODE-PORT-TCP: 30080",
      "KUBE-NODE-PORT-LOCAL-TCP: 30080",
      "KUBE-NODE-PORT-UDP: 30081",
      "KUBE-NODE-PORT-LOCAL-UDP: 30081",
      "KUBE-NODE-PORT-SCTP-HASH: 172.18.0.2,sctp:30082 10.244.1.1,sctp:30082",
      "KUBE-NODE-PORT-LOCAL-SCTP-HASH: 172.18.0.2,sctp:30082 10.244.1.1,sctp:30082",
      "KUBE-HEALTH-CHECK-NODE-PORT: 32000",
      "KUBE-IPVS-IPS: 10.96.0.41 192.0.2.1 198.51.100.1",
    ]);
  });

  it("takes all endpoints where policy Local finds none here, and none for a nil cluster set", () => {
    const servers = (fields: Parameters<ClusterBuilder["service"]>[1]) => {
      const cluster = clusterOf().service("shop/web", {
        clusterIPs: "10.96.0.41",
        ports: "http:80",
        ...fields,
      });
      return printIpvs(compiled(cluster.slice("shop/web", "http:8080", ...REMOTE)).ipvs)
        .split("\n")
        .filter((line) => line.startsWith("-a"));
    };
    const local = { externalTrafficPolicy: "Local", externalIPs: "192.0.2.1" } as const;
    expect(servers(local)).toContain("-a -t 192.0.2.1:80 -r 10.244.2.9:8080 -m -w 1");
    expect(servers({ internalTrafficPolicy: "Local" })).toEqual([]);
  });

  it("holds clients at their endpoint by persistence", () => {
    const cluster = clusterOf().service("shop/web", {
      clusterIPs: "10.96.0.41",
      ports: ":80",
      affinitySeconds: 10800,
    });
    const { ipvs, diagnostics } = compiled(cluster);
    expect(printIpvs(ipvs)).toBe("-A -t 10.96.0.41:80 -s rr -p 10800\n");
    expect(diagnostics).toEqual([]);
  });

  it("answers nodePorts on the chosen addresses only", () => {
    const { ipvs } = compiled(WEB, { nodePortAddresses: [prefix("172.18.0.0/16")] });
    const nodePorts = ipvs.servers.filter(({ port }) => port === 30080);
    expect(nodePorts.map(({ address }) => printIp(address))).toEqual(["172.18.0.2"]);
  });

  it("asks the sets that hold anything", () => {
    const text = printIptables(compiled(WEB).iptables);
    const services = text.split("\n").filter((line) => line.startsWith("-A KUBE-SERVICES"));
    expect(services.map((line) => line.replace(/ -m comment --comment "[^"]*"/, ""))).toEqual([
      "-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN",
      "-A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER",
      "-A KUBE-SERVICES ! -s 10.244.0.0/16 -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ",
      "-A KUBE-SERVICES -m set --match-set KUBE-EXTERNAL-IP dst,dst -j KUBE-MARK-MASQ",
      "-A KUBE-SERVICES -m set --match-set KUBE-EXTERNAL-IP dst,dst -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT",
      "-A KUBE-SERVICES -m set --match-set KUBE-EXTERNAL-IP dst,dst -m addrtype --dst-type LOCAL -j ACCEPT",
      "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
      "-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT",
      "-A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT",
    ]);
    expect(text).toContain(
      '-A KUBE-POSTROUTING -m comment --comment "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose" -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE\n' +
        "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n",
    );
  });

  it.each([
    [{ masqueradeAll: true }, "-m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ"],
    [{ detectLocal: "none" }, "-m set --match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ"],
  ] as const)("marks ClusterIP traffic as %o says", (options, expected) => {
    expect(printIptables(compiled(WEB, options).iptables)).toContain(expected);
  });

  it("asks no set that is empty, but for the access filter and health checks", () => {
    const sets = [...printIptables(compiled(clusterOf()).iptables).matchAll(/--match-set (\S+)/g)].map(
      ([, set]) => set,
    );
    expect(new Set(sets)).toEqual(
      new Set([
        "KUBE-LOAD-BALANCER",
        "KUBE-CLUSTER-IP",
        "KUBE-EXTERNAL-IP",
        "KUBE-EXTERNAL-IP-LOCAL",
        "KUBE-HEALTH-CHECK-NODE-PORT",
        "KUBE-IPVS-IPS",
      ]),
    );
  });

  it("says which range is void, and which of two Services keeps an address", () => {
    const cluster = clusterOf()
      .service("shop/a", {
        clusterIPs: "10.96.0.1",
        ports: ":80",
        ingress: "192.0.2.1",
        sourceRanges: "10.0.0.0/8 0.0.0.0/0",
      })
      .service("shop/b", { clusterIPs: "10.96.0.2", ports: ":80", externalIPs: "192.0.2.1" });
    const { ipvs, diagnostics } = compiled(cluster);
    expect(
      ipvs.servers.filter(({ address }) => printIp(address) === "192.0.2.1").map(({ origin }) => origin),
    ).toEqual(["shop/a"]);
    expect(diagnostics.map(printDiagnostic)).toEqual([
      "test.yaml: Service shop/a: spec.loadBalancerSourceRanges: an ipset holds no prefix of length 0, so that kube-proxy in mode ipvs lets nobody in by this range: leave it out, or write 0.0.0.0/1 and 128.0.0.0/1 (::/1 and 8000::/1).",
      "test.yaml: Service shop/b: spec.ports: TCP 192.0.2.1:80 is also of Service port shop/a, which keeps it; on a real node either may win.",
    ]);
  });
});

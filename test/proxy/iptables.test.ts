import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IptablesOptions } from "../../src/proxy/iptables.js";
import { threshold } from "../../src/proxy/iptables-endpoints.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { printProbability } from "../../src/ruleset/iptables-values.js";
import { clusterOf, ip, one, prefix, REMOTE, type ServiceFields, TWO } from "./cluster-of.js";
import { iptablesOf } from "./compiled.js";
import { walk } from "./iptables-walk.js";

/** The rules that an empty cluster does not have, of both tables. */
function added(iptables: Iptables): string {
  const fixed = new Set(printIptables(iptablesOf(clusterOf())).split("\n"));
  const lines = printIptables(iptables).split("\n");
  return lines.filter((line) => line.startsWith("-A") && !fixed.has(line)).join("\n");
}

const THREE = ["10.244.2.9@worker-2", "10.244.1.9@worker-1", "10.244.1.10@worker-1"];

describe("iptables mode: what is listed", () => {
  it("the fixed rules of every node", () => {
    expect(printIptables(iptablesOf(clusterOf()))).toBe(`\
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-PROXY-CANARY - [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A OUTPUT -j KUBE-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
`);
  });

  it("a ClusterIP with three endpoints, in the order of the text `ip:port`", () => {
    const iptables = iptablesOf(one("shop/web", { clusterIPs: "10.96.0.41" }, THREE));
    expect(added(iptables)).toBe(`\
-A KUBE-SEP-EMUAPVFCFHRD2FOR -s 10.244.2.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-EMUAPVFCFHRD2FOR -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.2.9:8080
-A KUBE-SEP-FZQ6KZLGXRSKN2AD -s 10.244.1.10/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-FZQ6KZLGXRSKN2AD -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.1.10:8080
-A KUBE-SEP-Z5LSZF7RYHBWLYWB -s 10.244.1.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-Z5LSZF7RYHBWLYWB -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.1.9:8080
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.10:8080" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-FZQ6KZLGXRSKN2AD
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.9:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-Z5LSZF7RYHBWLYWB
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.9:8080" -j KUBE-SEP-EMUAPVFCFHRD2FOR`);
  });

  it("a nodePort", () => {
    const fields: ServiceFields = { type: "NodePort", clusterIPs: "10.96.0.41", ports: "http:80>30080" };
    expect(added(iptablesOf(one("shop/web", fields, REMOTE)))).toBe(`\
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade traffic for shop/web:http external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-67NZLRHBNDSAWJRO -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-SEP-EMUAPVFCFHRD2FOR -s 10.244.2.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-EMUAPVFCFHRD2FOR -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.2.9:8080
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.9:8080" -j KUBE-SEP-EMUAPVFCFHRD2FOR`);
  });

  it("a load balancer's address with source ranges, one of which holds the node", () => {
    const fields: ServiceFields = {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.41",
      ingress: "198.51.100.1",
      sourceRanges: "203.0.113.0/25 172.18.0.0/16",
    };
    expect(added(iptablesOf(one("shop/web", fields, REMOTE)))).toBe(`\
-A KUBE-PROXY-FIREWALL -d 198.51.100.1/32 -p tcp -m comment --comment "shop/web:http traffic not accepted by KUBE-FW-67NZLRHBNDSAWJRO" -m tcp --dport 80 -j DROP
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade traffic for shop/web:http external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-67NZLRHBNDSAWJRO -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-FW-67NZLRHBNDSAWJRO -s 203.0.113.0/25 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-FW-67NZLRHBNDSAWJRO -s 172.18.0.0/16 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-FW-67NZLRHBNDSAWJRO -s 198.51.100.1/32 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-FW-67NZLRHBNDSAWJRO -m comment --comment "other traffic to shop/web:http will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SEP-EMUAPVFCFHRD2FOR -s 10.244.2.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-EMUAPVFCFHRD2FOR -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.2.9:8080
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SERVICES -d 198.51.100.1/32 -p tcp -m comment --comment "shop/web:http loadbalancer IP" -m tcp --dport 80 -j KUBE-FW-67NZLRHBNDSAWJRO
-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.9:8080" -j KUBE-SEP-EMUAPVFCFHRD2FOR`);
  });

  it("no endpoints: refused on every address", () => {
    const fields: ServiceFields = {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.41",
      ports: "http:80>30080",
      externalIPs: "192.0.2.1",
      ingress: "198.51.100.1",
    };
    expect(added(iptablesOf(one("shop/empty", fields)))).toBe(`\
-A KUBE-EXTERNAL-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "shop/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-EXTERNAL-SERVICES -d 198.51.100.1/32 -p tcp -m comment --comment "shop/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "shop/empty:http has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable`);
  });

  it("externalTrafficPolicy Local, with a local endpoint", () => {
    const fields: ServiceFields = {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.41",
      ports: "http:80>30080",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 32000,
    };
    expect(added(iptablesOf(one("shop/web", fields, TWO)))).toBe(`\
-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http health check node port" -m tcp --dport 32000 -j ACCEPT
-A KUBE-EXT-67NZLRHBNDSAWJRO -s 10.244.0.0/16 -m comment --comment "pod traffic for shop/web:http external destinations" -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "route LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-EXT-67NZLRHBNDSAWJRO -j KUBE-SVL-67NZLRHBNDSAWJRO
-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-SEP-EMUAPVFCFHRD2FOR -s 10.244.2.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-EMUAPVFCFHRD2FOR -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.2.9:8080
-A KUBE-SEP-Z5LSZF7RYHBWLYWB -s 10.244.1.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-Z5LSZF7RYHBWLYWB -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.1.9:8080
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.9:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-Z5LSZF7RYHBWLYWB
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.9:8080" -j KUBE-SEP-EMUAPVFCFHRD2FOR
-A KUBE-SVL-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.1.9:8080" -j KUBE-SEP-Z5LSZF7RYHBWLYWB`);
  });

  it("externalTrafficPolicy Local, without: outsiders are dropped, pods and the node are not", () => {
    const fields: ServiceFields = {
      clusterIPs: "10.96.0.41",
      externalIPs: "192.0.2.1",
      externalTrafficPolicy: "Local",
    };
    expect(added(iptablesOf(one("shop/web", fields, REMOTE)))).toBe(`\
-A KUBE-EXTERNAL-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "shop/web:http has no local endpoints" -m tcp --dport 80 -j DROP
-A KUBE-EXT-67NZLRHBNDSAWJRO -s 10.244.0.0/16 -m comment --comment "pod traffic for shop/web:http external destinations" -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "route LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SEP-EMUAPVFCFHRD2FOR -s 10.244.2.9/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
-A KUBE-SEP-EMUAPVFCFHRD2FOR -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.2.9:8080
-A KUBE-SERVICES -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
-A KUBE-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "shop/web:http external IP" -m tcp --dport 80 -j KUBE-EXT-67NZLRHBNDSAWJRO
-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.41/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.9:8080" -j KUBE-SEP-EMUAPVFCFHRD2FOR`);
  });

  it("leaves the comments of endpoints out past 1000 endpoints", () => {
    const large = (count: number) => {
      const names = Array.from(
        { length: count },
        (_, index) => `10.244.${index >> 8}.${index & 255}@worker-2`,
      );
      return added(iptablesOf(one("shop/web", { clusterIPs: "10.96.0.41" }, names)));
    };
    expect(large(1000)).toContain('--comment "shop/web:http -> 10.244.3.1:8080"');
    const past = large(1001);
    expect(past).not.toContain("->");
    expect(past).toContain("-p tcp -m tcp -j DNAT --to-destination 10.244.3.1:8080");
    expect(past).toContain('--comment "shop/web:http cluster IP"');
  });
});

describe("iptables mode: options", () => {
  const fields: ServiceFields = { type: "NodePort", clusterIPs: "10.96.0.41", ports: "http:80>30080" };
  const listed = (options: IptablesOptions) =>
    printIptables(iptablesOf(one("shop/web", fields, REMOTE), options));

  it("masqueradeAll marks all packets to the ClusterIP", () => {
    expect(listed({ masqueradeAll: true })).toMatch(
      /-A KUBE-SVC-\w+ -d 10.96.0.41\/32 -p tcp -m comment --comment "shop\/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ/,
    );
  });

  it("detectLocal takes the node's podCIDR, a prefix, or nothing", () => {
    expect(listed({ detectLocal: "NodeCIDR" })).toContain(" ! -s 10.244.1.0/24 -d 10.96.0.41/32 ");
    expect(listed({ detectLocal: prefix("10.0.0.0/9") })).toContain(" ! -s 10.0.0.0/9 -d 10.96.0.41/32 ");
    expect(listed({ detectLocal: "none" })).not.toMatch(/-d 10.96.0.41\/32 .* -j KUBE-MARK-MASQ/);
  });

  it("nodePortAddresses pick from the node's addresses; loopback only with localhost nodePorts", () => {
    const dispatch = (options: IptablesOptions) =>
      [...listed(options).matchAll(/-A KUBE-SERVICES (.*) -j KUBE-NODEPORTS/g)].map(([, matches]) =>
        matches?.replace(/ ?-m comment --comment ".*" ?/, ""),
      );
    const nodeAddresses = ["172.18.0.2", "10.244.1.1"].map(ip);
    const some = ["172.18.0.0/16", "127.0.0.0/8"].map(prefix);
    expect(dispatch({ nodePortAddresses: some, nodeAddresses })).toEqual([
      "-d 127.0.0.1/32",
      "-d 172.18.0.2/32",
    ]);
    expect(dispatch({ nodePortAddresses: some, nodeAddresses, localhostNodePorts: false })).toEqual([
      "-d 172.18.0.2/32",
    ]);
    const all = [prefix("0.0.0.0/0")];
    expect(dispatch({ nodePortAddresses: all, nodeAddresses, localhostNodePorts: false })).toEqual([
      "! -d 127.0.0.0/8-m addrtype --dst-type LOCAL",
    ]);
    expect(listed({ localhostNodePorts: false })).not.toContain("-A KUBE-FIREWALL");
  });
});

describe("the choice among endpoints", () => {
  it("has kube-proxy's probabilities, as the kernel rounds them", () => {
    expect(threshold(3)).toBe(715827883);
    expect(printProbability(threshold(3))).toBe("0.33333333349");
    expect(printProbability(threshold(2))).toBe("0.50000000000");
    // 0.0000099999 of kube-proxy's ten decimals, not 1/100001.
    expect(threshold(100001)).toBe(Math.round(0.0000099999 * 2 ** 31));
  });

  it("is uniform: every endpoint is within a millionth as likely as 1/n", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (count) => {
        const names = Array.from({ length: count }, (_, index) => `10.244.1.${index + 1}@worker-1`);
        const iptables = iptablesOf(one("shop/web", { clusterIPs: "10.96.0.41" }, names));
        const packet = { src: ip("10.244.2.7"), dst: ip("10.96.0.41"), protocol: "TCP", dport: 80 } as const;
        const ends = walk(iptables, packet, []);
        expect(ends.size).toBe(count);
        for (const probability of ends.values()) expect(Math.abs(probability * count - 1)).toBeLessThan(1e-6);
      }),
      { numRuns: 30 },
    );
  });
});

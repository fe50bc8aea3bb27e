import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileIptables, type IptablesOptions } from "../../src/proxy/iptables.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { Tally } from "../tally.js";
import { type ClusterBuilder, DUAL, dualClusterOf, ip, prefix, type ServiceFields } from "./cluster-of.js";
import { iptablesOf } from "./compiled.js";
import { walk } from "./iptables-walk.js";
import { drawnTwins, sixEnd } from "./twins.js";

const listed = (cluster: ClusterBuilder, options: IptablesOptions = {}) =>
  printIptables(iptablesOf(cluster, { family: 6, ...options }, "dual-1"));

function ruleLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith("-A"));
}

/** The rules that a cluster without Services does not have. */
function added(cluster: ClusterBuilder, options: IptablesOptions = {}): readonly string[] {
  const fixed = new Set(ruleLines(listed(dualClusterOf(), options)));
  return ruleLines(listed(cluster, options)).filter((line) => !fixed.has(line));
}

describe("ip6tables", () => {
  it("has IPv4's fixed rules, but none for localhost", () => {
    const four = ruleLines(listed(dualClusterOf(), { family: 4 }));
    const six = ruleLines(listed(dualClusterOf()));
    expect(six.filter((line) => !four.includes(line))).toEqual([
      '-A KUBE-SERVICES ! -d ::1/128 -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    ]);
    expect(four.filter((line) => !six.includes(line)).map((line) => line.split(" ")[1])).toEqual([
      "KUBE-FIREWALL",
      "KUBE-SERVICES",
    ]);
  });

  it("has a Service's IPv6 side alone, addresses in brackets before a port", () => {
    const fields = { ...DUAL, sourceRanges: "203.0.113.0/25 2001:db8:113::/48 fd00:18::/32" };
    const cluster = dualClusterOf()
      .service("shop/web", fields)
      .slice("shop/web", "http:8080", "10.244.8.9@dual-1")
      .slice("shop/web", "http:8080", "fd00:244:0:8::9@dual-1", "fd00:244:0:9::9@dual-2");
    expect(added(cluster)).toEqual([
      '-A KUBE-PROXY-FIREWALL -d 2001:db8:100::1/128 -p tcp -m comment --comment "shop/web:http traffic not accepted by KUBE-FW-67NZLRHBNDSAWJRO" -m tcp --dport 80 -j DROP',
      '-A KUBE-EXT-67NZLRHBNDSAWJRO -m comment --comment "masquerade traffic for shop/web:http external destinations" -j KUBE-MARK-MASQ',
      "-A KUBE-EXT-67NZLRHBNDSAWJRO -j KUBE-SVC-67NZLRHBNDSAWJRO",
      '-A KUBE-FW-67NZLRHBNDSAWJRO -s 2001:db8:113::/48 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO',
      '-A KUBE-FW-67NZLRHBNDSAWJRO -s fd00:18::/32 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO',
      '-A KUBE-FW-67NZLRHBNDSAWJRO -s 2001:db8:100::1/128 -m comment --comment "shop/web:http loadbalancer IP" -j KUBE-EXT-67NZLRHBNDSAWJRO',
      '-A KUBE-FW-67NZLRHBNDSAWJRO -m comment --comment "other traffic to shop/web:http will be dropped by KUBE-PROXY-FIREWALL"',
      '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j KUBE-EXT-67NZLRHBNDSAWJRO',
      '-A KUBE-SEP-D5HOUUTRRE72NX4H -s fd00:244:0:9::9/128 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ',
      '-A KUBE-SEP-D5HOUUTRRE72NX4H -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination [fd00:244:0:9::9]:8080',
      '-A KUBE-SEP-ONY6VZUAGHXCPA7O -s fd00:244:0:8::9/128 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ',
      '-A KUBE-SEP-ONY6VZUAGHXCPA7O -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination [fd00:244:0:8::9]:8080',
      '-A KUBE-SERVICES -d fd00:96::41/128 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO',
      '-A KUBE-SERVICES -d 2001:db8::1/128 -p tcp -m comment --comment "shop/web:http external IP" -m tcp --dport 80 -j KUBE-EXT-67NZLRHBNDSAWJRO',
      '-A KUBE-SERVICES -d 2001:db8:100::1/128 -p tcp -m comment --comment "shop/web:http loadbalancer IP" -m tcp --dport 80 -j KUBE-FW-67NZLRHBNDSAWJRO',
      '-A KUBE-SVC-67NZLRHBNDSAWJRO ! -s fd00:244::/48 -d fd00:96::41/128 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
      '-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> [fd00:244:0:8::9]:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-ONY6VZUAGHXCPA7O',
      '-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> [fd00:244:0:9::9]:8080" -j KUBE-SEP-D5HOUUTRRE72NX4H',
    ]);
  });

  it("refuses with ICMPv6", () => {
    const cluster = dualClusterOf().service("shop/empty", { clusterIPs: "fd00:96::41", ports: "http:80" });
    expect(added(cluster)).toEqual([
      '-A KUBE-SERVICES -d fd00:96::41/128 -p tcp -m comment --comment "shop/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp6-port-unreachable',
    ]);
  });

  it("has nothing of a Service without an IPv6 ClusterIP, whatever else it has", () => {
    const fields: ServiceFields = { clusterIPs: "10.96.0.41", ports: "http:80", externalIPs: "2001:db8::1" };
    expect(added(dualClusterOf().service("shop/web", fields))).toEqual([]);
  });

  it("has no detector where no cluster network is of IPv6", () => {
    const cluster = dualClusterOf()
      .clusterCIDRs("10.244.0.0/16")
      .service("shop/web", { clusterIPs: "fd00:96::41", ports: "http:80" })
      .slice("shop/web", "http:8080", "fd00:244:0:8::9@dual-1");
    expect(added(cluster).filter((line) => line.includes("MARK-MASQ") && !line.includes("SEP"))).toEqual([]);
  });

  it("nodePortAddresses of IPv4 leave IPv6 open; ::1 never answers", () => {
    const options = { nodeAddresses: ["172.18.0.8", "fd00:18::8", "::1"].map(ip) };
    const dispatch = (texts: string) => {
      const nodePortAddresses = texts.split(" ").map(prefix);
      const found = ruleLines(listed(dualClusterOf(), { ...options, nodePortAddresses }));
      return found
        .filter((line) => line.endsWith("-j KUBE-NODEPORTS") && line.startsWith("-A KUBE-SERVICES"))
        .map((line) => /-d (\S+)/.exec(line)?.[1]);
    };
    expect(dispatch("172.18.0.0/16")).toEqual(["::1/128"]);
    expect(dispatch("172.18.0.0/16 fd00:18::/64")).toEqual(["fd00:18::8/128"]);
  });
});

describe("the families agree", () => {
  it("ip6tables leads the twin of every packet where iptables leads it", () => {
    const seen = new Tally();
    fc.assert(
      fc.property(drawnTwins, ([four, six]) => {
        const ends = walk(compileIptables(four.cluster, four.node).iptables, four.packet, four.local);
        const { iptables } = compileIptables(six.cluster, six.node, { family: 6 });
        const ends6 = walk(iptables, six.packet, six.local);
        expect([...ends6.keys()].sort()).toEqual([...ends.keys()].map(sixEnd).sort());
        for (const end of ends.keys()) seen.count(end.replace(/^10\.244\.8\.2\d:8080/, "endpoint"));
      }),
      { numRuns: 1500 },
    );
    seen.expectEach(["endpoint", "endpoint masquerade", "DROP", "REJECT"]);
  });
});

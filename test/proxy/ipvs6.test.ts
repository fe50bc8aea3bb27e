import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { type CompiledIpvs, compileIpvs, type IpvsOptions } from "../../src/proxy/ipvs.js";
import { printIpSets } from "../../src/ruleset/ipset.js";
import { printIptables } from "../../src/ruleset/iptables-text.js";
import { printIpvs } from "../../src/ruleset/ipvs-save.js";
import {
  type ClusterBuilder,
  DUAL,
  dualClusterOf,
  ip,
  nodeOf,
  prefix,
  type ServiceFields,
} from "./cluster-of.js";
import { drawnTwins, sixAll, type Twin } from "./twins.js";

const NODE_ADDRESSES = ["172.18.0.8", "10.244.8.1", "fd00:18::8", "fe80::8", "fd00:244:0:8::1"].map(ip);

function compiled(cluster: ClusterBuilder, family: 4 | 6, options: Partial<IpvsOptions> = {}): CompiledIpvs {
  const built = cluster.build();
  return compileIpvs(built, nodeOf(built, "dual-1"), { nodeAddresses: NODE_ADDRESSES, family, ...options });
}

function dual(fields: ServiceFields = {}): ClusterBuilder {
  return dualClusterOf()
    .service("shop/web", { ...DUAL, ...fields })
    .slice("shop/web", "http:8080", "10.244.8.9@dual-1", "10.244.9.9@dual-2")
    .slice("shop/web", "http:8080", "fd00:244:0:8::9@dual-1", "fd00:244:0:9::9@dual-2");
}

/** Non-empty sets, as `name: element element`. */
function setsOf({ ipsets }: CompiledIpvs): readonly string[] {
  return ipsets
    .filter(({ entries }) => entries.length > 0)
    .map((set) => {
      const elements = printIpSets([set]).trimEnd().split("\n").slice(1);
      return `${set.name}: ${elements.map((line) => line.split(" ")[2]).join(" ")}`;
    });
}

/** The rules of some chains, without their comments. */
function rulesOf({ iptables }: CompiledIpvs, ...chains: readonly string[]): readonly string[] {
  return printIptables(iptables)
    .split("\n")
    .filter((line) => chains.includes(line.split(" ")[1] ?? "") && line.startsWith("-A"))
    .map((line) => line.replace(/ -m comment --comment "[^"]*"/, ""));
}

const FIREWALL = ["KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-OUT-FILTER"] as const;

describe("ipvs mode of IPv6", () => {
  it("has the IPv6 side of a Service, its addresses on kube-ipvs0, and sets of its own names", () => {
    const made = compiled(dual({ sourceRanges: "2001:db8:113::/48 fd00:18::/64 203.0.113.0/25" }), 6);
    expect(made.dummyAddresses.map(printIp)).toEqual(["2001:db8::1", "2001:db8:100::1", "fd00:96::41"]);
    expect(setsOf(made)).toEqual([
      "KUBE-6-LOOP-BACK: fd00:244:0:8::9,tcp:8080,fd00:244:0:8::9",
      "KUBE-6-CLUSTER-IP: fd00:96::41,tcp:80",
      "KUBE-6-EXTERNAL-IP: 2001:db8::1,tcp:80",
      "KUBE-6-LOAD-BALANCER: 2001:db8:100::1,tcp:80",
      "KUBE-6-LOAD-BALANCER-FW: 2001:db8:100::1,tcp:80",
      "KUBE-6-LOAD-BALANCER-SOURCE-IP: 2001:db8:100::1,tcp:80,2001:db8:100::1",
      "KUBE-6-LOAD-BALANCER-SOURCE-CID: 2001:db8:100::1,tcp:80,2001:db8:113::/48 2001:db8:100::1,tcp:80,fd00:18::/64",
      "KUBE-6-NODE-PORT-TCP: 30080",
      "KUBE-6-IPVS-IPS: fd00:96::41 2001:db8::1 2001:db8:100::1",
    ]);
    const servers = printIpvs(made.ipvs)
      .split("\n")
      .filter((line) => line.startsWith("-A"));
    // The address of one link alone answers no nodePorts.
    expect(servers).toEqual([
      "-A -t [fd00:96::41]:80 -s rr",
      "-A -t [2001:db8::1]:80 -s rr",
      "-A -t [2001:db8:100::1]:80 -s rr",
      "-A -t [fd00:18::8]:30080 -s rr",
      "-A -t [fd00:244:0:8::1]:30080 -s rr",
    ]);
  });

  it("cuts names at 31 characters, and says the family of every set but those of ports", () => {
    const { ipsets } = compiled(dualClusterOf(), 6);
    const names = ipsets.map(({ name }) => name);
    expect(names).toContain("KUBE-6-NODE-PORT-LOCAL-SCTP-HAS");
    expect(names).toContain("KUBE-6-LOAD-BALANCER-SOURCE-CID");
    expect(Math.max(...names.map(({ length }) => length))).toBe(31);
    for (const { type, family } of ipsets) expect(family).toBe(type === "bitmap:port" ? undefined : 6);
  });

  it("asks those sets, leaves ::1 alone and refuses as IPv6 does", () => {
    const made = compiled(dual(), 6);
    expect(rulesOf(made, "KUBE-SERVICES", "KUBE-IPVS-FILTER")).toEqual(
      expect.arrayContaining([
        "-A KUBE-SERVICES -s ::1/128 -j RETURN",
        "-A KUBE-SERVICES ! -s fd00:244::/48 -m set --match-set KUBE-6-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ",
        "-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-6-IPVS-IPS dst -j REJECT --reject-with icmp6-port-unreachable",
      ]),
    );
  });
});

describe("ipvs mode: source ranges", () => {
  it("has no rules for none, and drops what no set admits", () => {
    expect(rulesOf(compiled(dual(), 4), ...FIREWALL)).toEqual(["-A KUBE-SOURCE-RANGES-FIREWALL -j DROP"]);
    expect(rulesOf(compiled(dual({ sourceRanges: "172.18.0.0/16" }), 4), ...FIREWALL)).toEqual([
      "-A KUBE-PROXY-FIREWALL -m set --match-set KUBE-LOAD-BALANCER-FW dst,dst -j KUBE-SOURCE-RANGES-FIREWALL",
      "-A KUBE-SOURCE-RANGES-FIREWALL -m set --match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN",
      "-A KUBE-SOURCE-RANGES-FIREWALL -m set --match-set KUBE-LOAD-BALANCER-SOURCE-IP dst,dst,src -j RETURN",
      "-A KUBE-SOURCE-RANGES-FIREWALL -j DROP",
    ]);
  });

  it("keep the node from load balancers whose ranges leave it out, address by address", () => {
    const fields = { sourceRanges: "203.0.113.0/25 fd00:18::/64", ingress: "198.51.100.1 198.51.100.2" };
    expect(rulesOf(compiled(dual(fields), 4), "KUBE-IPVS-OUT-FILTER")).toEqual([
      "-A KUBE-IPVS-OUT-FILTER -s 198.51.100.1/32 -m ipvs --vproto 6 --vaddr 198.51.100.1 --vport 80 -j DROP",
      "-A KUBE-IPVS-OUT-FILTER -s 198.51.100.2/32 -m ipvs --vproto 6 --vaddr 198.51.100.2 --vport 80 -j DROP",
    ]);
    const six = { sourceRanges: "2001:db8:113::/48" };
    expect(rulesOf(compiled(dual(six), 6), "KUBE-IPVS-OUT-FILTER")).toEqual([
      "-A KUBE-IPVS-OUT-FILTER -s 2001:db8:100::1/128 -m ipvs --vproto 6 --vaddr 2001:db8:100::1 --vport 80 -j DROP",
    ]);
    expect(rulesOf(compiled(dual(six), 4), "KUBE-IPVS-OUT-FILTER")).toEqual([]);
  });

  it("of length 0 fill no set", () => {
    const made = compiled(dual({ sourceRanges: "0.0.0.0/0 10.0.0.0/8" }), 4);
    expect(setsOf(made)).toContain("KUBE-LOAD-BALANCER-SOURCE-CIDR: 198.51.100.1,tcp:80,10.0.0.0/8");
    // The node is within it all the same.
    expect(rulesOf(made, "KUBE-IPVS-OUT-FILTER")).toEqual([]);
  });
});

describe("ipvs mode: what the node is told", () => {
  it("leaves a Service's nodePort and health check where no address answers", () => {
    const fields = { externalTrafficPolicy: "Local", healthCheckNodePort: 32000 } as const;
    const nowhere = compiled(dual(fields), 4, { nodePortAddresses: [prefix("192.0.2.0/24")] });
    expect(setsOf(nowhere).filter((line) => /NODE-PORT/.test(line))).toEqual([]);
    expect(nowhere.ipvs.servers.map(({ port }) => port)).not.toContain(30080);
    expect(setsOf(compiled(dual(fields), 4)).filter((line) => /NODE-PORT/.test(line))).toEqual([
      "KUBE-NODE-PORT-TCP: 30080",
      "KUBE-NODE-PORT-LOCAL-TCP: 30080",
      "KUBE-HEALTH-CHECK-NODE-PORT: 32000",
    ]);
    // What is chosen may be an address of one link alone.
    const chosen = compiled(dual(), 6, { nodePortAddresses: [prefix("fe80::/10")] });
    expect(chosen.ipvs.servers.map(({ address }) => printIp(address))).toContain("fe80::8");
  });

  it("sets what IPVS needs of the kernel, with strictARP what ARP needs too", () => {
    const { sysctls, ipvs } = compiled(dual(), 4, { strictARP: true, timeouts: { tcp: 900, udp: 60 } });
    expect(sysctls).toEqual({
      "net.ipv4.ip_forward": 1,
      "net.ipv4.vs.conntrack": 1,
      "net.ipv4.vs.expire_nodest_conn": 1,
      "net.ipv4.vs.expire_quiescent_template": 1,
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    });
    expect(ipvs.timeouts).toEqual({ tcp: 900, udp: 60 });
    const plain = compiled(dual(), 6);
    expect(Object.keys(plain.sysctls)).toHaveLength(4);
    expect(plain.ipvs.timeouts).toBeUndefined();
  });

  it("marks with the bit that is said, and knows Pods by their interface", () => {
    const made = compiled(dual(), 4, { masqueradeBit: 3, detectLocal: { interfaceNamePrefix: "cali" } });
    expect(rulesOf(made, "KUBE-MARK-MASQ")).toEqual(["-A KUBE-MARK-MASQ -j MARK --set-xmark 0x8/0x8"]);
    expect(rulesOf(made, "KUBE-SERVICES")).toContain(
      "-A KUBE-SERVICES ! -i cali+ -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ",
    );
  });
});

describe("the families agree in mode ipvs", () => {
  const textOf = ({ cluster, node }: Twin, family: 4 | 6) => {
    const { ipvs, ipsets, iptables } = compileIpvs(cluster, node, {
      nodeAddresses: node.internalIPs,
      family,
    });
    return [printIpvs(ipvs), printIpSets(ipsets), printIptables(iptables)] as const;
  };

  it("in virtual servers, sets and rules", () => {
    let drops = 0;
    fc.assert(
      fc.property(drawnTwins, ([four, six]) => {
        const [servers, sets, rules] = textOf(four, 4);
        const [servers6, sets6, rules6] = textOf(six, 6);
        const bracketed = (text: string) =>
          text.replace(/(\d+\.\d+\.\d+\.\d+):/g, (_, at) => `[${sixAll(at)}]:`);
        expect(servers6).toBe(bracketed(servers));
        const renamed = (text: string) =>
          text.replace(/\bKUBE-[A-Z-]+/g, (name) => name.replace("KUBE-", "KUBE-6-").slice(0, 31));
        expect(sets6).toBe(renamed(sixAll(sets)).replaceAll("family inet ", "family inet6 "));
        const asked = (text: string) => text.replace(/(?<=--match-set )\S+/g, renamed);
        const other = asked(sixAll(rules.replace("127.0.0.0/8", "LOOPBACK")))
          .replace("LOOPBACK", "::1/128")
          .replaceAll("icmp-port-unreachable", "icmp6-port-unreachable");
        expect(rules6).toBe(other);
        drops += rules.includes("-m ipvs") ? 1 : 0;
      }),
      { numRuns: 150 },
    );
    expect(drops).toBeGreaterThan(0);
  });
});

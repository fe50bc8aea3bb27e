import { describe, expect, it } from "vitest";
import { icmpEcho } from "../../../src/packet/build.js";
import { healthChecks } from "../../../src/proxy/health-check.js";
import { printRuleset } from "../../../src/ruleset/ruleset.js";
import type { ServiceFields } from "../cluster-of.js";
import {
  BRIDGE,
  CLUSTER_IP,
  clusterIn,
  compilationOf,
  EVERYWHERE,
  EXTERNAL_IP,
  EXTERNAL_LOCAL,
  endsOf,
  engineOf,
  FAMILIES,
  FAR,
  listing,
  MODES,
  NEAR,
  NODE,
  NODE_PORT,
  OUTSIDER,
  POD,
  VIP,
  ways,
  waysIn,
  web,
} from "./first-packets.js";
import { subject } from "./subjects.js";

const GUARDED: ServiceFields = { ...EVERYWHERE, sourceRanges: "203.0.113.0/25" };
/** An outsider whom the ranges leave out. */
const BLOCKED = "203.0.113.200";

describe(subject(18), () => {
  it.each(MODES)("%s", async (mode) => {
    const to = (from: string, at: string) => ways(mode, web(GUARDED, FAR), from, at);
    expect(await to(OUTSIDER, VIP)).toBe("22 masquerade");
    expect(await to(BLOCKED, VIP)).toBe("DROP");
    expect(await to(POD, VIP)).toBe("DROP");
    for (const at of [EXTERNAL_IP, NODE_PORT, CLUSTER_IP])
      expect(await to(BLOCKED, at)).toBe("22 masquerade");
    expect(await to(POD, CLUSTER_IP)).toBe("22");
  });
});

describe(subject(19), () => {
  it.each(MODES)("%s", async (mode) => {
    const self = "198.51.100.1";
    const admitting = web({ ...GUARDED, sourceRanges: "172.18.0.0/16" }, FAR);
    expect(await ways(mode, admitting, self, VIP)).toBe("22 masquerade");
    expect(await ways(mode, admitting, OUTSIDER, VIP)).toBe("DROP");
    expect(await ways(mode, web(GUARDED, FAR), self, VIP)).toBe("DROP");
    const other = web({ ...GUARDED, sourceRanges: "2001:db8::/32" }, FAR);
    expect(await ways(mode, other, BLOCKED, VIP)).toBe("22 masquerade");
    const both = web({ ...GUARDED, sourceRanges: "2001:db8::/96 203.0.113.0/25" }, FAR);
    expect(await waysIn(4, mode, both, [BLOCKED, VIP])).toBe("DROP");
  });
});

describe(subject(20), () => {
  it.each(MODES)("%s", async (mode) => {
    expect(await ways(mode, web(GUARDED), BLOCKED, VIP)).toBe(mode === "iptables" ? "REJECT" : "DROP");
    expect(await ways(mode, web(GUARDED), OUTSIDER, VIP)).toBe("REJECT");
  });
});

describe(subject(21), () => {
  it.each(MODES)("%s", async (mode) => {
    const cluster = web({ ...EVERYWHERE, ingress: "198.51.100.1! 198.51.100.2" }, FAR);
    expect(await ways(mode, cluster, POD, VIP)).toBe("*");
    expect(await ways(mode, cluster, OUTSIDER, VIP)).toBe("*");
    expect(await ways(mode, cluster, OUTSIDER, "198.51.100.2:80")).toBe("22 masquerade");
    expect(await ways(mode, cluster, OUTSIDER, NODE_PORT)).toBe("22 masquerade");
    expect(await ways(mode, cluster, POD, CLUSTER_IP)).toBe("22");
  });
});

describe(subject(22), () => {
  const cluster = web(EVERYWHERE, FAR);

  it.each(MODES)("%s", async (mode) => {
    expect(await ways(mode, cluster, POD, "10.96.0.1:81")).toBe(mode === "iptables" ? "*" : "REJECT");
    expect(await ways(mode, cluster, POD, "10.96.9.9:80")).toBe(mode === "nftables" ? "DROP" : "*");
  });

  it.each(MODES)("%s: a ping is of no port", async (mode) => {
    const engine = await engineOf(compilationOf(mode, cluster).ruleset);
    expect(endsOf(engine, icmpEcho(POD, "10.96.0.1"))).toBe(mode === "iptables" ? "*" : "REJECT");
  });
});

describe(subject(23), () => {
  const cluster = web(EVERYWHERE, FAR);
  const loopback = async (mode: (typeof MODES)[number], options = {}) =>
    (
      await Promise.all(
        FAMILIES.map((family) => waysIn(family, mode, cluster, ["127.0.0.1", "127.0.0.1:30080"], options)),
      )
    ).join(" / ");

  it.each(MODES)("%s", async (mode) => {
    expect(await ways(mode, cluster, OUTSIDER, NODE_PORT)).toBe("22 masquerade");
    const bridge = (options = {}) => ways(mode, cluster, POD, `${BRIDGE}:30080`, options);
    expect(await bridge()).toBe(mode === "nftables" ? "*" : "22 masquerade");
    expect(await bridge({ nodePortAddresses: ["0.0.0.0/0", "::/0"] })).toBe("22 masquerade");
    expect(await bridge({ nodePortAddresses: ["172.18.0.0/16", "fd64::ac12:0/112"] })).toBe("*");
  });

  it.each(MODES)("%s: loopback", async (mode) => {
    const answered = mode === "iptables" ? "22 masquerade / *" : "* / *";
    const all = { nodePortAddresses: ["0.0.0.0/0", "::/0"] };
    expect(await loopback(mode, mode === "iptables" ? {} : all)).toBe(answered);
    expect(await loopback(mode, { localhostNodePorts: false })).toBe("* / *");
  });
});

describe(subject(24), () => {
  const fields: ServiceFields = { ...EXTERNAL_LOCAL, healthCheckNodePort: 32000 };
  const elsewhere = { nodePortAddresses: ["192.0.2.0/24", "2001:db8::/32"] };

  it.each(FAMILIES)("iptables, IPv%i", (family) => {
    const rules = (of: ServiceFields, endpoints: readonly string[], options = {}) =>
      listing("iptables", web(of, ...endpoints), family, options)
        .split("\n")
        .filter((line) => line.includes("32000"));
    const accepted = [
      '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http health check node port" -m tcp --dport 32000 -j ACCEPT',
    ];
    expect(rules(fields, [])).toEqual(accepted);
    expect(rules(fields, [NEAR], elsewhere)).toEqual(accepted);
    expect(rules({ ...fields, externalTrafficPolicy: "Cluster" }, [NEAR])).toEqual([]);
  });

  it.each(FAMILIES)("nftables has none, ipvs has it in a set: IPv%i", (family) => {
    expect(listing("nftables", web(fields, NEAR), family)).not.toContain("32000");
    const { ruleset } = compilationOf("ipvs", web(fields), family);
    expect(printRuleset(ruleset, "ipset-save")).toMatch(/^add KUBE-(6-)?HEALTH-CHECK-NODE-PORT 32000$/m);
  });

  it.each(FAMILIES)("the answer, IPv%i", (family) => {
    const answer = (...endpoints: readonly string[]) =>
      healthChecks(clusterIn(family, web(fields, ...endpoints)), "worker-1", family).map(
        ({ service, port, status, localEndpoints }) => `${service} ${port} ${status} ${localEndpoints}`,
      );
    const draining = "10.244.1.23@worker-1 !ready terminating";
    expect(answer()).toEqual(["shop/web 32000 503 0"]);
    expect(answer(FAR, draining)).toEqual(["shop/web 32000 503 0"]);
    expect(answer(NEAR, FAR, draining, "10.244.1.24")).toEqual(["shop/web 32000 200 1"]);
  });

  it.each(MODES)("%s: draining, it serves outsiders still", async (mode) => {
    expect(await ways(mode, web(fields, `${NEAR} !ready terminating`), OUTSIDER, VIP)).toBe("21");
    expect(await ways(mode, web(fields), OUTSIDER, `${NODE}:32000`)).toBe("*");
  });
});

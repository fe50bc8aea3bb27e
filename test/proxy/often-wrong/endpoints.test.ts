import { describe, expect, it } from "vitest";
import { Cluster } from "../../../src/cluster.js";
import type { Family } from "../../../src/net/ip.js";
import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import { clusterOf } from "../cluster-of.js";
import {
  CLUSTER_IP,
  EVERYWHERE,
  EXTERNAL,
  EXTERNAL_LOCAL,
  FAMILIES,
  FAR,
  INTERNAL_LOCAL,
  inFamily,
  listing,
  MODES,
  NEAR,
  OUTSIDER,
  POD,
  RULE_MODES,
  VIP,
  ways,
  web,
} from "./first-packets.js";
import { subject } from "./subjects.js";

describe(subject(1), () => {
  const cluster = clusterOf()
    .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80 admin:81" })
    .slice("shop/web", "http:8080/UDP", "10.244.1.30")
    .slice("shop/web", "admin:9090", "10.244.1.31")
    .slice("shop/web", "metrics:80", "10.244.1.32")
    .slice("shop/web", "http:8080", NEAR)
    .slice("shop/web", "http:8081", FAR);

  it.each(MODES)("%s: the Service's targetPort is never read", async (mode) => {
    expect(cluster.build().services[0]?.ports.map(({ targetPort }) => targetPort)).toEqual([80, 81]);
    expect(await ways(mode, cluster, POD, CLUSTER_IP)).toBe("21, 22:8081");
    expect(await ways(mode, cluster, POD, "10.96.0.1:81")).toBe("31:9090");
  });
});

describe(subject(2), () => {
  it.each(MODES)("%s", async (mode) => {
    const to = (...endpoints: readonly string[]) =>
      ways(mode, web(EXTERNAL_LOCAL, ...endpoints), OUTSIDER, VIP);
    // An address of this node's own Pods, and no word of where it is.
    expect(await to("10.244.1.20", NEAR)).toBe("21");
    expect(await to(`${NEAR} !ready`)).toBe("REJECT");
    // Serving left open: it serves.
    expect(await to(`${NEAR} !ready terminating`)).toBe("21");
    expect(await to(`${NEAR} !ready !serving terminating`)).toBe("REJECT");
  });

  it.each(RULE_MODES)("%s: without nodeName there is none here", async (mode) => {
    expect(await ways(mode, web(EXTERNAL_LOCAL, "10.244.1.21"), OUTSIDER, VIP)).toBe("DROP");
  });
});

describe(subject(3), () => {
  it.each(MODES)("%s", async (mode) => {
    const twice = (first: string, second: string) => {
      const cluster = web(EVERYWHERE, `10.244.1.21${first}`).slice(
        "shop/web",
        "http:8080",
        `10.244.1.21${second}`,
      );
      return ways(mode, cluster, POD, CLUSTER_IP);
    };
    expect(await twice(" !ready", "")).toBe("21");
    expect(await twice("", " !ready")).toBe("REJECT");
    expect(await twice("", " !ready !serving terminating")).toBe("21");
    expect(await twice(" !ready terminating", " !ready")).toBe("REJECT");
    const ports = web(EVERYWHERE, NEAR).slice("shop/web", "http:8081", NEAR);
    expect(await ways(mode, ports, POD, CLUSTER_IP)).toBe("21, 21:8081");
  });

  it.each(MODES)("%s: the later says where it is", async (mode) => {
    const moved = web(EXTERNAL_LOCAL, "10.244.1.20@worker-1", "10.244.1.21@worker-2").slice(
      "shop/web",
      "http:8080",
      NEAR,
    );
    expect(await ways(mode, moved, OUTSIDER, VIP)).toBe("20, 21");
  });
});

describe(subject(4), () => {
  const GIVEN = ["10.1.16.16", "10.0.0.2", "10.1.1.1", "10.0.0.16", "10.1.1.11"];
  const ORDER = {
    4: ["10.0.0.16", "10.0.0.2", "10.1.1.11", "10.1.1.1", "10.1.16.16"],
    // fd64::a00:10, fd64::a00:2, fd64::a01:1010, fd64::a01:101, fd64::a01:10b: the bracket comes behind every digit.
    6: ["10.0.0.16", "10.0.0.2", "10.1.16.16", "10.1.1.1", "10.1.1.11"],
  } as const;
  /** What stands for an endpoint, wherever a packet may be led to one. */
  const NAMES = {
    iptables: /^-A KUBE-SVC-.* -> (\S+)"/gm,
    nftables: /goto endpoint-[^_]*__([^\s,]+)/g,
    ipvs: / -r (\S+)/g,
  } as const;
  const printed = (mode: ProxyMode, family: Family, address: string) => {
    const hostPort = inFamily(family, `${address}:11`);
    if (mode !== "nftables") return hostPort;
    return hostPort.replace(/:11$/, "/11").replace(/[[\]]/g, "").replaceAll(":", ".");
  };

  it.each(MODES.flatMap((mode) => FAMILIES.map((family) => [mode, family] as const)))(
    "%s, IPv%i: so are clients remembered, and so are they spread",
    (mode, family) => {
      const cluster = clusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80", affinitySeconds: 60 })
        .slice("shop/web", "http:11", ...GIVEN);
      const found = [...listing(mode, cluster, family).matchAll(NAMES[mode])].map(([, name]) => name);
      const order = ORDER[family].map((address) => printed(mode, family, address));
      expect(found).toEqual(mode === "ipvs" ? order : [...order, ...order]);
    },
  );
});

describe(subject(5), () => {
  const THREE = web(EVERYWHERE, "10.244.1.1", "10.244.1.2", "10.244.1.3");

  it.each(FAMILIES)("iptables, IPv%i", (family) => {
    const drawn = (cluster = THREE) =>
      listing("iptables", cluster, family)
        .split("\n")
        .filter((line) => line.startsWith("-A KUBE-SVC-") && line.includes(" -> "))
        .map((line) => /--probability (\S+)/.exec(line)?.[1] ?? "always");
    // As iptables-save says thresholds of 31 bits: 0.3333333333 was asked for.
    expect(drawn()).toEqual(["0.33333333349", "0.50000000000", "always"]);
    const seven = Array.from({ length: 7 }, (_, index) => `10.244.1.${index + 1}`);
    const chances = [7, 6, 5, 4, 3, 2].map((left) => {
      const asked = Number((1 / left).toFixed(10));
      return (Math.round(asked * 2 ** 31) / 2 ** 31).toFixed(11);
    });
    expect(drawn(web(EVERYWHERE, ...seven))).toEqual([...chances, "always"]);
  });

  it("nftables draws a number below n", () => {
    expect(listing("nftables", THREE)).toMatch(
      /numgen random mod 3 vmap \{ 0 : goto \S+1\/8080, 1 : goto \S+2\/8080, 2 : goto \S+3\/8080 \}/,
    );
  });
});

describe(subject(6), () => {
  it.each(RULE_MODES)("%s", async (mode) => {
    for (const to of EXTERNAL) {
      expect(await ways(mode, web(EXTERNAL_LOCAL), OUTSIDER, to)).toBe("REJECT");
      expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), OUTSIDER, to)).toBe("DROP");
    }
    expect(await ways(mode, web(INTERNAL_LOCAL), POD, CLUSTER_IP)).toBe("REJECT");
    expect(await ways(mode, web(INTERNAL_LOCAL, FAR), POD, CLUSTER_IP)).toBe("DROP");
  });

  it("ipvs refuses too, and drops nothing", async () => {
    for (const to of EXTERNAL) {
      expect(await ways("ipvs", web(EXTERNAL_LOCAL), OUTSIDER, to)).toBe("REJECT");
      expect(await ways("ipvs", web(EXTERNAL_LOCAL, FAR), OUTSIDER, to)).toBe("22");
    }
    expect(await ways("ipvs", web(INTERNAL_LOCAL), POD, CLUSTER_IP)).toBe("REJECT");
    expect(await ways("ipvs", web(INTERNAL_LOCAL, FAR), POD, CLUSTER_IP)).toBe("22");
  });
});

describe(subject(7), () => {
  it.each(RULE_MODES)("%s", async (mode) => {
    const to = (marks: string) => ways(mode, web(EXTERNAL_LOCAL, `${FAR}${marks}`), OUTSIDER, VIP);
    expect(await to(" !ready")).toBe("REJECT");
    expect(await to(" !ready terminating")).toBe("DROP");
    expect(await to(" !ready !serving terminating")).toBe("REJECT");
    const inside = web(INTERNAL_LOCAL, `${FAR} !ready terminating`);
    expect(await ways(mode, inside, POD, CLUSTER_IP)).toBe("DROP");
  });
});

describe(subject(8), () => {
  it.each(MODES)("%s", async (mode) => {
    const here = web(EXTERNAL_LOCAL, `${NEAR} !ready terminating`, FAR);
    expect(await ways(mode, here, OUTSIDER, VIP)).toBe("21");
    expect(await ways(mode, here, POD, CLUSTER_IP)).toBe("22");
    const everywhere = web(EXTERNAL_LOCAL, `${NEAR} !ready terminating`, `${FAR} !ready terminating`);
    expect(await ways(mode, everywhere, OUTSIDER, VIP)).toBe("21");
    expect(await ways(mode, everywhere, POD, CLUSTER_IP)).toBe("21, 22");
  });
});

describe(subject(25), () => {
  const zoned = (...endpoints: readonly string[]) =>
    clusterOf()
      .node("here", "172.18.0.9", "10.244.9.0/24", { "topology.kubernetes.io/zone": "east" })
      .service("shop/web", EXTERNAL_LOCAL)
      .slice("shop/web", "http:8080", ...endpoints);

  it.each(MODES)("%s", async (mode) => {
    const all = async (...endpoints: readonly string[]) => {
      const ask = (from: string, to: string) => ways(mode, zoned(...endpoints), from, to, { node: "here" });
      return [await ask("10.244.9.7", CLUSTER_IP), await ask(OUTSIDER, VIP)];
    };
    expect(await all("10.0.0.1@here zone=west", "10.0.0.2@a zone=east")).toEqual(["2", "1"]);
    expect(await all("10.0.0.1@here zone=west", "10.0.0.2@a zone=east", "10.0.0.3@a")).toEqual([
      "1, 2, 3",
      "1",
    ]);
    expect(await all("10.0.0.1@here zone=west", "10.0.0.2@a zone=east", "10.0.0.3@a !ready")).toEqual([
      "2",
      "1",
    ]);
    const none = mode === "ipvs" ? undefined : "DROP";
    expect(await all("10.0.0.1@a zone=west", "10.0.0.2@a zone=north")).toEqual(["1, 2", none ?? "1, 2"]);
    expect(await all("10.0.0.1@a zone=east", "10.0.0.2@a zone=east node=here")).toEqual([
      "1, 2",
      none ?? "1, 2",
    ]);
    expect(await all("10.0.0.1@a zone=east node=a", "10.0.0.2@a zone=west node=here")).toEqual([
      "2",
      none ?? "2",
    ]);
    expect(await all("10.0.0.1@a zone=east node=a", "10.0.0.2@a zone=west node=b")).toEqual([
      "1",
      none ?? "1",
    ]);
  });

  it.each(MODES)("%s: what the Service says of its traffic is not read", async (mode) => {
    const cluster = Cluster.parse(`
apiVersion: v1
kind: Node
metadata: { name: worker-1, labels: { topology.kubernetes.io/zone: east } }
spec: { podCIDR: 10.244.1.0/24 }
status: { addresses: [{ type: InternalIP, address: 172.18.0.2 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, annotations: { service.kubernetes.io/topology-mode: Auto } }
spec: { clusterIP: 10.96.0.1, ports: [{ port: 80 }], trafficDistribution: PreferSameZone }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, namespace: shop, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: "", port: 8080 }]
endpoints:
- { addresses: [10.244.1.21], nodeName: worker-1, zone: east }
- { addresses: [10.244.2.22], nodeName: worker-2, zone: west }
`);
    expect(await ways(mode, { build: () => cluster }, POD, CLUSTER_IP)).toBe("21, 22");
  });
});

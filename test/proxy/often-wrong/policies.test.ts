import { describe, expect, it } from "vitest";
import type { ServiceFields } from "../cluster-of.js";
import {
  CLUSTER_IP,
  EVERYWHERE,
  EXTERNAL,
  EXTERNAL_IP,
  EXTERNAL_LOCAL,
  FAMILIES,
  FAR,
  INTERNAL_LOCAL,
  listing,
  MODES,
  NEAR,
  NODE,
  OUTSIDER,
  POD,
  RULE_MODES,
  VIP,
  ways,
  web,
} from "./first-packets.js";
import { subject } from "./subjects.js";

describe(subject(9), () => {
  const cluster = web(EXTERNAL_LOCAL, NEAR, FAR);

  it.each(RULE_MODES)("%s", async (mode) => {
    for (const to of EXTERNAL) {
      expect(await ways(mode, cluster, OUTSIDER, to)).toBe("21");
      expect(await ways(mode, cluster, POD, to)).toBe("21, 22");
      expect(await ways(mode, cluster, NODE, to)).toBe("21 masquerade, 22 masquerade");
      expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), NODE, to)).toBe("22 masquerade");
    }
  });

  it("nftables up to 1.33 drops what the node sends to where none is here, but for nodePorts", async () => {
    const far = web(EXTERNAL_LOCAL, FAR);
    const before = { kubernetesVersion: "1.33" } as const;
    for (const to of [EXTERNAL_IP, VIP]) expect(await ways("nftables", far, NODE, to, before)).toBe("DROP");
    expect(await ways("nftables", far, NODE, `${NODE}:30080`, before)).toBe("22 masquerade");
    expect(await ways("nftables", far, POD, VIP, before)).toBe("22");
  });
});

describe(subject(10), () => {
  it.each(RULE_MODES)("%s", async (mode) => {
    for (const to of EXTERNAL) {
      expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), POD, to)).toBe("22");
      expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), NODE, to)).toBe("22 masquerade");
    }
  });
});

describe(subject(11), () => {
  it.each(MODES)("%s", async (mode) => {
    for (const to of EXTERNAL) expect(await ways(mode, web(EVERYWHERE, FAR), POD, to)).toBe("22 masquerade");
    expect(await ways(mode, web(EVERYWHERE, FAR), POD, CLUSTER_IP)).toBe("22");
    const all = { masqueradeAll: true };
    expect(await ways(mode, web(EVERYWHERE, FAR), POD, CLUSTER_IP, all)).toBe("22 masquerade");
    for (const from of [OUTSIDER, POD])
      expect(await ways(mode, web(EXTERNAL_LOCAL, NEAR), from, VIP, all)).toBe("21");
  });
});

describe(subject(12), () => {
  it.each(MODES)("%s", async (mode) => {
    const cluster = web(INTERNAL_LOCAL, NEAR, FAR);
    expect(await ways(mode, cluster, POD, CLUSTER_IP)).toBe("21");
    expect(await ways(mode, cluster, OUTSIDER, CLUSTER_IP)).toBe("21 masquerade");
    for (const to of EXTERNAL)
      expect(await ways(mode, cluster, OUTSIDER, to)).toBe("21 masquerade, 22 masquerade");
  });
});

describe(subject(13), () => {
  const none = { detectLocal: "none" } as const;

  it.each(MODES)("%s", async (mode) => {
    expect(await ways(mode, web(EVERYWHERE, FAR), OUTSIDER, CLUSTER_IP)).toBe("22 masquerade");
    expect(await ways(mode, web(EVERYWHERE, FAR), OUTSIDER, CLUSTER_IP, none)).toBe("22");
    expect(await ways(mode, web(EXTERNAL_LOCAL, NEAR, FAR), POD, VIP, none)).toBe("21");
  });

  it.each(RULE_MODES)("%s: the node is told by its addresses all the same", async (mode) => {
    expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), POD, VIP, none)).toBe("DROP");
    expect(await ways(mode, web(EXTERNAL_LOCAL, FAR), NODE, VIP, none)).toBe("22 masquerade");
  });
});

describe(subject(14), () => {
  it.each(MODES)("%s", async (mode) => {
    const self = "10.244.1.21";
    for (const fields of [EVERYWHERE, EXTERNAL_LOCAL]) {
      for (const to of [CLUSTER_IP, ...EXTERNAL]) {
        expect(await ways(mode, web(fields, NEAR), self, to)).toBe("21 masquerade");
        expect(await ways(mode, web(fields, NEAR), self, to, { detectLocal: "none" })).toBe("21 masquerade");
      }
    }
    // It alone: on the way to another it keeps its address.
    expect(await ways(mode, web(EVERYWHERE, NEAR, FAR), self, CLUSTER_IP)).toBe("21 masquerade, 22");
  });
});

describe(subject(15), () => {
  const inside: ServiceFields = { clusterIPs: "10.96.0.1", ports: "http:80", type: "LoadBalancer" };
  const external = web({ ...inside, externalTrafficPolicy: "Local" }, NEAR, FAR);
  const internal = web({ ...inside, internalTrafficPolicy: "Local" }, NEAR, FAR);
  /** The kinds of chains that the Service has. */
  const kinds = (lines: string) =>
    new Set(lines.match(/(?<=^-A KUBE-)(SVC|SVL|EXT|SEP)|(?<=^\tchain )\w+(?=-\w+-shop)/gm));

  it.each([
    ["iptables", "SVC", "SVL", "SEP"],
    ["nftables", "service", "local", "endpoint"],
  ] as const)("%s: chains", (mode, cluster, local, endpoint) => {
    for (const family of FAMILIES) {
      expect(kinds(listing(mode, external, family))).toEqual(new Set([cluster, endpoint]));
      expect(kinds(listing(mode, internal, family))).toEqual(new Set([local, endpoint]));
      // Of the endpoints only the one that a packet may be led to has a chain.
      expect(listing(mode, internal, family)).not.toMatch(/10\.244\.2\.22|af4[:.]216/);
    }
  });

  it.each(MODES)("%s", async (mode) => {
    expect(await ways(mode, external, POD, CLUSTER_IP)).toBe("21, 22");
    expect(await ways(mode, internal, POD, CLUSTER_IP)).toBe("21");
  });

  it("ipvs has no set to fall back to then", async () => {
    const far = (fields: ServiceFields) => web({ ...inside, internalTrafficPolicy: "Local", ...fields }, FAR);
    expect(await ways("ipvs", far({}), POD, CLUSTER_IP)).toBe("REJECT");
    expect(await ways("ipvs", far({ externalIPs: "192.0.2.1" }), POD, CLUSTER_IP)).toBe("22");
  });
});

describe(subject(16), () => {
  const cluster = web(EXTERNAL_LOCAL, FAR);
  const BOTH = {
    iptables: [
      /^-A KUBE-SERVICES -d \S+ .* -j KUBE-EXT-/gm,
      /^-A KUBE-EXTERNAL-SERVICES -d \S+ .* -j DROP$/gm,
    ],
    nftables: [/ \. tcp \. 80 : goto external-/g, / \. tcp \. 80 comment "shop\/web:http" : drop/g],
  } as const;

  it.each(RULE_MODES)("%s", async (mode) => {
    for (const family of FAMILIES) {
      const lines = listing(mode, cluster, family);
      // The external address and the load balancer's.
      for (const rule of BOTH[mode]) expect(lines.match(rule)).toHaveLength(2);
    }
    for (const to of EXTERNAL) {
      expect(await ways(mode, cluster, POD, to)).toBe("22");
      expect(await ways(mode, cluster, OUTSIDER, to)).toBe("DROP");
    }
  });
});

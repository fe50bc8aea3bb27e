import { describe, expect, it } from "vitest";
import { base32Digest } from "../../oracle/base32.js";
import { clusterOf } from "../cluster-of.js";
import { FAMILIES, inFamily, listing } from "./first-packets.js";
import { subject } from "./subjects.js";

describe(subject(28), () => {
  const cluster = clusterOf()
    .service("ns1/svc1", {
      clusterIPs: "10.96.0.1",
      externalIPs: "192.0.2.1",
      ingress: "198.51.100.1",
      ports: "p80:80",
      externalTrafficPolicy: "Local",
      sourceRanges: "203.0.113.0/25",
    })
    .slice("ns1/svc1", "p80:80", "10.180.0.1@worker-1");

  it.each(FAMILIES)(
    "iptables, IPv%i: sixteen characters, nothing between the parts, one hash for all chains",
    (family) => {
      const service = base32Digest("ns1/svc1:p80tcp").slice(0, 16);
      const endpoint = base32Digest(`ns1/svc1:p80tcp${inFamily(family, "10.180.0.1:80")}`).slice(0, 16);
      const names = listing("iptables", cluster, family).match(/(?<=^-A )KUBE-(SVC|SVL|EXT|FW|SEP)-\w+/gm);
      expect(new Set(names)).toEqual(
        new Set([
          ...["EXT", "FW", "SVC", "SVL"].map((kind) => `KUBE-${kind}-${service}`),
          `KUBE-SEP-${endpoint}`,
        ]),
      );
      expect(service).toBe("XPGD46QRK7WJZT7O");
    },
  );

  it.each(FAMILIES)("nftables, IPv%i: eight characters, of what stands behind them", (family) => {
    const address = family === 4 ? "10.180.0.1" : "fd64..ab4.1";
    const service = "ns1/svc1/tcp/p80";
    const endpoint = `${service}__${address}/80`;
    const names = listing("nftables", cluster, family).match(/(?<=^\tchain )\S+\/\S+/gm);
    expect(new Set(names)).toEqual(
      new Set([
        ...["service", "local", "external", "firewall"].map(
          (kind) => `${kind}-${base32Digest(service).slice(0, 8)}-${service}`,
        ),
        `endpoint-${base32Digest(endpoint).slice(0, 8)}-${endpoint}`,
      ]),
    );
    expect(names).toContain("service-ULMVA6XW-ns1/svc1/tcp/p80");
  });
});

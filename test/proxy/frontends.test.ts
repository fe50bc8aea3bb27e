import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { servicePorts } from "../../src/proxy/frontends.js";
import { clusterOf, type ServiceFields } from "./cluster-of.js";

/** The only frontend of a Service with these fields. */
function only(fields: ServiceFields) {
  const cluster = clusterOf()
    .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80", ...fields })
    .build();
  const [frontend, ...more] = servicePorts(cluster);
  if (frontend === undefined || more.length > 0) throw new Error("not one frontend");
  return frontend;
}

describe("servicePorts", () => {
  it("orders by namespace and name as octets, and keeps a Service's own order of ports", () => {
    const cluster = clusterOf()
      .service("b/a", { clusterIPs: "10.96.0.1", ports: "z:80 a:81" })
      .service("a/web2", { clusterIPs: "10.96.0.2", ports: ":80" })
      .service("a/web-1", { clusterIPs: "10.96.0.3", ports: ":80/UDP" })
      .service("a-b/x", { clusterIPs: "10.96.0.4", ports: ":80" })
      .build();
    expect(servicePorts(cluster).map(({ name }) => name)).toEqual([
      "a/web-1",
      "a/web2",
      "a-b/x",
      "b/a:z",
      "b/a:a",
    ]);
  });

  it("passes over headless and ExternalName Services, those of another proxy, and those of the other family", () => {
    const label = { "service.kubernetes.io/service-proxy-name": "cilium" };
    const cluster = clusterOf()
      .service("a/headless", { headless: true, ports: ":80" })
      .service("a/name", { type: "ExternalName", clusterIPs: "10.96.0.1", ports: ":80" })
      .service("a/other", { labels: label, clusterIPs: "10.96.0.2", ports: ":80" })
      .service("a/six", { clusterIPs: "fd00::1", ports: ":80" })
      .service("a/dual", { clusterIPs: "fd00::2 10.96.0.3", ports: ":80" })
      .build();
    expect(servicePorts(cluster).map(({ name }) => name)).toEqual(["a/dual"]);
    expect(servicePorts(cluster, 6).map(({ name }) => name)).toEqual(["a/dual", "a/six"]);
  });

  it("keeps addresses of its family only, and no load balancer address of ipMode Proxy", () => {
    const frontend = only({
      externalIPs: "192.0.2.1 2001:db8::1",
      ingress: "198.51.100.1 198.51.100.2! 2001:db8::2",
      sourceRanges: "2001:db8::/32 203.0.113.0/24",
    });
    expect(frontend.externalIPs.map(printIp)).toEqual(["192.0.2.1"]);
    expect(frontend.vips.map(printIp)).toEqual(["198.51.100.1"]);
    expect(frontend.sourceRanges).toHaveLength(1);
    expect(only({ ingress: "198.51.100.1", sourceRanges: "2001:db8::/32" }).sourceRanges).toEqual([]);
  });

  it("looks at what is set, not at the type, for nodePorts, external IPs and VIPs", () => {
    expect(only({ ports: "http:80>30080" }).externallyAccessible).toBe(true);
    expect(only({ type: "LoadBalancer" }).externallyAccessible).toBe(false);
  });

  it.each([
    ["internal Cluster", {}, [true, false]],
    ["internal Local, nothing external", { internalTrafficPolicy: "Local" }, [false, true]],
    [
      "internal Local, external Cluster",
      { internalTrafficPolicy: "Local", externalIPs: "192.0.2.1" },
      [true, true],
    ],
    ["external Local, nothing external", { type: "NodePort", externalTrafficPolicy: "Local" }, [true, false]],
    [
      "external Local",
      { type: "NodePort", externalTrafficPolicy: "Local", ports: "http:80>30080" },
      [true, true],
    ],
    [
      "external Local by external IP alone",
      { externalTrafficPolicy: "Local", externalIPs: "192.0.2.1" },
      [true, true],
    ],
  ] as const)("uses cluster and local endpoints as the policies say: %s", (_, fields, [cluster, local]) => {
    const frontend = only(fields);
    expect([frontend.usesClusterEndpoints, frontend.usesLocalEndpoints]).toEqual([cluster, local]);
  });

  it("serves the healthCheckNodePort of a LoadBalancer with policy Local only", () => {
    const fields = { type: "LoadBalancer", healthCheckNodePort: 32000, ingress: "198.51.100.1" } as const;
    expect(only({ ...fields, externalTrafficPolicy: "Local" }).healthCheckNodePort).toBe(32000);
    expect(only(fields).healthCheckNodePort).toBe(0);
    expect(only({ ...fields, externalTrafficPolicy: "Local", type: "NodePort" }).healthCheckNodePort).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../../src/compile.js";
import type { Cluster } from "../../src/model/cluster.js";
import { clusterOf, dualClusterOf } from "../proxy/cluster-of.js";
import { groupsOf } from "./ask.js";

/** What becomes of open connections, a line each. */
async function linesOf(cluster: Cluster, options: readonly [CompileOptions, CompileOptions]) {
  const groups = await groupsOf(cluster, options, { openConnections: true });
  return groups
    .filter(({ topic }) => topic === "open-connection")
    .map(({ change, example: { from, to, protocol, flags, a, b } }) => {
      return [change, `${from} > ${to} ${protocol}${flags === "" ? "" : ` ${flags}`}`, a, b];
    });
}

const LEAVING = [{ proxy: "ipvs" }, { proxy: "nftables" }] as const;

function shop(ports: string, port: string, ...endpoints: readonly string[]): Cluster {
  return clusterOf()
    .service("shop/web", { clusterIPs: "10.96.0.1", ports })
    .slice("shop/web", port, ...endpoints)
    .build();
}

describe("open connections, where another node takes over", () => {
  it("go on to their only endpoint, and to any of several", async () => {
    expect(await linesOf(shop("http:80", "http:8080", "10.244.1.9@worker-1"), LEAVING)).toEqual([]);
    const two = shop("http:80", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2");
    expect(await linesOf(two, LEAVING)).toEqual([
      [
        "endpoints",
        "10.244.1.2:41000 > 10.96.0.1:80 TCP A",
        "goes to 10.244.1.9:8080",
        "goes to 10.244.1.9:8080, 10.244.2.9:8080, each by chance 1 in 2",
      ],
    ]);
  });

  it("of UDP are asked about by their next datagram, and of SCTP by their first data", async () => {
    const udp = shop("dns:53/UDP", "dns:53/UDP", "10.244.1.9@worker-1", "10.244.2.9@worker-2");
    expect((await linesOf(udp, LEAVING)).map(([change, packet]) => [change, packet])).toEqual([
      ["endpoints", "10.244.1.2:41000 > 10.96.0.1:53 UDP"],
    ]);
    const sctp = shop("sig:90/SCTP", "sig:90/SCTP", "10.244.1.9@worker-1", "10.244.2.9@worker-2");
    // To a kernel's conntrack that knows no association DATA begins none, and no rule translates it.
    expect(await linesOf(sctp, LEAVING)).toEqual([
      [
        "fate",
        "10.244.1.2:41000 > 10.96.0.1:90 SCTP DATA",
        "goes to 10.244.1.9:90",
        "passes, its destination untouched",
      ],
    ]);
  });

  it("that are masqueraded come from another port", async () => {
    const cluster = clusterOf()
      .service("shop/web", { type: "NodePort", clusterIPs: "10.96.0.1", ports: "http:80>30080" })
      .slice("shop/web", "http:8080", "10.244.1.9@worker-1")
      .build();
    const options = { nodePortAddresses: ["172.18.0.0/16"] };
    const lines = await linesOf(cluster, [
      { proxy: "ipvs", ...options },
      { proxy: "nftables", ...options },
    ]);
    expect(lines.map(([change, packet, , after]) => [change, packet, after])).toEqual([
      [
        "masquerade",
        "198.51.100.7:41000 > 172.18.0.2:30080 TCP A",
        "goes to 10.244.1.9:8080, masqueraded, from another port than before",
      ],
    ]);
  });

  it("end where nobody answers any more, of IPv6 as of IPv4", async () => {
    const cluster = dualClusterOf()
      .service("shop/far", {
        type: "LoadBalancer",
        clusterIPs: "10.96.0.1 fd00:96::1",
        ports: "http:80",
        ingress: "203.0.113.1 2001:db8::1",
        externalTrafficPolicy: "Local",
      })
      .slice("shop/far", "http:8080", "10.244.9.5@dual-2")
      .slice("shop/far", "http:8080", "fd00:244:0:9::5@dual-2")
      .build();
    const node = { node: "dual-1" };
    const lines = await linesOf(cluster, [
      { proxy: "ipvs", ...node },
      { proxy: "iptables", ...node },
    ]);
    expect(lines.map(([change, , , after]) => [change, after])).toEqual([["fate", "is dropped"]]);
  });
});

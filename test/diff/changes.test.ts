import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../../src/compile.js";
import { diffNodes } from "../../src/diff/diff.js";
import { groupDifferences } from "../../src/diff/difference.js";
import type { Cluster } from "../../src/model/cluster.js";
import { MODES } from "../drawn-cluster.js";
import { clusterOf, dualClusterOf, type ServiceFields } from "../proxy/cluster-of.js";
import { groupsOf, sideOf } from "./ask.js";
import { ENDPOINTS, webOf } from "./web.js";

/** What a change of a cluster's manifests changes. */
async function changedBy(a: Cluster, b: Cluster, options: CompileOptions = {}) {
  return groupDifferences(await diffNodes(sideOf(a, options), sideOf(b, options)));
}

describe("a change of a cluster", () => {
  it("takes an endpoint away", async () => {
    const groups = await changedBy(webOf({}, ...ENDPOINTS).build(), webOf({}, ENDPOINTS[0]).build());
    expect(new Set(groups.map(({ topic, services }) => `${topic} ${services}`))).toEqual(
      new Set(["cluster-ip shop/web"]),
    );
    expect(groups.find(({ example }) => example.asker === "a Pod")).toMatchObject({
      change: "endpoints",
      nodes: ["worker-1"],
      example: {
        to: "10.96.0.10:80",
        protocol: "TCP",
        flags: "S",
        iface: "cni0",
        a: "goes to 10.244.1.10:8080, 10.244.2.10:8080, each by chance 1 in 2",
        b: "goes to 10.244.1.10:8080",
      },
    });
  });

  it("takes a Service away, or its last endpoint", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    const gone = await changedBy(web, clusterOf().build(), { proxy: "nftables" });
    expect(new Set(gone.map(({ a, b }) => `${a} | ${b}`))).toContain("goes to an endpoint | is dropped");
    const empty = await changedBy(web, webOf({}).build());
    expect(new Set(empty.map(({ b }) => b))).toEqual(new Set(["is rejected (ICMP port unreachable)"]));
  });

  it("narrows source ranges, at whose edge somebody is shut out", async () => {
    const fields = { type: "LoadBalancer", ingress: "203.0.113.10" } as const;
    const a = webOf({ ...fields, sourceRanges: "192.0.2.0/24" }, ...ENDPOINTS).build();
    const b = webOf({ ...fields, sourceRanges: "192.0.2.0/25 192.0.2.192/26" }, ...ENDPOINTS).build();
    for (const proxy of MODES) {
      const groups = await changedBy(a, b, { proxy });
      expect(groups.map(({ topic, change }) => [topic, change])).toEqual([["external", "fate"]]);
      expect(groups[0]?.example).toMatchObject({ asker: "at the edge of a source range", b: "is dropped" });
      expect(groups[0]?.example.from).toMatch(/^192\.0\.2\.12[89]:/);
    }
  });

  it("lets clients be forgotten, or forgotten sooner", async () => {
    const with600 = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const without = await changedBy(with600, webOf({}, ...ENDPOINTS).build());
    expect(without.map(({ topic, a, b }) => [topic, a, b])).toEqual([
      ["affinity", "goes to an endpoint, masqueraded", "goes to an endpoint, masqueraded"],
    ]);
    expect(without[0]?.example.earlier).toEqual({
      from: "198.51.100.7:41000",
      to: "10.96.0.10:80",
      seconds: 1,
      wentTo: "10.244.1.10:8080",
      isInUse: false,
    });
    const sooner = await changedBy(with600, webOf({ affinitySeconds: 60 }, ...ENDPOINTS).build());
    expect(sooner.map(({ topic, example }) => [topic, example.earlier?.seconds])).toEqual([["affinity", 61]]);
  });

  it("lets clients be forgotten, or forgotten sooner, in mode ipvs", async () => {
    const proxy = "ipvs" as const;
    const with600 = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const forgotten = async (fields: ServiceFields) => {
      const groups = await changedBy(with600, webOf(fields, ...ENDPOINTS).build(), { proxy });
      return groups.map(({ topic, example }) => [topic, example.earlier?.seconds]);
    };
    expect(await forgotten({})).toEqual([["affinity", 1]]);
    expect(await forgotten({ affinitySeconds: 60 })).toEqual([["affinity", 599]]);
    expect(await forgotten({ affinitySeconds: 600 })).toEqual([]);
  });

  it("lets clients of both families be forgotten sooner", async () => {
    const dual = (affinitySeconds: number) =>
      dualClusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.10 fd00:96::10", ports: "http:80", affinitySeconds })
        .slice("shop/web", "http:8080", "10.244.8.10@dual-1", "10.244.9.10@dual-2")
        .slice("shop/web", "http:8080", "fd00:244:0:8::10@dual-1", "fd00:244:0:9::10@dual-2")
        .build();
    const [group] = await changedBy(dual(600), dual(60), { node: "dual-1" });
    expect(group).toMatchObject({ topic: "affinity", flows: 2 });
  });

  it("is told of the node where it shows", async () => {
    const a = webOf({ internalTrafficPolicy: "Local" }, ...ENDPOINTS).build();
    const b = webOf({ internalTrafficPolicy: "Local" }, ENDPOINTS[0]).build();
    const at = async (node: string) => (await changedBy(a, b, { node })).map(({ b: words }) => words);
    expect(await at("worker-1")).toEqual([]);
    expect(new Set(await at("worker-2"))).toEqual(new Set(["is dropped"]));
  });

  it("is found in IPv6 alone, where that is all that changes", async () => {
    const dual = (...six: readonly string[]) =>
      dualClusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.10 fd00:96::10", ports: "http:80" })
        .slice("shop/web", "http:8080", "10.244.8.10@dual-1")
        .slice("shop/web", "http:8080", ...six)
        .build();
    const groups = await changedBy(dual("fd00:244:0:8::10@dual-1"), dual("fd00:244:0:9::10@dual-2"), {
      node: "dual-1",
    });
    expect(groups.map(({ change, example }) => [change, example.to])).toContainEqual([
      "endpoints",
      "[fd00:96::10]:80",
    ]);
    expect(groups.every(({ example }) => example.to.startsWith("["))).toBe(true);
  });

  it("of masquerade is told as such", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    const groups = await groupsOf(web, [{}, { masqueradeAll: true }]);
    expect(groups.map(({ change, a, b }) => [change, a, b])).toEqual([
      ["masquerade", "goes to an endpoint", "goes to an endpoint, masqueraded"],
    ]);
  });

  it("of a scheduler that hashes is who chooses, not other endpoints", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    for (const ipvsScheduler of ["sh", "mh"] as const) {
      const groups = await groupsOf(web, [{ proxy: "iptables" }, { proxy: "ipvs", ipvsScheduler }]);
      expect(groups.filter(({ change }) => change === "choice")).not.toEqual([]);
      expect(groups.filter(({ change }) => change === "endpoints")).toEqual([]);
    }
  });

  it("of protocols other than TCP shows in their packets", async () => {
    for (const [protocol, flags] of [
      ["UDP", ""],
      ["SCTP", "INIT"],
    ] as const) {
      const made = (port: number) =>
        clusterOf()
          .service("shop/dns", { clusterIPs: "10.96.0.10", ports: `dns:53/${protocol}` })
          .slice("shop/dns", `dns:${port}/${protocol}`, ...ENDPOINTS)
          .build();
      const groups = await changedBy(made(5353), made(5354));
      expect(groups[0]?.example).toMatchObject({ protocol, flags, to: "10.96.0.10:53" });
    }
  });

  it("shows of a packet out of state what is wrong with it", async () => {
    const dns = clusterOf()
      .service("shop/dns", { clusterIPs: "10.96.0.10", ports: "dns:53/UDP" })
      .slice("shop/dns", "dns:53/UDP", ...ENDPOINTS)
      .build();
    const modes = [{ proxy: "iptables" }, { proxy: "nftables" }] as const;
    const groups = await groupsOf(dns, modes, { allPackets: true });
    const shown = groups.filter(({ topic }) => topic === "out-of-state").map(({ example }) => example);
    expect(shown).toContainEqual(expect.objectContaining({ protocol: "UDP", flags: "bad checksum" }));
    expect(shown.filter(({ flags }) => flags === "")).toEqual([]);
  });
});

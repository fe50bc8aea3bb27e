import { describe, expect, it } from "vitest";
import type { Protocol } from "../../src/net/port.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { ip, one, REMOTE, type ServiceFields, TWO } from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";
import { walk } from "./nft-walk.js";

const LOCAL = ["172.18.0.2", "10.244.1.1", "10.244.1.0", "127.0.0.1"].map(ip);
const POD = "10.244.1.7";
const OUTSIDER = "203.0.113.2";
const NODE = "172.18.0.2";

/** Where packets from `src` to `address:port` end; several where endpoints are drawn. */
function flow(table: NftTable, src: string, to: string, protocol: Protocol = "TCP"): string {
  const [dst = "", dport = ""] = to.split(":");
  const packet = { src: ip(src), dst: ip(dst), protocol, dport: Number(dport), fromNode: src === NODE };
  return walk(table, packet, LOCAL).join(" | ");
}

const HERE = "10.244.1.9:8080";
const THERE = "10.244.2.9:8080";

describe("nftables mode: where packets go", () => {
  it("to a ClusterIP", () => {
    const web = one("shop/web", { clusterIPs: "10.96.0.41" }, TWO);
    const table = nftablesOf(web.service("shop/empty", { clusterIPs: "10.96.0.46", ports: "http:80" }));
    expect(flow(table, POD, "10.96.0.41:80")).toBe(`${HERE} | ${THERE}`);
    expect(flow(table, OUTSIDER, "10.96.0.41:80")).toBe(`${HERE} masquerade | ${THERE} masquerade`);
    expect(flow(table, "10.244.1.9", "10.96.0.41:80")).toBe(`${HERE} masquerade | ${THERE}`);
    expect(flow(table, NODE, "10.96.0.41:80")).toBe(`${HERE} masquerade | ${THERE} masquerade`);
    expect(flow(table, POD, "10.96.0.46:80")).toBe("REJECT");
    expect(flow(table, POD, "10.96.0.41:81")).toBe("REJECT");
    expect(flow(table, POD, "10.96.0.41:80", "UDP")).toBe("REJECT");
    expect(flow(table, POD, "10.96.9.9:80")).toBe("DROP");
    expect(flow(table, POD, "10.244.2.9:80")).toBe("10.244.2.9:80");
  });

  it("to a ClusterIP with masqueradeAll, or without a detector", () => {
    const cluster = one("shop/web", { clusterIPs: "10.96.0.41" }, REMOTE);
    expect(flow(nftablesOf(cluster, { masqueradeAll: true }), POD, "10.96.0.41:80")).toBe(
      `${THERE} masquerade`,
    );
    expect(flow(nftablesOf(cluster, { detectLocal: "none" }), OUTSIDER, "10.96.0.41:80")).toBe(THERE);
  });

  it("to a ClusterIP with internalTrafficPolicy Local", () => {
    const local = { clusterIPs: "10.96.0.41", internalTrafficPolicy: "Local" } as const;
    const flowWith = (endpoints: readonly string[]) =>
      flow(nftablesOf(one("shop/web", local, endpoints)), POD, "10.96.0.41:80");
    expect(flowWith(TWO)).toBe(HERE);
    expect(flowWith(REMOTE)).toBe("DROP");
    expect(flowWith([])).toBe("REJECT");
    const outside = { ...local, externalIPs: "192.0.2.7" };
    const table = nftablesOf(one("shop/web", outside, TWO));
    expect(flow(table, OUTSIDER, "10.96.0.41:80")).toBe(`${HERE} masquerade`);
    expect(flow(table, OUTSIDER, "192.0.2.7:80")).toBe(`${HERE} masquerade | ${THERE} masquerade`);
    const marking = table.chains.filter(({ name, rules }) => name.includes("/http") && rules.length === 2);
    expect(marking.map(({ name }) => name.split("-")[0])).toEqual([
      "local",
      "external",
      "endpoint",
      "endpoint",
    ]);
  });

  it("to a nodePort and an external IP", () => {
    const web: ServiceFields = {
      clusterIPs: "10.96.0.41",
      type: "NodePort",
      externalIPs: "192.0.2.7",
      ports: "http:80>30080",
    };
    const table = nftablesOf(one("shop/web", web, TWO));
    const both = `${HERE} masquerade | ${THERE} masquerade`;
    for (const src of [POD, OUTSIDER, NODE]) {
      expect(flow(table, src, `${NODE}:30080`)).toBe(both);
      expect(flow(table, src, "192.0.2.7:80")).toBe(both);
    }
    expect(flow(table, OUTSIDER, "10.244.1.1:30080")).toBe("10.244.1.1:30080");
    const refusing = nftablesOf(one("shop/web", web));
    expect(flow(refusing, OUTSIDER, `${NODE}:30080`)).toBe("REJECT");
    expect(flow(refusing, OUTSIDER, "192.0.2.7:80")).toBe("REJECT");
  });

  it("to external destinations with externalTrafficPolicy Local", () => {
    const web: ServiceFields = {
      clusterIPs: "10.96.0.41",
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      ingress: "198.51.100.1",
      ports: "http:80>30080",
    };
    const mixed = nftablesOf(one("shop/web", web, TWO));
    const remote = nftablesOf(one("shop/web", web, REMOTE));
    expect(mixed.chains.find(({ name }) => name.startsWith("local-"))?.rules).toHaveLength(1);
    for (const to of ["198.51.100.1:80", `${NODE}:30080`]) {
      expect(flow(mixed, OUTSIDER, to)).toBe(HERE);
      expect(flow(mixed, POD, to)).toBe(`${HERE} | ${THERE}`);
      expect(flow(mixed, NODE, to)).toBe(`${HERE} masquerade | ${THERE} masquerade`);
      expect(flow(remote, OUTSIDER, to)).toBe("DROP");
      expect(flow(remote, POD, to)).toBe(THERE);
      expect(flow(remote, NODE, to)).toBe(`${THERE} masquerade`);
    }
  });

  it("to a VIP with source ranges: dropped before DNAT, and even without endpoints", () => {
    const web: ServiceFields = {
      clusterIPs: "10.96.0.41",
      type: "LoadBalancer",
      ingress: "198.51.100.1",
      sourceRanges: "203.0.113.0/25 172.18.0.0/16",
      ports: "http:80>30080",
    };
    const table = nftablesOf(one("shop/web", web, REMOTE));
    expect(flow(table, OUTSIDER, "198.51.100.1:80")).toBe(`${THERE} masquerade`);
    expect(flow(table, "203.0.113.130", "198.51.100.1:80")).toBe("DROP");
    expect(flow(table, POD, "198.51.100.1:80")).toBe("DROP");
    expect(flow(table, "198.51.100.1", "198.51.100.1:80")).toBe(`${THERE} masquerade`);
    expect(flow(table, "203.0.113.130", `${NODE}:30080`)).toBe(`${THERE} masquerade`);
    expect(flow(nftablesOf(one("shop/web", web)), "203.0.113.130", "198.51.100.1:80")).toBe("DROP");
    expect(flow(nftablesOf(one("shop/web", web)), OUTSIDER, "198.51.100.1:80")).toBe("REJECT");
    const strict = nftablesOf(one("shop/web", { ...web, sourceRanges: "203.0.113.0/25" }, REMOTE));
    expect(flow(strict, "198.51.100.1", "198.51.100.1:80")).toBe("DROP");
  });
});

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Cluster, compile, Engine, tcp, udp } from "../src/index.js";
import { printIp } from "../src/net/ip.js";
import { describePacket } from "../src/packet/describe.js";
import { parseIptables, printIptables } from "../src/ruleset/iptables-text.js";
import { parseIpvs, printIpvs } from "../src/ruleset/ipvs-save.js";
import { parseNft, printNft } from "../src/ruleset/nft-listing.js";
import { parseRoutes, printRoutes } from "../src/ruleset/routes.js";
import type { ProxyMode, Ruleset } from "../src/ruleset/ruleset.js";
import { SHARED } from "./shared-folder.js";
import { skipWithout } from "./skipped.js";

const MANIFESTS = join(SHARED, "data", "k8s", "manifests");
const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];
const YAML = /\.ya?ml(\.gz)?$/;

function read(path: string): { readonly file: string; readonly text: string } {
  const octets = readFileSync(path);
  return { file: path, text: (path.endsWith(".gz") ? gunzipSync(octets) : octets).toString("utf8") };
}

/** Every file and every folder of manifests: an application each. */
function applications(): readonly (readonly [string, () => Cluster])[] {
  if (!existsSync(MANIFESTS)) return [];
  return readdirSync(MANIFESTS)
    .sort()
    .map((name): readonly [string, readonly string[]] => {
      const path = join(MANIFESTS, name);
      if (!statSync(path).isDirectory()) return [name, [path]];
      return [
        name,
        readdirSync(path)
          .sort()
          .map((file) => join(path, file)),
      ];
    })
    .map(([name, paths]) => [name, paths.filter((path) => YAML.test(path))] as const)
    .filter(([, paths]) => paths.length > 0)
    .map(([name, paths]) => [name, () => Cluster.parseFiles(paths.map(read))] as const);
}

/** What each part of a ruleset prints, parsed and printed again. */
function reprinted(ruleset: Ruleset): readonly (readonly [string, string])[] {
  const { iptables, ipvs, nftables, routes } = ruleset;
  const again = <T>(
    part: T | undefined,
    print: (part: T) => string,
    parse: (text: string, file: string) => T,
  ) => {
    const text = part === undefined ? "" : print(part);
    return [text, text === "" ? "" : print(parse(text, "printed"))] as const;
  };
  return [
    again(iptables, printIptables, parseIptables),
    again(ipvs, printIpvs, parseIpvs),
    again(nftables, printNft, parseNft),
    again(routes, printRoutes, (text, file) => parseRoutes(text, file).routes),
  ];
}

interface Question {
  readonly frame: Uint8Array;
  /** `ip:port` of every endpoint that may be chosen. */
  readonly endpoints: ReadonlySet<string>;
}

/** A first packet from a Pod outside of the cluster's own to every IPv4 ClusterIP port. */
function questions(cluster: Cluster, from: string): readonly Question[] {
  return cluster.services.flatMap((service) => {
    const [clusterIP] = service.clusterIPs;
    if (typeof clusterIP !== "number" || service.type === "ExternalName") return [];
    return service.ports.flatMap(({ name, port, protocol }) => {
      if (protocol === "SCTP" || service.internalTrafficPolicy === "Local") return [];
      const slices = cluster.endpointSlices.filter(
        (slice) =>
          slice.serviceName === service.name && slice.namespace === service.namespace && slice.family === 4,
      );
      const endpoints = slices.flatMap((slice) => {
        const target = slice.ports.find((one) => one.name === name && one.protocol === protocol);
        if (target === undefined) return [];
        return slice.endpoints
          .filter(({ conditions }) => conditions.ready !== false)
          .map(({ address }) => `${printIp(address)}:${target.port}`);
      });
      const build = protocol === "TCP" ? tcp : udp;
      return [
        { frame: build(`${from}:41000`, `${printIp(clusterIP)}:${port}`), endpoints: new Set(endpoints) },
      ];
    });
  });
}

/** Where a packet that leaves goes in the end: inside the tunnel if it is in one. */
function target(frame: Uint8Array): string {
  const packet = describePacket(frame);
  const { dst, dstPort } = packet.vxlan?.inner ?? packet;
  return `${dst}:${dstPort}`;
}

describe("real applications", () => {
  const found = applications();
  skipWithout(found, MANIFESTS);

  it.each(found)("compile on every node in every mode, and answer alike: %s", async (_, load) => {
    const cluster = load();
    for (const { name: node, podCIDRs } of cluster.nodes) {
      const [podCIDR] = podCIDRs;
      const from = typeof podCIDR?.address === "number" ? printIp(podCIDR.address + 250) : "";
      for (const proxy of MODES) {
        const ruleset = compile(cluster, { node, proxy });
        for (const [once, twice] of reprinted(ruleset)) expect(twice).toBe(once);
        const engine = await Engine.load(ruleset, { connections: 1023 });
        for (const { frame, endpoints } of questions(cluster, from)) {
          const { verdict, reason, frame: left } = engine.follow(frame, { in: "cni0" });
          if (endpoints.size > 0) {
            // A host-network endpoint on this very node is delivered, not forwarded.
            expect(["FORWARD", "LOCAL"]).toContain(verdict);
            expect(endpoints).toContain(target(left));
          } else {
            expect([verdict, reason]).toEqual([
              "REJECT",
              expect.stringMatching(/PORT_UNREACHABLE|NO_DESTINATION/),
            ]);
          }
        }
      }
    }
  });
});

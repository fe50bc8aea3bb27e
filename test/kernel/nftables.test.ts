import { describe, expect, it } from "vitest";
import { compileNftables } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import { parseNft, printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { type ClusterBuilder, clusterOf, nodeOf } from "../proxy/cluster-of.js";
import { cannotRun, inNamespace } from "./namespace.js";

const obstacle = cannotRun("nft list tables");

const TWO = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];
const REMOTE = ["10.244.2.9@worker-2"];

/** A Service of every kind that makes rules of its own. */
const VARIED = clusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80" })
  .slice("shop/web", "http:8080", ...TWO, "10.244.1.10@worker-1")
  .service("shop/dns", { clusterIPs: "10.96.0.10", ports: "dns:53/UDP sctp:80/SCTP" })
  .slice("shop/dns", "dns:53/UDP", ...TWO)
  .slice("shop/dns", "sctp:80/SCTP", ...TWO)
  .service("shop/node-port", { clusterIPs: "10.96.0.43", type: "NodePort", ports: ":80>30080" })
  .slice("shop/node-port", ":8080", ...TWO)
  .service("shop/lb", {
    clusterIPs: "10.96.0.44",
    type: "LoadBalancer",
    ports: "http:80>30081",
    externalTrafficPolicy: "Local",
    externalIPs: "192.0.2.7 192.0.2.8",
    ingress: "198.51.100.1",
    sourceRanges: "203.0.113.0/25 172.18.0.0/16 10.0.0.0/8 10.9.0.0/16",
  })
  .slice("shop/lb", "http:8080", ...REMOTE)
  .service("shop/empty", { clusterIPs: "10.96.0.46", type: "NodePort", ports: "http:80>30082" })
  .service("shop/inside", { clusterIPs: "10.96.0.47", ports: "http:80", internalTrafficPolicy: "Local" })
  .slice("shop/inside", "http:8080", ...REMOTE);

function tableOf(cluster: ClusterBuilder, options: ProxyOptions = {}): NftTable {
  const built = cluster.build();
  return compileNftables(built, nodeOf(built), options).nftables;
}

/** The kernel lists elements in the order of its hash tables; everything else in the order of creation. */
function canonical(table: NftTable): NftTable {
  const sorted = <T>(elements: readonly T[]) =>
    elements
      .map((element) => ({ element, text: JSON.stringify(element, Object.keys(element as object).sort()) }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ element }) => element);
  return {
    ...table,
    sets: table.sets.map((set) => ({ ...set, addresses: sorted(set.addresses) })),
    maps: table.maps.map((map) => ({ ...map, elements: sorted(map.elements) })),
  };
}

const load = (table: NftTable) => inNamespace("nft -f - && nft list table ip kube-proxy", printNft(table));

describe(`nftables in the kernel${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  const cases: readonly [string, ProxyOptions][] = [
    ["as kube-proxy makes it", {}],
    ["with masqueradeAll", { masqueradeAll: true }],
    ["without a detector", { detectLocal: "none" }],
    ["with nodePorts on every address", { nodePortAddresses: [] }],
  ];
  it.skipIf(obstacle !== undefined).each(cases)(
    "a table %s loads, and is listed as it was printed",
    (_, options) => {
      const table = tableOf(VARIED, options);
      const listed = load(table);
      expect(canonical(parseNft(listed, "nft list table"))).toEqual(canonical(table));
    },
  );

  // Other versions of nft may set the same listing differently.
  const version = obstacle === undefined ? inNamespace("nft --version").split(" ")[1] : undefined;
  it.skipIf(version !== "v1.0.6")("a listing of nft 1.0.6 is printed again to the letter", () => {
    const listed = load(tableOf(VARIED));
    expect(printNft(parseNft(listed, "nft list table"))).toBe(listed);
  });

  it.skipIf(obstacle !== undefined)("three hundred Services load", () => {
    const many = clusterOf();
    for (let index = 0; index < 300; index += 1) {
      const name = `scale/svc-${index}`;
      many.service(name, { clusterIPs: `10.96.${index >> 8}.${index & 255}`, ports: "http:80" });
      many.slice(name, "http:8080", `10.244.2.${(index % 250) + 1}@worker-2`);
    }
    const table = tableOf(many);
    expect(canonical(parseNft(load(table), "nft list table"))).toEqual(canonical(table));
  });
});

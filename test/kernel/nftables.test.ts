import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prefixOf, printPrefix } from "../../src/net/prefix.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import { prefixSet } from "../../src/ruleset/nft-intervals.js";
import { parseNft, printNft } from "../../src/ruleset/nft-listing.js";
import { printAddresses } from "../../src/ruleset/nft-terms.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { type ClusterBuilder, dualClusterOf, nodeOf } from "../proxy/cluster-of.js";
import { cannotRun, inNamespace } from "./namespace.js";

const obstacle = cannotRun("nft list tables");

const LONG = "x".repeat(63);
const TWO = ["10.244.8.9@dual-1", "10.244.9.9@dual-2"];
const TWO6 = ["fd00:244:0:8::9@dual-1", "fd00:244:0:9::9@dual-2"];

/** A Service of every kind that makes rules of its own, of both families. */
const VARIED = dualClusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41 fd00:96::41", ports: "http:80" })
  .slice("shop/web", "http:8080", ...TWO, "10.244.8.10@dual-1")
  .slice("shop/web", "http:8080", ...TWO6, "fd00:244:0:8::10@dual-1")
  .service("shop/dns", {
    clusterIPs: "10.96.0.10 fd00:96::10",
    ports: "dns:53/UDP sctp:80/SCTP",
    affinitySeconds: 90061,
  })
  .slice("shop/dns", "dns:53/UDP", ...TWO)
  .slice("shop/dns", "dns:53/UDP", ...TWO6)
  .slice("shop/dns", "sctp:80/SCTP", ...TWO)
  .slice("shop/dns", "sctp:80/SCTP", ...TWO6)
  .service("shop/node-port", {
    clusterIPs: "10.96.0.43 fd00:96::43",
    type: "NodePort",
    ports: ":80>30080",
    affinitySeconds: 10800,
  })
  .slice("shop/node-port", ":8080", ...TWO)
  .slice("shop/node-port", ":8080", ...TWO6)
  .service("shop/lb", {
    clusterIPs: "10.96.0.44 fd00:96::44",
    type: "LoadBalancer",
    ports: "http:80>30081",
    externalTrafficPolicy: "Local",
    externalIPs: "192.0.2.7 192.0.2.8 2001:db8::7 2001:db8::8",
    ingress: "198.51.100.1 2001:db8:100::1",
    sourceRanges: [
      "203.0.113.0/25 172.18.0.0/16 10.0.0.0/8 10.9.0.0/16 192.0.2.0/25 192.0.2.128/26",
      "2001:db8:113::/48 fd00:18::/64 fd00:18:0:1::/64 fd00:18:0:2::/64",
    ].join(" "),
  })
  .slice("shop/lb", "http:8080", "10.244.9.9@dual-2")
  .slice("shop/lb", "http:8080", "fd00:244:0:9::9@dual-2")
  .service("shop/one-range", {
    clusterIPs: "10.96.0.48 fd00:96::48",
    type: "LoadBalancer",
    ports: "a:80",
    ingress: "198.51.100.2 2001:db8:100::2",
    sourceRanges: "0.0.0.0/0 ::/0",
  })
  .service("shop/joined-range", {
    clusterIPs: "10.96.0.49 fd00:96::49",
    type: "LoadBalancer",
    ports: "a:80",
    ingress: "198.51.100.3 2001:db8:100::3",
    sourceRanges: "0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1",
  })
  .service("shop/empty", { clusterIPs: "10.96.0.46 fd00:96::46", type: "NodePort", ports: "http:80>30082" })
  .service("shop/inside", {
    clusterIPs: "10.96.0.47 fd00:96::47",
    ports: "http:80",
    internalTrafficPolicy: "Local",
  })
  .slice("shop/inside", "http:8080", "10.244.9.9@dual-2")
  .slice("shop/inside", "http:8080", "fd00:244:0:9::9@dual-2")
  .service(`${LONG}/${LONG}`, {
    clusterIPs: "10.96.0.50 fd00:96::50",
    ports: `${LONG}:80/SCTP`,
    affinitySeconds: 1,
  })
  .slice(`${LONG}/${LONG}`, `${LONG}:65535/SCTP`, "10.244.100.100")
  .slice(`${LONG}/${LONG}`, `${LONG}:65535/SCTP`, "fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1111");

function tableOf(cluster: ClusterBuilder, options: ProxyOptions = {}): NftTable {
  const built = cluster.build();
  return compileNftables(built, nodeOf(built, "dual-1"), options).nftables;
}

function textOf(element: unknown): string {
  return JSON.stringify(element, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}

/** The kernel lists elements in the order of its hash tables; everything else in the order of creation. */
function canonical(table: NftTable): NftTable {
  const sorted = <T>(elements: readonly T[]) =>
    elements
      .map((element) => ({ element, text: textOf(element) }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ element }) => element);
  return {
    ...table,
    sets: table.sets.map((set) => ({ ...set, addresses: sorted(set.addresses) })),
    maps: table.maps.map((map) => ({ ...map, elements: sorted(map.elements) })),
  };
}

const load = (table: NftTable) =>
  inNamespace(`nft -f - && nft list table ${table.family} kube-proxy`, printNft(table));

describe(`nftables in the kernel${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  const cases: readonly [string, ProxyOptions][] = [
    ["as kube-proxy makes it", {}],
    ["of 1.33", { kubernetesVersion: "1.33" }],
    ["of 1.31 with masqueradeAll", { kubernetesVersion: "1.31", masqueradeAll: true }],
    ["with masqueradeAll", { masqueradeAll: true }],
    ["without a detector", { detectLocal: "none" }],
    ["with a bridge's Pods", { detectLocal: { bridgeInterface: "cni0" } }],
    ["with the Pods of some interfaces", { detectLocal: { interfaceNamePrefix: "cali" } }],
    ["with nodePorts on every address", { nodePortAddresses: [] }],
    ["with another mark", { masqueradeBit: 31 }],
  ];
  const both = cases.flatMap(([name, options]) =>
    ([4, 6] as const).map((family) => [`${name}, IPv${family},`, { ...options, family }] as const),
  );
  it.skipIf(obstacle !== undefined).each(both)(
    "a table %s loads, and is listed as it was printed",
    (_, options) => {
      const table = tableOf(VARIED, options);
      const listed = load(table);
      expect(canonical(parseNft(listed, "nft list table"))).toEqual(canonical(table));
    },
  );

  // Other versions of nft may set the same listing differently.
  const version = obstacle === undefined ? inNamespace("nft --version").split(" ")[1] : undefined;
  it.skipIf(version !== "v1.0.6").each([4, 6] as const)(
    "a listing of nft 1.0.6 is printed again to the letter, IPv%d",
    (family) => {
      const listed = load(tableOf(VARIED, { family }));
      expect(printNft(parseNft(listed, "nft list table"))).toBe(listed);
    },
  );

  it.skipIf(version !== "v1.0.6")("lists of prefixes are joined as nft joins them", () => {
    const drawn = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 24, max: 32 })).map(([low, length]) => {
        return prefixOf(0xcb007100 + 16 * low, length);
      }),
      { minLength: 2, maxLength: 5 },
    );
    const lists = fc.sample(drawn, { numRuns: 200, seed: 7 });
    const written = lists.map((list) => `ip saddr { ${list.map(printPrefix).join(", ")} } drop`);
    const text = `table ip t {\n\tchain c {\n${written.join("\n")}\n\t}\n}\n`;
    const listed = inNamespace("nft -f - && nft list table ip t", text);
    const rules = lists.map((list) => `\t\tip saddr ${printAddresses(prefixSet(list), true)} drop`);
    expect(listed.split("\n").slice(2, -3)).toEqual(rules);
  });

  it.skipIf(obstacle !== undefined)(
    "clients that the kernel holds are read with the time they have left",
    () => {
      const table = tableOf(VARIED);
      const name = table.sets.find(({ dynamic }) => dynamic !== undefined)?.name;
      const script = `nft -f - && nft add element ip kube-proxy ${name} '{ 10.0.0.1 }' && nft list table ip kube-proxy`;
      const read = parseNft(inNamespace(script, printNft(table)), "nft list table");
      const [held] = read.sets.find((set) => set.name === name)?.addresses ?? [];
      expect(held?.address).toBe(0x0a000001);
      expect(held?.expires).toBeGreaterThan(90_000_000);
      expect(held?.expires).toBeLessThanOrEqual(90_061_000);
    },
  );

  it.skipIf(obstacle !== undefined)("three hundred Services load", () => {
    const many = dualClusterOf();
    for (let index = 0; index < 300; index += 1) {
      const name = `scale/svc-${index}`;
      many.service(name, { clusterIPs: `10.96.${index >> 8}.${index & 255}`, ports: "http:80" });
      many.slice(name, "http:8080", `10.244.2.${(index % 250) + 1}@worker-2`);
    }
    const table = tableOf(many);
    expect(canonical(parseNft(load(table), "nft list table"))).toEqual(canonical(table));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileIptables } from "../../src/proxy/iptables.js";
import { compileIpvs } from "../../src/proxy/ipvs.js";
import { KUBERNETES_VERSIONS } from "../../src/proxy/kubernetes-version.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import { parseIpSets, printIpSets } from "../../src/ruleset/ipset.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { withoutLines } from "../../src/ruleset/iptables-lines.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { parseIpvs, printIpvs } from "../../src/ruleset/ipvs-save.js";
import { parseNft, printNft } from "../../src/ruleset/nft-listing.js";
import { nodeOf } from "./cluster-of.js";
import { type Drawn, drawnService } from "./drawn-service.js";
import { drawnTwins, type Twin } from "./twins.js";

type Node = Pick<Twin, "cluster" | "node">;

/** A node of a cluster of IPv4, or of its twin of IPv6. */
const nodes: fc.Arbitrary<readonly [Node, 4 | 6]> = fc.oneof(
  drawnTwins.map(([four]) => [four, 4] as const),
  drawnTwins.map(([, six]) => [six, 6] as const),
  drawnService.map(({ cluster }: Drawn) => {
    const built = cluster.build();
    return [{ cluster: built, node: nodeOf(built) }, 4] as const;
  }),
);

const options = fc.record({
  masqueradeAll: fc.boolean(),
  masqueradeBit: fc.nat(31),
  kubernetesVersion: fc.constantFrom(...KUBERNETES_VERSIONS),
  detectLocal: fc.constantFrom("ClusterCIDR" as const, "none" as const, { interfaceNamePrefix: "cali" }),
});

/** The order of chains means nothing: the listing has them by name. */
function byName({ tables, ...rest }: Iptables): Iptables {
  const sorted = tables.map((table) => ({
    ...table,
    chains: [...table.chains].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  return { ...rest, tables: sorted };
}

describe("what a mode compiles to", () => {
  it("is read as it was printed, by every tool, in both families", () => {
    fc.assert(
      fc.property(nodes, options, ([{ cluster, node }, family], drawn) => {
        const said = { ...drawn, family };
        const { nftables } = compileNftables(cluster, node, said);
        expect(parseNft(printNft(nftables), "nft")).toEqual(nftables);
        const { ipvs, ipsets, iptables } = compileIpvs(cluster, node, {
          ...said,
          nodeAddresses: node.internalIPs,
        });
        expect(parseIpSets(printIpSets(ipsets), "ipset")).toEqual(ipsets);
        const servers = ipvs.servers.map((server) => ({ ...server, origin: "" }));
        expect(parseIpvs(printIpvs(ipvs), "ipvsadm")).toEqual({ servers });
        for (const rules of [iptables, compileIptables(cluster, node, said).iptables]) {
          const read = parseIptables(printIptables(rules), "iptables", family);
          expect(byName(withoutLines(read))).toEqual(byName(rules));
        }
      }),
      { numRuns: 150 },
    );
  });
});

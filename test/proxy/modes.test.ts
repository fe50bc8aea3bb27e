import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printHostPort } from "../../src/net/port.js";
import { compileIptables } from "../../src/proxy/iptables.js";
import { compileIpvs } from "../../src/proxy/ipvs.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import { Tally } from "../tally.js";
import { ip, nodeOf, prefix } from "./cluster-of.js";
import { drawnService } from "./drawn-service.js";
import { walk as walkIptables } from "./iptables-walk.js";
import { walk as walkNftables } from "./nft-walk.js";

const NODE = "172.18.0.2";
const LOCAL = [NODE, "10.244.1.1", "127.0.0.1"].map(ip);
const OUTSIDER = "203.0.113.2";

/** Every local address in nftables mode too, as iptables mode has it by default. */
const EVERYWHERE = { nodePortAddresses: [prefix("0.0.0.0/0")], nodeAddresses: LOCAL };

describe("the modes agree", () => {
  it("iptables and nftables give every packet the same ways", () => {
    const seen = new Tally();
    fc.assert(
      fc.property(drawnService, ({ cluster, fields, packet }) => {
        // nftables refuses other protocols of a ClusterIP, iptables lets them pass (a documented difference).
        fc.pre(
          packet.dst !== ip("10.96.0.1") || fields.ports?.includes("UDP") === (packet.protocol === "UDP"),
        );
        const built = cluster.build();
        const node = nodeOf(built);
        const byIptables = walkIptables(compileIptables(built, node, EVERYWHERE).iptables, packet, LOCAL);
        const byNftables = walkNftables(compileNftables(built, node, EVERYWHERE).nftables, packet, LOCAL);
        // In OUTPUT iptables asks no KUBE-EXTERNAL-SERVICES: what nat left alone leaves the node.
        const refused = packet.fromNode && byNftables.join() === "REJECT" && packet.dst !== ip("10.96.0.1");
        const expected = refused ? [printHostPort(packet.dst, packet.dport)] : byNftables;
        expect([...byIptables.keys()].sort()).toEqual(expected);
        for (const end of byIptables.keys())
          seen.count(end.replace(/^10\.244\.[12]\.2[0-9]:8080/, "endpoint"));
      }),
      { numRuns: 1500 },
    );
    seen.expectEach(["endpoint", "endpoint masquerade", "DROP", "REJECT"]);
  });

  it("ipvs has the same endpoints behind every address, but drops nothing for policy Local", () => {
    let compared = 0;
    fc.assert(
      fc.property(drawnService, ({ cluster, packet }) => {
        const built = cluster.build();
        const node = nodeOf(built);
        // IPVS treats all sources alike, as the others treat those from outside.
        const outside = { ...packet, src: ip(OUTSIDER), fromNode: false };
        const ends = walkIptables(compileIptables(built, node).iptables, outside, LOCAL);
        const { ipvs } = compileIpvs(built, node, { nodeAddresses: LOCAL.slice(0, 2) });
        const server = ipvs.servers.find(
          ({ address, port, protocol }) =>
            address === packet.dst && port === packet.dport && protocol === packet.protocol,
        );
        const untouched = [...ends.keys()].some((end) => end.endsWith(":80") || end.endsWith(":30080"));
        expect(server === undefined).toBe(untouched);
        if (server === undefined || ends.has("DROP")) return;
        compared += 1;
        const behind = server.servers.map(({ address, port }) => `${address}:${port}`);
        const reached = [...ends.keys()]
          .filter((end) => end !== "REJECT")
          .map((end) => end.split(" ")[0] ?? "");
        expect(behind).toEqual(reached.map((end) => `${ip(end.split(":")[0] ?? "")}:8080`));
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(20);
  });
});

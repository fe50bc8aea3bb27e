import { describe, expect, it } from "vitest";
import { compile } from "../../../src/compile.js";
import { Engine } from "../../../src/engine/engine.js";
import { tunnelEntries } from "../../../src/engine/entries/tunnels.js";
import { tcp } from "../../../src/packet/build.js";
import { verifyChecksums } from "../../../src/packet/checksum.js";
import { describePacket } from "../../../src/packet/describe.js";
import type { GeneveEnd, Interface } from "../../../src/ruleset/routes.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { clusterFrom, NODE_IP, POD, REMOTE_POD } from "../../drawn-cluster.js";

const OPTIONS = [1, 2, 3, 1, 0, 1, 0, 2];

const nodeOf = (node: string): Ruleset => compile(clusterFrom([]), { node });

/** The same node with Geneve where it had VXLAN. */
function withGeneve(ruleset: Ruleset, more: Partial<GeneveEnd> = {}): Ruleset {
  const interfaces = ruleset.interfaces.map(({ vxlan, ...device }): Interface => {
    if (vxlan === undefined) return device;
    return { ...device, kind: "geneve", geneve: { ...vxlan, port: 6081, ...more } };
  });
  return { ...ruleset, interfaces };
}

describe("tunnel devices", () => {
  it.each<[string, Partial<GeneveEnd>, number, string]>([
    ["without options", {}, 0, "absent"],
    ["with options and a checksum", { options: OPTIONS, udpChecksum: true }, 8, "good"],
  ])("of kind geneve carry packets from node to node, %s", async (_, more, octets, l4) => {
    const [sender, receiver] = (await Promise.all(
      (["worker-1", "worker-2"] as const).map((node) => Engine.load(withGeneve(nodeOf(node), more))),
    )) as [Engine, Engine];
    const sent = tcp(`${POD}:41000`, `${REMOTE_POD}:8080`);
    const way = sender.follow(sent, { in: "cni0" });
    expect(way).toMatchObject({ verdict: "FORWARD", out: "eth0" });
    expect(way.steps.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(
        new RegExp(`^geneve vni 1, ${NODE_IP} > .*, ${sent.length + 50 + octets} octets$`),
      ),
    );
    expect(way.frame.length).toBe(sent.length + 50 + octets);
    expect(verifyChecksums(way.frame)).toMatchObject({ ip: "good", l4 });
    expect(describePacket(way.frame).geneve).toMatchObject({ vni: 1, inner: { dst: REMOTE_POD, ttl: 63 } });
    const arrived = receiver.follow(way.frame, { in: "eth0" });
    expect(arrived.steps.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^geneve vni 1, .* → flannel/),
    );
    expect(describePacket(arrived.frame)).toMatchObject({ dst: REMOTE_POD, dstPort: 8080, ttl: 62 });
  });

  it("are refused where two listen for the same packets, or there are too many", () => {
    const device = (name: string, ends: Pick<Interface, "vxlan" | "geneve">): Interface => {
      return { name, kind: "vxlan", mac: 0, mtu: 1450, addresses: [], ...ends };
    };
    const end = { vni: 1, port: 4789, local: 1 };
    const [a, b] = [device("a", { vxlan: end }), device("b", { vxlan: { ...end, vni: 2 } })];
    expect(tunnelEntries([a, b])).toEqual([
      { kind: 0, port: 4789, vni: 1, in: 1 },
      { kind: 0, port: 4789, vni: 2, in: 2 },
    ]);
    const clash = "listen for the same packets: give them different ports or VNIs.";
    expect(() => tunnelEntries([a, device("c", { vxlan: end })])).toThrow(`a and c ${clash}`);
    expect(() => tunnelEntries([a, device("g", { geneve: { ...end, vni: 9 } })])).toThrow(`a and g ${clash}`);
    const many = Array.from({ length: 65 }, (_, vni) => device(`vx${vni}`, { vxlan: { ...end, vni } }));
    expect(() => tunnelEntries(many)).toThrow("The ruleset has 65 tunnel devices; leave at most 64.");
  });

  it("are refused with options that do not fit", async () => {
    const ruleset = withGeneve(nodeOf("worker-1"), { options: [1, 2, 3] });
    await expect(Engine.load(ruleset)).rejects.toThrow(
      "can have options of at most 28 octets, in words of 4: it has 3.",
    );
  });
});

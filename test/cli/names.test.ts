import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { commandsOn } from "./commands.js";
import { contentOf, packetyard, withFolder } from "./packetyard.js";

describe("names that are not in the cluster", () => {
  it("are refused with those that are: a node", () => {
    withFolder((folder) => {
      const path = join(folder, "cluster.yaml");
      writeFileSync(path, SMALL_CLUSTER);
      for (const args of commandsOn(path, folder)) {
        const { stderr, stdout, code } = packetyard([...args, "--node", "worker-9"]);
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toContain("error: no node is called «worker-9»: name one of worker-1, worker-2.\n");
      }
      expect(contentOf(folder)).toEqual(["cluster.yaml", "in.pcap"]);
    });
  });

  it.each([
    [
      "pod/shop/nobody",
      "svc/shop/near",
      /^error: Pod shop\/nobody: is not in .*there is cart, near, far\.$/m,
    ],
    [
      "pod/shop/cart",
      "svc/shop/nothing",
      /^error: Service shop\/nothing: is not .*there is near, far, door, empty\.$/m,
    ],
    [
      "pod/shop/cart",
      "svc/shop/near:admin",
      /^error: Service shop\/near: no port is called «admin»: .*http/m,
    ],
    ["node/worker-9", "svc/shop/near", /^error: Node worker-9: is not in .*worker-1, worker-2\.$/m],
  ])("are refused with those that are: %s to %s", (from, to, message) => {
    const { stderr, stdout, code } = packetyard(
      ["trace", "-f", "-", "--from", from, "--to", to],
      SMALL_CLUSTER,
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
  });

  it("are refused where they could be several", () => {
    const twins = SMALL_CLUSTER.replace("name: near", "name: carton");
    const args = ["trace", "-f", "-", "--from", "pod/shop/car", "--to", "svc/shop/far"];
    expect(packetyard(args, twins).stderr).toContain(
      "error: Pod shop/car: could be cart, carton: write more of the name.\n",
    );
  });

  it("are refused where the mode has no such listing", () => {
    for (const [format, mode, flags] of [
      ["nft", "iptables", "--mode nftables"],
      ["ipvsadm-save", "nftables", "--mode ipvs"],
      ["iptables-save", "nftables", "--mode iptables or --mode ipvs"],
    ] as const) {
      const { stderr, stdout, code } = packetyard(["compile", "-o", format, "--mode", mode]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toBe(
        `error: -o ${format}: a node in mode ${mode} has no such listing; compile with ${flags}.\n`,
      );
    }
  });

  it("are refused with the namespaces that have them", () => {
    const hint = (from: string, to: string) =>
      packetyard(["trace", "--from", from, "--to", to]).stderr.trimEnd().split("\n").at(-1);
    expect(hint("pod/shop/cart", "svc/web:80")).toMatch(
      /^error: Service default\/web: is not .*; did you mean svc\/shop\/web\?$/,
    );
    expect(hint("pod/web", "svc/shop/web")).toMatch(/^error: Pod default\/web: .* mean pod\/shop\/web\?$/);
    expect(hint("pod/nobody", "svc/shop/web")).toMatch(/^error: Pod default\/nobody: .*none\.$/);
  });

  it("are refused with their protocol where another is asked for", () => {
    const { stderr, code } = packetyard([
      ...["trace", "--from", "pod/shop/cart", "--to", "svc/shop/dns:dns", "--protocol", "tcp"],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "error: Service shop/dns: the port «dns» is of UDP: leave --protocol out, or give --protocol udp.\n",
    );
  });
});

import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { tcp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import { ClusterBuilder } from "../proxy/cluster-of.js";

/** What a node makes of its own packet to a Service whose one endpoint is this address of the node itself. */
async function asksItself(from: string, endpoint: string): Promise<string> {
  const cluster = new ClusterBuilder()
    .clusterCIDRs("10.244.0.0/16 fd00:10:244::/48")
    .node("worker-1", "172.18.0.2 fd00:172:18::2", "10.244.1.0/24 fd00:10:244:1::/64")
    .service("shop/web", { clusterIPs: "10.96.0.10 fd00:10:96::10", ports: ":80" })
    .slice("shop/web", ":8080", `${endpoint}@worker-1`)
    .build();
  const engine = await Engine.load(compile(cluster, { masqueradeAll: true }), { connections: 15 });
  const vip = from.startsWith("[") ? "[fd00:10:96::10]" : "10.96.0.10";
  const { verdict, frame } = engine.follow(tcp(from, `${vip}:80`));
  expect(verdict).toBe("LOCAL");
  return printPacket(frame).replace(/\.\d+ > /, " > ");
}

describe("masqueraded packets of a node to itself", () => {
  it("bear the first address that is not the loopback's, whichever was asked", async () => {
    for (const endpoint of ["172.18.0.2", "10.244.1.1"]) {
      expect(await asksItself("10.244.1.1:40000", endpoint)).toContain(`172.18.0.2 > ${endpoint}.8080`);
    }
  });

  it("bear the address that was asked, in IPv6", async () => {
    for (const endpoint of ["fd00:172:18::2", "fd00:10:244:1::1"]) {
      expect(await asksItself("[fd00:172:18::2]:40000", endpoint)).toContain(
        `${endpoint} > ${endpoint}.8080`,
      );
    }
  });
});

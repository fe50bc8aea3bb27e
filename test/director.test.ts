import { describe, expect, it } from "vitest";
import { Director } from "../src/director.js";
import { printIp } from "../src/net/ip.js";
import { tcp } from "../src/packet/build.js";
import type { RealServer, ServiceAddress, ServiceSettings } from "../src/ruleset/ipvs.js";
import { ip } from "./proxy/cluster-of.js";

const WEB: ServiceAddress & ServiceSettings = {
  protocol: "TCP",
  address: ip("198.51.100.10"),
  port: 80,
  scheduler: "rr",
};

const real = (address: string, more: Partial<RealServer> = {}): RealServer => {
  return { address: ip(address), port: 8080, weight: 1, ...more };
};

const client = (port: number) => tcp(`203.0.113.9:${port}`, "198.51.100.10:80");

/** Where a packet goes, by the director's own words. */
function chosen(director: Director, frame: Uint8Array, now = 0): string | undefined {
  const { frame: out, verdict } = director.engine.follow(frame, { in: "eth0", now });
  if (verdict !== "FORWARD") return verdict;
  return printIp(new DataView(out.buffer, out.byteOffset).getUint32(30));
}

/** Where clients of many ports go, one after the other. */
const taken = (director: Director, ports: readonly number[]) =>
  ports.map((port) => chosen(director, client(port)));

describe("Director", () => {
  it("sends connections to the real servers of a virtual one, newest first", async () => {
    const director = await Director.create();
    director.add({ ...WEB, servers: [real("10.0.0.1"), real("10.0.0.2")] });
    expect(taken(director, [1001, 1002, 1003])).toEqual(["10.0.0.2", "10.0.0.1", "10.0.0.2"]);
  });
});

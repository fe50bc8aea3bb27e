import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Protocol } from "../../src/net/port.js";
import { nftEndpointChain, nftPortName, nftServiceName } from "../../src/proxy/nft-names.js";

describe("nftables mode: names", () => {
  const shared = process.env.PACKETYARD_SHARED ?? "../shared";
  const file = join(shared, "spec", "chain-names.json");

  it.skipIf(!existsSync(file))(`are those that upstream's tests expect (${file})`, () => {
    const vectors: readonly Record<
      "namespace" | "service" | "protocol" | "port" | "endpoint" | "baseName",
      string
    >[] = JSON.parse(readFileSync(file, "utf8")).nftables;
    expect(vectors.length).toBeGreaterThan(10);
    for (const { namespace, service: name, protocol, port, endpoint, baseName } of vectors) {
      const upper = protocol.toUpperCase() as Protocol;
      const owner = nftPortName({ service: { namespace, name }, protocol: upper, portName: port });
      if (endpoint) expect(nftEndpointChain(owner, endpoint)).toBe(`endpoint-${baseName}`);
      else expect(nftServiceName(owner)).toBe(baseName);
    }
  });

  it("are cut at 240 characters without their prefix", () => {
    const long = "x".repeat(63);
    const owner = nftPortName({ service: { namespace: long, name: long }, protocol: "SCTP", portName: long });
    const made = nftEndpointChain(owner, "[fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1111]:65535");
    expect(made).toHaveLength("endpoint-".length + 240);
    expect(made.endsWith("...")).toBe(true);
  });
});

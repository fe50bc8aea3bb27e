import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ip } from "../../../src/net/ip.js";
import { parseIp, printIp } from "../../../src/net/ip.js";
import { prefixContains, prefixOf } from "../../../src/net/prefix.js";
import { udp } from "../../../src/packet/build.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { as6, drawnServices, engineOf, MODES, POD } from "../../drawn-cluster.js";
import { Tally } from "../../tally.js";

interface Way {
  readonly verdict: "FORWARD" | "LOCAL" | "DROP";
  readonly reason: "NONE" | "NO_NEIGHBOUR";
  /** The interface that the frame leaves by, and the neighbour whose MAC address it bears. */
  readonly out?: string;
  readonly mac?: number;
}

function low32(ip: Ip): number {
  return typeof ip === "number" ? ip : Number(ip & 0xffffffffn);
}

/** Where a node's tables send an address, each asked from its beginning: local addresses, routes, neighbours, FDB. */
function wayOf({ interfaces, routes, neighbours, fdb }: Ruleset, to: Ip): Way {
  const isLocal = interfaces.some(({ kind, addresses }) =>
    addresses.some(({ address, length }) =>
      kind === "loopback" ? prefixContains(prefixOf(address, length), to) : address === to,
    ),
  );
  if (isLocal) return { verdict: "LOCAL", reason: "NONE" };
  const holding = routes.filter(({ prefix }) => prefixContains(prefix, to));
  const [route] = holding.sort((a, b) => b.prefix.length - a.prefix.length);
  const next = route?.via ?? to;
  const neighbour = neighbours.find(({ dev, address }) => dev === route?.dev && address === next);
  const lost: Way = { verdict: "DROP", reason: "NO_NEIGHBOUR" };
  if (route === undefined) return lost;
  const isUplink = interfaces.find(({ name }) => name === route.dev)?.kind === "uplink";
  // Hosts of the uplink's network answer though nobody told of them: 02:42 and the address.
  if (neighbour === undefined && isUplink && route.via === undefined) {
    return { verdict: "FORWARD", reason: "NONE", out: route.dev, mac: 0x0242 * 2 ** 32 + low32(to) };
  }
  if (neighbour === undefined) return lost;
  const { mac } = neighbour;
  if (interfaces.find(({ name }) => name === route.dev)?.kind !== "vxlan") {
    return { verdict: "FORWARD", reason: "NONE", out: route.dev, mac };
  }
  const remote = fdb.find((entry) => entry.dev === route.dev && entry.mac === mac)?.dst;
  return remote === undefined
    ? lost
    : { ...wayOf({ interfaces, routes, neighbours, fdb } as Ruleset, Number(remote)), mac };
}

/** Addresses about those that the node knows: inside of its networks, beside them and far away. */
const destination = fc.oneof(
  fc
    .tuple(fc.constantFrom(0x0af40100, 0x0af40200, 0x0af40300, 0xac120000), fc.nat(20))
    .map(([base, low]) => base + low),
  fc.constantFrom(0x0af40164, 0x0af40264, 0xac120001, 0xac120002, 0xac120003, 0x0af40109, 0x0af40209),
  fc.integer({ min: 0x01000000, max: 0x09ffffff }),
  fc.integer({ min: 0xc6000000, max: 0xdfffffff }),
);

const destination6: fc.Arbitrary<Ip> = fc.oneof(
  fc
    .tuple(fc.constantFrom("10.244.1.0", "10.244.2.0", "10.244.3.0", "172.18.0.0"), fc.nat(20))
    .map(([base, low]) => (parseIp(as6(base)) as bigint) + BigInt(low)),
  fc
    .constantFrom("10.244.1.100", "10.244.2.100", "172.18.0.1", "172.18.0.2")
    .map((one) => parseIp(as6(one)) as bigint),
  fc.bigInt({ min: 0x2000n << 112n, max: 0x3fffn << 112n }),
);

describe("next hops", () => {
  it("lead IPv6 where the node's routes and neighbours do", async () => {
    const seen = new Tally();
    const drawn = fc.array(destination6, { minLength: 10, maxLength: 20 });
    const property = fc.asyncProperty(drawnServices, drawn, async (services, destinations) => {
      const engine = await engineOf(services, "iptables", { stack: "dual" });
      for (const [index, to] of destinations.entries()) {
        const expected = wayOf(engine.ruleset, to);
        const frame = udp(`[${as6(POD)}]:${1000 + index}`, `[${printIp(to)}]:9`);
        const { verdict, reason, out, frame: left } = engine.follow(frame, { in: "cni0" });
        expect([to, verdict, reason, out]).toEqual([to, expected.verdict, expected.reason, expected.out]);
        const mac = Number.parseInt(Buffer.from(left.subarray(0, 6)).toString("hex"), 16);
        if (expected.mac !== undefined) expect(mac).toBe(expected.mac);
        seen.count(`${verdict} ${out ?? ""}`);
      }
    });
    await fc.assert(property, { numRuns: 40 });
    seen.expectEach(["DROP ", "FORWARD cni0", "FORWARD eth0", "LOCAL "]);
  });

  it("lead where the node's routes, neighbours and forwarding database do", async () => {
    const seen = new Tally();
    const property = fc.asyncProperty(
      drawnServices,
      fc.constantFrom(...MODES),
      fc.array(destination, { minLength: 10, maxLength: 20 }),
      async (services, mode, destinations) => {
        const engine = await engineOf(services, mode);
        for (const [index, to] of destinations.entries()) {
          const expected = wayOf(engine.ruleset, to);
          const frame = udp(`${POD}:${1000 + index}`, `${printIp(to)}:9`);
          const { verdict, reason, out, frame: left } = engine.follow(frame, { in: "cni0" });
          expect([to, verdict, reason, out]).toEqual([to, expected.verdict, expected.reason, expected.out]);
          const inner = left.length > frame.length ? left.subarray(50) : left;
          const mac = Number.parseInt(Buffer.from(inner.subarray(0, 6)).toString("hex"), 16);
          if (expected.mac !== undefined) expect(mac).toBe(expected.mac);
          seen.count(`${verdict} ${out ?? ""}${left.length > frame.length ? " in a tunnel" : ""}`);
        }
      },
    );
    await fc.assert(property, { numRuns: 40 });
    seen.expectEach(["DROP ", "FORWARD cni0", "FORWARD eth0", "FORWARD eth0 in a tunnel", "LOCAL "]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { parseIp } from "../../src/net/ip.js";
import { parsePrefix, prefixOf } from "../../src/net/prefix.js";
import { compareRoutes, parseRoutes, printRoutes, type Route } from "../../src/ruleset/routes.js";

// What `ip route` of iproute2 6.1 printed on a node of flannel, without the blank at each line's end.
const NODE = `\
default via 172.18.0.1 dev eth0
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.3
`;

function refused(text: string): string {
  try {
    parseRoutes(text, "routes.txt");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

const ip4 = fc.integer({ min: 0, max: 0xffffffff });
const route: fc.Arbitrary<Route> = fc
  .record(
    {
      prefix: fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => prefixOf(ip, length)),
      dev: fc.constantFrom("eth0", "cni0", "flannel.1"),
      via: ip4,
      onlink: fc.constant(true),
      scope: fc.constant("link" as const),
      proto: fc.constantFrom("kernel", "bird", "dhcp"),
      src: ip4,
      metric: fc.nat(5000),
    },
    { requiredKeys: ["prefix", "dev"] },
  )
  .map((made) => made);

describe("routes", () => {
  it("reads and prints what the kernel of a flannel node holds", () => {
    const routes = parseRoutes(NODE, "routes.txt");
    expect(routes[2]).toEqual({
      prefix: parsePrefix("10.244.2.0/24"),
      via: parseIp("10.244.2.0"),
      dev: "flannel.1",
      onlink: true,
    });
    expect(printRoutes(routes)).toBe(NODE);
  });

  it("prints in the kernel's order: by address, and of equal addresses the longer prefix first", () => {
    const text = `\
0.0.0.0/1 via 172.18.0.9 dev eth0
default via 172.18.0.1 dev eth0
10.244.0.0 via 172.18.0.9 dev eth0
10.244.0.0/24 via 172.18.0.9 dev eth0
10.244.0.0/16 via 172.18.0.9 dev eth0
128.0.0.0/1 via 172.18.0.9 dev eth0
`;
    expect(printRoutes([...parseRoutes(text, "routes.txt")].reverse())).toBe(text);
  });

  it("passes over what does not move packets, and reads IPv6", () => {
    const text =
      "default via fe80::1 dev eth0 proto ra metric 1024 pref medium \n\nfd00::/64 dev cni0 linkdown\n";
    expect(parseRoutes(text, "routes.txt")).toEqual([
      { prefix: { address: 0n, length: 0 }, via: parseIp("fe80::1"), dev: "eth0", proto: "ra", metric: 1024 },
      { prefix: parsePrefix("fd00::/64"), dev: "cni0" },
    ]);
  });

  it("names every line that it does not understand", () => {
    expect(refused(`${NODE}blackhole 10.9.0.0/24\n10.0.0.1/8 dev eth0\n`)).toBe(
      "routes.txt: line 5: «blackhole» is not a unicast route's destination.\n" +
        "routes.txt: line 6: «10.0.0.1/8» is not a unicast route's destination.",
    );
    expect(refused("10.244.5.0/24\n\tnexthop via 172.18.0.7 dev eth0 weight 1\n")).toContain(
      "routes.txt: line 1: the route to 10.244.5.0/24 names no device (dev).",
    );
    expect(refused("10.0.0.0/8 dev eth0 mtu 1400\n")).toContain("line 1: «mtu» is not modelled in a route");
    expect(refused("10.0.0.0/8 via 1.2.3 dev eth0\n")).toBe(
      "routes.txt: line 1: «1.2.3» is not an IP address.",
    );
    expect(refused("10.0.0.0/8 via\n")).toContain("line 1: the line ends where an IP address should stand.");
  });

  it("refuses two routes to one prefix", () => {
    const twice = "default via 10.0.0.1 dev eth0 metric 100\ndefault via 10.1.0.1 dev wlan0 metric 600\n";
    expect(refused(twice)).toContain("two routes lead to default; choice by metric is not modelled");
  });

  it("law: parse(print(routes)) gives the routes in the kernel's order", () => {
    const unique = fc.uniqueArray(route, {
      maxLength: 20,
      selector: ({ prefix }) => `${prefix.address}/${prefix.length}`,
    });
    fc.assert(
      fc.property(unique, (routes) => {
        const read = parseRoutes(printRoutes(routes), "routes.txt");
        expect(read).toEqual([...routes].sort(compareRoutes));
        expect(printRoutes(read)).toBe(printRoutes(routes));
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, printDiagnostic } from "../../src/diagnostics.js";
import { type Ip, isLinkLocal, parseIp } from "../../src/net/ip.js";
import { parsePrefix, prefixOf, printPrefix } from "../../src/net/prefix.js";
import { REFUSALS } from "../../src/ruleset/route-types.js";
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
    parseRoutes(text, "routes.txt").routes;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

const ip4 = fc.integer({ min: 0, max: 0xffffffff });
const ip6 = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    fc.bigInt({ min: 0n, max: 15n }).map((low) => (0xfd00n << 112n) | (low << 62n)),
  )
  .filter((ip) => !isLinkLocal(ip));
const others = {
  dev: fc.constantFrom("eth0", "cni0", "flannel.1"),
  onlink: fc.constant(true),
  proto: fc.constantFrom("kernel", "bird", "dhcp"),
  metric: fc.nat(5000),
} as const;
const prefix = (ip: fc.Arbitrary<Ip>, most: number) =>
  fc.tuple(ip, fc.integer({ min: 0, max: most })).map(([address, length]) => prefixOf(address, length));
const required: { requiredKeys: ("prefix" | "dev")[] } = { requiredKeys: ["prefix", "dev"] };
const route: fc.Arbitrary<Route> = fc.oneof(
  fc
    .record(
      {
        ...others,
        prefix: prefix(ip4, 32),
        via: fc.oneof<fc.Arbitrary<Ip>[]>(ip4, ip4, ip6),
        scope: fc.constant("link" as const),
        src: ip4,
      },
      required,
    )
    .map((made) => made),
  fc.record({ ...others, prefix: prefix(ip6, 128), via: ip6, src: ip6 }, required).map((made) => made),
  fc
    .tuple(fc.oneof(prefix(ip4, 32), prefix(ip6, 128)), fc.constantFrom(...REFUSALS))
    .map(([refused, refusal]): Route => ({ prefix: refused, dev: "lo", refusal })),
);

describe("routes", () => {
  it("reads and prints what the kernel of a flannel node holds", () => {
    const routes = parseRoutes(NODE, "routes.txt").routes;
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
    expect(printRoutes([...parseRoutes(text, "routes.txt").routes].reverse())).toBe(text);
  });

  it("prints IPv6 as the kernel lists it: a prefix behind those that it holds", () => {
    // What `ip -6 route` of iproute2 6.1 printed.
    const text = `\
2001:db8:1::/64 dev eth0 proto kernel metric 256 pref medium
2001:db8:2:1::/64 via 2001:db8:1::9 dev eth0 metric 1024 pref medium
2001:db8:2::/48 via 2001:db8:1::1 dev eth0 metric 1024 pref medium
default via 2001:db8:1::1 dev eth0 metric 1024 pref medium
`;
    expect(printRoutes([...parseRoutes(text, "routes.txt").routes].reverse())).toBe(text);
  });

  it("reads defaults of either family, and gateways of the other", () => {
    const text = `\
default via inet6 fe80::1 dev eth0
default dev tun0 metric 1024 pref medium
`;
    const { routes } = parseRoutes(text, "routes.txt");
    expect(routes.map(({ prefix }) => printPrefix(prefix))).toEqual(["0.0.0.0/0", "::/0"]);
    expect(printRoutes(routes)).toBe(text);
  });

  it("passes over what does not move packets, and reads IPv6", () => {
    const text =
      "default via fe80::1 dev eth0 proto ra metric 1024 pref medium \n\nfe80::/64 dev eth0\nfe80::/64 dev cni0\nfd00::/64 dev cni0 linkdown\n";
    expect(parseRoutes(text, "routes.txt").routes).toEqual([
      { prefix: parsePrefix("fd00::/64"), dev: "cni0" },
      { prefix: { address: 0n, length: 0 }, via: parseIp("fe80::1"), dev: "eth0", proto: "ra", metric: 1024 },
    ]);
  });

  it("reads and prints those that refuse packets", () => {
    // What ip 6.1 printed, without the blank at each line's end.
    const text = `\
blackhole 10.1.0.0/26 proto bird
unreachable 10.2.0.0/16
prohibit 10.3.0.0/16 metric 5
throw 10.4.0.0/16
blackhole fd01::/64 dev lo metric 1024 pref medium
unreachable fd02::/64 dev lo metric 1024 pref medium
`;
    const { routes } = parseRoutes(text, "routes.txt");
    expect(routes.map(({ refusal }) => refusal)).toEqual([
      ...["blackhole", "unreachable", "prohibit", "throw", "blackhole", "unreachable"],
    ]);
    expect(routes.every(({ dev }) => dev === "lo")).toBe(true);
    expect(printRoutes(routes)).toBe(text);
    const none = "unreachable default dev lo metric 4294967295 error -101 pref medium\n";
    expect(parseRoutes(none, "routes.txt").routes[0]).toMatchObject({ prefix: { address: 0n, length: 0 } });
  });

  it("passes over what is of no account to packets that pass: the words of ip -d, of TCP, of bookkeeping", () => {
    const plain = "10.0.0.0/8 via 192.0.2.1 dev eth0\n";
    const detailed =
      "unicast 10.0.0.0/8 nhid 12 via 192.0.2.1 dev eth0 scope global advmss lock 1400 initcwnd 10 expires 30sec linkdown\n";
    expect(parseRoutes(detailed, "routes.txt")).toEqual(parseRoutes(plain, "routes.txt"));
  });

  it("names every line that it does not understand", () => {
    expect(refused(`${NODE}blackhole 10.9.0.0/24 via 10.0.0.1\n10.0.0.1/8 dev eth0\n`)).toBe(
      "routes.txt: line 5: a blackhole route leads nowhere, so it has no gateway (via): leave one of them out.\n" +
        "routes.txt: line 6: «10.0.0.1/8» is not a route's destination.",
    );
    const several =
      "routes.txt: line 1: «nexthop»: which of several next hops a packet takes is not modelled: leave one, as «via … dev …».";
    expect(refused("10.244.5.0/24\n\tnexthop via 172.18.0.7 dev eth0 weight 1\n")).toBe(several);
    expect(refused("default \\\tnexthop via 172.18.0.7 dev eth0 weight 1\n")).toBe(several);
    expect(refused("10.0.0.0/8\n")).toBe(
      "routes.txt: line 1: the route to 10.0.0.0/8 names no device (dev).",
    );
    expect(refused("10.0.0.0/8 dev eth0 mtu 1400\n")).toBe(
      "routes.txt: line 1: «mtu»: a route's own MTU is not modelled, packets are as long as its device takes: leave it out.",
    );
    expect(refused("10.0.0.0/8 dev eth0 tos 0x10\n")).toBe(
      "routes.txt: line 1: «tos» is not modelled in a route; leave it out of the listing.",
    );
    expect(refused("local 10.0.0.1 dev eth0 table local scope host\n")).toBe(
      "routes.txt: line 1: «local» routes follow from the interfaces' addresses: list the main table alone, as ip route does.",
    );
    expect(refused("10.0.0.0/8 dev eth0 table 100\n")).toBe(
      "routes.txt: line 1: «table»: there is one table of routes, the main one: leave out what stands in others.",
    );
    expect(refused("10.0.0.0/8 via 1.2.3 dev eth0\n")).toBe(
      "routes.txt: line 1: «1.2.3» is not an IP address.",
    );
    expect(refused("10.0.0.0/8 via\n")).toContain("line 1: the line ends where an IP address should stand.");
  });

  it("takes the last of several routes to one prefix, and says so", () => {
    const text = `${NODE}\n10.244.2.0/24 via 172.18.0.4 dev eth0\nfd00::/64 dev a\n10.244.2.0/24 dev cni0\nfd00::/64 dev b metric 1024\n`;
    const { routes, diagnostics } = parseRoutes(text, "routes.txt");
    expect(routes.map(({ prefix, dev }) => `${printPrefix(prefix)} ${dev}`)).toEqual([
      "0.0.0.0/0 eth0",
      "10.244.1.0/24 cni0",
      "10.244.2.0/24 cni0",
      "172.18.0.0/16 eth0",
      "fd00::/64 b",
    ]);
    const said = "leads to 10.244.2.0/24 too and is left out";
    expect(diagnostics.map(printDiagnostic)).toEqual([
      `routes.txt: line 3 ${said}: line 6 counts, since it is the last.`,
      `routes.txt: line 6 ${said}: line 8 counts, since it is the last.`,
      "routes.txt: line 7 leads to fd00::/64 too and is left out: line 9 counts, since it is the last.",
    ]);
    expect(diagnostics.every(({ severity }) => severity === "warning")).toBe(true);
  });

  it("takes the one of the least metric, as the kernel does, and says so", () => {
    const twice = (first: string, second: string) =>
      `default via 10.0.0.1 dev eth0${first}\ndefault via 10.1.0.1 dev wlan0${second}\n`;
    const left = (text: string) => {
      const { routes, diagnostics } = parseRoutes(text, "routes.txt");
      return [routes.map(({ dev }) => dev).join(), diagnostics.map(printDiagnostic).join()];
    };
    const said = (one: number, other: number) =>
      `routes.txt: line ${one} leads to 0.0.0.0/0 too and is left out: line ${other} counts, since its metric is less.`;
    expect(left(twice(" metric 100", " metric 600"))).toEqual(["eth0", said(2, 1)]);
    expect(left(twice(" metric 600", " metric 100"))).toEqual(["wlan0", said(1, 2)]);
    expect(left(twice("", " metric 100"))).toEqual(["eth0", said(2, 1)]);
  });

  it("law: parse(print(routes)) gives the routes in the kernel's order", () => {
    const unique = fc.uniqueArray(route, {
      maxLength: 20,
      selector: ({ prefix }) => `${prefix.address}/${prefix.length}`,
    });
    fc.assert(
      fc.property(unique, (routes) => {
        const read = parseRoutes(printRoutes(routes), "routes.txt").routes;
        expect(read).toEqual([...routes].sort(compareRoutes));
        expect(printRoutes(read)).toBe(printRoutes(routes));
      }),
    );
  });
});

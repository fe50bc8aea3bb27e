import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIp } from "../../src/net/ip.js";
import { parseMac } from "../../src/net/mac.js";
import { type Neighbour, parseNeighbours, printNeighbours } from "../../src/ruleset/neighbours.js";

const NODE = `\
172.18.0.1 dev eth0 lladdr 02:42:ac:12:00:01 PERMANENT
10.244.2.0 dev flannel.1 lladdr 0e:f1:0a:f4:02:00 PERMANENT
`;

const neighbour: fc.Arbitrary<Neighbour> = fc.record({
  address: fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })),
  dev: fc.constantFrom("eth0", "cni0", "flannel.1"),
  mac: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
});

describe("neighbours", () => {
  it("reads and prints permanent neighbours", () => {
    const neighbours = parseNeighbours(NODE, "neigh.txt");
    expect(neighbours[0]).toEqual({
      address: parseIp("172.18.0.1"),
      dev: "eth0",
      mac: parseMac("02:42:ac:12:00:01"),
    });
    expect(printNeighbours(neighbours)).toBe(NODE);
  });

  it("takes every resolved state, and passes over unresolved neighbours", () => {
    const text = `\
10.1.0.56 dev eth0 FAILED
10.1.0.57 dev eth0 INCOMPLETE
10.1.0.55 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE
fe80::1 dev eth0 lladdr 02:00:00:00:00:02 router STALE
`;
    expect(parseNeighbours(text, "neigh.txt").map(({ mac }) => mac & 0xff)).toEqual([1, 2]);
  });

  it("names the line that it does not understand", () => {
    const parse = (text: string) => () => parseNeighbours(text, "neigh.txt");
    expect(parse("10.1.0.1 dev eth0 proxy\n")).toThrow(
      "neigh.txt: line 1: «proxy» is not a neighbour's state",
    );
    expect(parse("10.1.0.1 dev eth0 STALE\n")).toThrow(
      "neigh.txt: line 1: the neighbour is STALE but has no MAC",
    );
    expect(parse("10.1.0.1 dev eth0 lladdr 02:00 STALE\n")).toThrow("line 1: «02:00» is not a MAC address.");
    expect(parse("10.1.0.1 lladdr\n")).toThrow("line 1: «lladdr» stands where «dev» should.");
  });

  it("law: parse(print(x)) is x", () => {
    fc.assert(
      fc.property(fc.array(neighbour, { maxLength: 20 }), (neighbours) => {
        expect(parseNeighbours(printNeighbours(neighbours), "neigh.txt")).toEqual(neighbours);
      }),
    );
  });
});

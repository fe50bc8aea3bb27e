import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExactMap, ExactTable } from "../../bench/baseline/exact.js";
import { ExactTable6 } from "../../bench/baseline/exact6.js";
import { Fib4 } from "../../bench/baseline/fib4.js";
import { Fib6 } from "../../bench/baseline/fib6.js";
import { FlowTable, PORTS_AT, PROTOCOL_AT, RECORD_WORDS, SRC_AT } from "../../bench/baseline/flow.js";
import { FlowTable6 } from "../../bench/baseline/flow6.js";
import { balancing } from "../../bench/maglev.bench.js";
import { Pair } from "../../bench/pair.js";
import {
  PACKETS,
  POD_INTERFACE,
  podFrames,
  routerOf,
  sceneOf,
  serviceFrames,
  UPLINK,
  withGeneve,
} from "../../bench/scene.js";
import { compile } from "../../src/compile.js";
import { type Prefix, prefixContains, prefixOf } from "../../src/net/prefix.js";
import type { ProxyMode } from "../../src/ruleset/ruleset.js";
import { Fib6Oracle, mask6 } from "../oracle/fib6.js";
import { keys6 } from "../table/route-rows.js";

const MODES: readonly ProxyMode[] = ["iptables", "ipvs", "nftables"];

describe("the baseline node", () => {
  it.each(MODES)("does in mode %s what the machine does, for first and for later packets", async (proxy) => {
    const cluster = sceneOf(20);
    const { opening, middle } = serviceFrames(cluster);
    const pair = await Pair.make(compile(cluster, { proxy }), PACKETS);
    pair.establish({ opening, middle }, POD_INTERFACE, UPLINK);
    expect(pair.forwardsAll).toBe(true);
  });

  it.each(["VXLAN", "Geneve"] as const)(
    "encapsulates and decapsulates %s as the machine does",
    async (tunnel) => {
      const cluster = sceneOf(20);
      const nodeOf = (name: string) => {
        const router = routerOf(cluster, name);
        return tunnel === "VXLAN" ? router : withGeneve(router);
      };
      const sender = await Pair.make(nodeOf("worker-1"), PACKETS);
      sender.establish(podFrames(cluster, "worker-2"), POD_INTERFACE, UPLINK);
      const receiver = await Pair.make(nodeOf("worker-2"), PACKETS);
      receiver.run(sender.output, UPLINK);
      expect(sender.forwardsAll && receiver.forwardsAll).toBe(true);
      expect(sender.output[0]?.length).toBe((receiver.output[0]?.length ?? 0) + 50);
    },
  );
});

describe("the baseline's tables", () => {
  const prefixes: fc.Arbitrary<Prefix & { readonly address: number }> = fc
    .tuple(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }))
    .map(([address, length]) => prefixOf(address, length) as Prefix & { readonly address: number });

  it("finds the longest prefix, as a search through all does", () => {
    fc.assert(
      fc.property(fc.array(prefixes, { maxLength: 20 }), fc.array(fc.nat(0xffffffff)), (routes, others) => {
        const fib = new Fib4();
        for (const [hop, { address, length }] of routes.entries()) fib.insert(address, length, hop);
        for (const key of [...others, ...routes.flatMap(({ address }) => [address, (address + 1) >>> 0])]) {
          const best = routes
            .map((prefix, hop) => ({ prefix, hop }))
            .filter(({ prefix }) => prefixContains(prefix, key))
            .reduce<{ prefix: Prefix; hop: number } | undefined>(
              (longest, one) => (one.prefix.length >= (longest?.prefix.length ?? 0) ? one : longest),
              undefined,
            );
          const leaf = fib.lookup(key);
          expect(leaf === 0 ? undefined : leaf >>> 7).toBe(best?.hop);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("finds keys and no others, as a Map does", () => {
    const keys = fc.tuple(
      fc.nat(40),
      fc.nat(40).map((port) => (6 << 16) | port),
    );
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 300 }), (entries) => {
        const [table, map, truth] = [new ExactTable(), new ExactMap(), new Map<string, number>()];
        for (const [index, [low, high]] of entries.entries()) {
          table.set(low, high, index + 1);
          map.set(low, high, index + 1);
          truth.set(`${low} ${high}`, index + 1);
        }
        const asked = Uint32Array.from([...entries, ...entries.map(([low, high]) => [low + 7, high])].flat());
        const [found, foundInMap] = [new Uint32Array(asked.length / 2), new Uint32Array(asked.length / 2)];
        table.findMany(asked, found);
        map.findMany(asked, foundInMap);
        const wanted = [...found].map(
          (_, index) => truth.get(`${asked[index * 2]} ${asked[index * 2 + 1]}`) ?? 0,
        );
        expect([...found]).toEqual(wanted);
        expect([...foundInMap]).toEqual(wanted);
      }),
    );
  });

  it("finds the longest IPv6 prefix, as a search through all does", () => {
    const prefix = fc
      .tuple(fc.bigInt({ min: 0n, max: (1n << 20n) - 1n }), fc.integer({ min: 0, max: 128 }))
      .map(([bits, length]) => ({
        address: ((bits << 108n) | (bits << 60n) | bits) & mask6(length),
        length,
      }));
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 20 }), (prefixes) => {
        const routes = [...prefixes].sort((a, b) => a.length - b.length).map((one, hop) => ({ ...one, hop }));
        const [fib, oracle] = [new Fib6(), new Fib6Oracle()];
        for (const route of routes) {
          fib.insert(keys6([route.address]), route.length, route.hop);
          oracle.insert(route);
        }
        const asked = routes.flatMap(({ address }) => [
          address,
          address ^ 1n,
          address ^ (1n << 61n),
          address - 1n,
        ]);
        const addresses = asked.map((address) => BigInt.asUintN(128, address));
        const results = new Uint32Array(addresses.length);
        fib.lookupMany(keys6(addresses), results);
        expect([...results]).toEqual(addresses.map((address) => oracle.lookup(address)?.hop ?? 0xffffffff));
      }),
      { numRuns: 30 },
    );
  });

  it("finds IPv6 keys and no others", () => {
    const key = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(9), fc.nat(9));
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { maxLength: 200, selector: String }),
        fc.array(key),
        (keys, others) => {
          const [table, truth] = [new ExactTable6(), new Map<string, number>()];
          for (const [index, one] of keys.entries()) {
            table.add(Uint32Array.of(...one, index + 1), 0);
            truth.set(one.join(), index + 1);
          }
          const asked = [...keys, ...others];
          const found = new Uint32Array(asked.length);
          table.findMany(Uint32Array.from(asked.flatMap((one) => [...one, 0])), found);
          expect([...found]).toEqual(asked.map((one) => truth.get(one.join()) ?? 0));
        },
      ),
    );
  });

  it("finds IPv6 connections both ways", () => {
    const table = new FlowTable6(64);
    const tuplesOf = (port: number) => {
      const [client, server] = [
        [1, 2, port & 3, 4],
        [9, 8, 7, 6],
      ] as const;
      const original = [...client, ...server, ((port << 16) | 80) >>> 0, 6];
      return Uint32Array.of(...original, ...server, ...client, ((80 << 16) | port) >>> 0, 6);
    };
    const opened = Array.from({ length: 60 }, (_, index) => tuplesOf(1024 + index));
    const numbers = opened.map((tuples) => table.open(tuples));
    for (const [index, tuples] of opened.entries()) {
      const results = new Uint32Array(2);
      table.findMany(tuples, results);
      const number = numbers[index] as number;
      expect([...results]).toEqual([number * 2, number * 2 + 1]);
      expect(table.find(tuples.with(9, 17), 0)).toBe(0);
      expect(table.find(tuples.with(2, 5), 0)).toBe(0);
    }
  });

  it("balances as the machine does, but for the hash", async () => {
    expect((await balancing()).contenders).toHaveLength(2);
  });

  it("finds connections both ways until they are forgotten", () => {
    const table = new FlowTable(64);
    const open = (port: number) => {
      const record = table.reserve();
      const words = table.records.subarray(record * RECORD_WORDS, (record + 1) * RECORD_WORDS);
      words.set([1, 2, (port << 16) | 80, 2, 1, (80 << 16) | port], SRC_AT);
      words[PROTOCOL_AT] = 6;
      table.commit(record);
      return { record, ports: words[PORTS_AT] as number };
    };
    const opened = Array.from({ length: 60 }, (_, index) => open(1024 + index));
    for (const { record, ports } of opened) {
      expect(table.find(1, 2, ports, 6)).toBe(record << 1);
      expect(table.find(2, 1, (ports << 16) | (ports >>> 16), 6)).toBe((record << 1) | 1);
      expect(table.find(1, 2, ports, 17)).toBe(0);
    }
    table.clear();
    for (const { ports } of opened) expect(table.find(1, 2, ports, 6)).toBe(0);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOOK_FORWARD } from "../../../assembly/abi/entry.js";
import { IpSetRows } from "../../../src/engine/entries/ipset-rows.js";
import { Words } from "../../../src/engine/entries/words.js";
import { type Family, type Ip, parseIp } from "../../../src/net/ip.js";
import { printHostPort } from "../../../src/net/port.js";
import { prefixOf } from "../../../src/net/prefix.js";
import { tcp, udp } from "../../../src/packet/build.js";
import type { IpSet, IpSetEntry } from "../../../src/ruleset/ipset.js";
import type { Rule, Side } from "../../../src/ruleset/iptables.js";
import { isInSet, type SetPacket } from "../../oracle/ipset.js";
import { Tally } from "../../tally.js";
import { CALI1, draftsOf, hookOf, routedNode, scopeOf } from "./rule-node.js";

const TYPES: readonly IpSet["type"][] = [
  "bitmap:port",
  "hash:ip",
  "hash:net",
  "hash:ip,port",
  "hash:net,port",
  "hash:ip,port,ip",
  "hash:ip,port,net",
];
const TABLE = 5;
const address = (text: string): Ip => parseIp(text) ?? 0;
const ADDRESSES: Readonly<Record<Family, readonly Ip[]>> = {
  4: ["10.0.0.1", "10.0.0.2", "10.0.3.1", "198.51.100.9"].map(address),
  6: ["2001:db8::1", "2001:db8::2", "2001:db8:0:3::1", "fd00::1:0:0:9"].map(address),
};
const LENGTHS: Readonly<Record<Family, readonly number[]>> = {
  4: [1, 8, 23, 30, 31, 32],
  6: [1, 32, 63, 64, 65, 127, 128],
};

const port = fc.constantFrom(53, 80);
const protocol = fc.constantFrom("TCP" as const, "UDP" as const);
const ipIn = (family: Family) => fc.constantFrom(...ADDRESSES[family]);

const entryOf = (family: Family): fc.Arbitrary<Required<IpSetEntry>> =>
  fc.record({
    ip: ipIn(family),
    ip2: ipIn(family),
    protocol,
    port,
    net: fc
      .tuple(ipIn(family), fc.constantFrom(...LENGTHS[family]))
      .map(([of, length]) => prefixOf(of, length)),
    nomatch: fc.constant(true as const),
  });

/** An entry with the fields of a type alone. */
function entryFor(type: IpSet["type"], all: Required<IpSetEntry>, isLeftOut: boolean): IpSetEntry {
  const { ip, ip2, protocol: of, port: number, net } = all;
  const hasIp = type.startsWith("hash:ip");
  return {
    ...(hasIp ? { ip } : {}),
    ...(type.includes("port") ? { port: number } : {}),
    ...(type.startsWith("hash") && type.includes("port") ? { protocol: of } : {}),
    ...(type === "hash:ip,port,ip" ? { ip2 } : {}),
    ...(type.includes("net") ? { net, ...(isLeftOut ? { nomatch: true as const } : {}) } : {}),
  };
}

/** A set without entries that say two things of one key. */
const setOf = (family: Family): fc.Arbitrary<IpSet> =>
  fc
    .tuple(
      fc.constantFrom(...TYPES),
      fc.array(fc.tuple(entryOf(family), fc.boolean()), { minLength: 1, maxLength: 8 }),
    )
    .map(([type, drawn]) => {
      const entries = new Map<string, IpSetEntry>();
      for (const [all, isLeftOut] of drawn) {
        const entry = entryFor(type, all, isLeftOut);
        const key = JSON.stringify({ ...entry, nomatch: 0 }, (_, value) =>
          typeof value === "bigint" ? `${value}` : value,
        );
        entries.set(key, entry);
      }
      return {
        name: "s",
        type,
        ...(family === 6 ? { family: 6 as const } : {}),
        entries: [...entries.values()],
      };
    });

const packetOf = (family: Family): fc.Arbitrary<SetPacket> =>
  fc.record({ src: ipIn(family), dst: ipIn(family), protocol, srcPort: port, dstPort: port });
const sidesOf = fc.tuple(...Array.from({ length: 3 }, () => fc.constantFrom<Side>("src", "dst")));

function rowsOf(set: IpSet): Uint32Array {
  const rows = new Words();
  const encoded = new IpSetRows(set);
  for (const entry of set.entries) encoded.push(rows, entry, false);
  return rows.words;
}

async function isHit(set: IpSet, sides: readonly Side[], packets: readonly SetPacket[], family: Family) {
  const node = await routedNode();
  const { machine, address: image } = node.image;
  const rows = rowsOf(set);
  const is6 = family === 6 && set.type !== "bitmap:port";
  const insert = is6 ? machine.exact6Insert : machine.exactInsert;
  node.image.withWords(rows, (at) => expect(insert(image, TABLE, at, rows.length / (is6 ? 6 : 3))).toBe(0));
  const rule: Rule = { matches: [{ kind: "set", set: "s", sides }], target: { kind: "drop" } };
  node.chain(0, ...draftsOf([rule], scopeOf(family, { s: { number: TABLE, type: set.type } })));
  node.hook(hookOf(HOOK_FORWARD, family), 0);
  return packets.map(({ src, dst, protocol: of, srcPort, dstPort }) => {
    node.image.machine.flowsClear(node.image.state);
    const frame = (of === "TCP" ? tcp : udp)(printHostPort(src, srcPort), printHostPort(dst, dstPort));
    return node.one(frame, CALI1).verdict === "DROP";
  });
}

describe("ipsets as exact tables", () => {
  it.each([4, 6] as const)(
    "hold what they hold entry by entry, asked by any sides (IPv%i)",
    async (family) => {
      const seen = new Tally();
      const property = fc.asyncProperty(
        setOf(family),
        sidesOf,
        fc.array(packetOf(family), { minLength: 10, maxLength: 20 }),
        async (set, sides, packets) => {
          const expected = packets.map((packet) => isInSet(set, sides, packet));
          expect(await isHit(set, sides, packets, family)).toEqual(expected);
          for (const hit of expected) seen.count(`${set.type} ${hit}`);
        },
      );
      await fc.assert(property, { numRuns: 500 });
      seen.expectEach(TYPES.flatMap((type) => [`${type} true`, `${type} false`]));
    },
  );

  it("keep a group's row when one of it leaves, and give its number again", () => {
    const encoded = new IpSetRows({ type: "hash:ip,port,ip" });
    const words = (entry: IpSetEntry, leaves: boolean) => {
      const rows = new Words();
      encoded.push(rows, entry, leaves);
      return [...rows.words];
    };
    const of = (ip2: number): IpSetEntry => ({ ip: 1, protocol: "TCP", port: 80, ip2 });
    const [, , group, ...member] = words(of(2), false);
    expect(group).toBe(1);
    expect(words(of(2), true)).toEqual(member);
    expect(words(of(3), false)[2]).toBe(1);
    expect(words({ ...of(3), port: 81 }, false)[2]).toBe(2);
    expect(words(of(1), false)).toEqual(words(of(1), true));
  });
});

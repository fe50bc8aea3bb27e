import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ip6, parseIp6 } from "../../src/net/ip.js";
import { tcp } from "../../src/packet/build.js";
import { BareImage } from "../bare-image.js";
import { BareNode } from "../bare-node.js";
import { textOfDestination, textOfSource } from "../frame-tuple.js";
import type { Connection6, Tuple6 } from "../oracle/flow6.js";
import { addressWord, collidingAddress, type HashKey } from "../oracle/hash.js";
import { Tally } from "../tally.js";
import { Both6, find6, open6, reverse, turn } from "./flow6-table.js";

const [CLIENT, SERVER] = ["2001:db8:1::7", "fd00:10:96::a"].map((text) => parseIp6(text) as Ip6) as [
  Ip6,
  Ip6,
];
const PORTS = [(40_000 << 16) | 80, (40_001 << 16) | 80, (9 << 16) | 9].map((ports) => ports >>> 0);
const LATER = 1000;

/** Two addresses, and of each two others that have the same hash. */
function addressesOf(key: HashKey): readonly Ip6[] {
  return [CLIENT, SERVER].flatMap((address) => [
    address,
    collidingAddress(address, 1, key),
    collidingAddress(address, 2, key),
  ]);
}

const pick = fc.nat(5);
const step = fc.record({
  kind: fc.constantFrom("open", "open", "open", "open", "close", "expire"),
  src: pick,
  dst: pick,
  ports: fc.constantFrom(0, 0, 1, 2),
  protocol: fc.constantFrom(6, 6, 6, 17),
  /** Replies come from the destination, or from where it was translated to. */
  real: fc.option(pick),
  life: fc.constantFrom(1, 20, 200),
  later: fc.constantFrom(0, 1, 5, 20),
});

function connectionOf(original: Tuple6, real: Ip6 | undefined, expires: number): Connection6 {
  const reply = reverse(original);
  return { original, reply: real === undefined ? reply : { ...reply, src: real }, expires };
}

describe("IPv6 connections", () => {
  it("are those that a list keeps, though hashes collide: both directions, translation, time, a full table", async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 40, maxLength: 100 }),
      fc.integer({ min: 2, max: 30 }),
      async (steps, records) => {
        const image = await BareImage.make({ connections: records, capacity: 1 << 17 });
        const addresses = addressesOf(image.flowKey);
        const at = (index: number) => addresses[index] as Ip6;
        const all = [6, 17].flatMap((protocol) =>
          [...PORTS, ...PORTS.map(turn)].flatMap((ports) =>
            addresses.flatMap((src) => addresses.map((dst) => ({ src, dst, ports, protocol }))),
          ),
        );
        const both = new Both6(image, records, all, tally);
        let now = 0;
        for (const { kind, src, dst, ports, protocol, real, life, later } of steps) {
          now += later;
          both.expire(now);
          const original = { src: at(src), dst: at(dst), ports: PORTS[ports] as number, protocol };
          const translated = real === null ? undefined : at(real);
          if (kind === "open") both.open(connectionOf(original, translated, now + life), now);
          else if (kind === "close") both.close(src);
          both.check();
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
    tally.expectEach(["opened", "full", "taken", "closed", "expired", "found"], 5);
  });

  it("have hashes that this test can make collide", async () => {
    const { flowKey } = await BareImage.make();
    const addresses = addressesOf(flowKey);
    expect(new Set(addresses).size).toBe(6);
    expect(new Set(addresses.map((address) => addressWord(address, flowKey))).size).toBe(2);
  });

  it("are never an IPv4 packet's whose words in a bucket are theirs", async () => {
    const node = (await BareNode.make({ connections: 8 })).route("0.0.0.0/0", { kind: "direct", out: 2 });
    const { image } = node;
    // Addresses that stand in a bucket as an IPv4 unicast address would.
    const like = (address: Ip6) => {
      for (let one = address; ; one++) if (addressWord(one, image.flowKey) >>> 28 === 1) return one;
    };
    const original = { src: like(CLIENT), dst: like(SERVER), ports: PORTS[0] as number, protocol: 6 };
    const number = open6(image, connectionOf(original, undefined, LATER), 0);
    const tuple = {
      src: addressWord(original.src, image.flowKey),
      dst: addressWord(original.dst, image.flowKey),
      srcPort: original.ports >>> 16,
      dstPort: original.ports & 0xffff,
      protocol: 6,
    };
    const frame = tcp(textOfSource(tuple), textOfDestination(tuple), { flags: "S" });
    const { connection } = node.one(frame, 1, 0);
    expect([number > 0, connection > 0, connection === number]).toEqual([true, true, false]);
    expect(find6(image, [original, reverse(original)])).toEqual([number * 2, number * 2 + 1]);
    expect(node.one(frame, 1, 1).connection).toBe(connection);
    image.machine.flowClose(image.state, number);
    expect(find6(image, [original, reverse(original)])).toEqual([0, 0]);
    expect(node.one(frame, 1, 1).connection).toBe(connection);
  });

  it("count what passed a bucket down again", async () => {
    const image = await BareImage.make({ connections: 16 });
    const buckets = () => Buffer.from(image.memory.octets(image.state + 128, 16 * 64).slice());
    // All the same hashes, so all belong into two buckets.
    const addresses = Array.from({ length: 5 }, (_, index) =>
      collidingAddress(CLIENT, index + 1, image.flowKey),
    );
    const openAndClose = () => {
      const numbers = addresses.map((src) =>
        open6(image, connectionOf({ src, dst: SERVER, ports: 1, protocol: 17 }, undefined, LATER), 0),
      );
      const full = buckets();
      for (const number of numbers) image.machine.flowClose(image.state, number);
      expect(Math.min(...numbers)).toBeGreaterThan(0);
      return { full, empty: buckets() };
    };
    const first = openAndClose();
    const second = openAndClose();
    expect(second.empty.equals(first.empty)).toBe(true);
    expect(first.empty.equals(first.full)).toBe(false);
  });

  it("make room by themselves when they have expired", async () => {
    const image = await BareImage.make({ connections: 3 });
    const tuple = (srcPort: number) => ({
      src: CLIENT,
      dst: SERVER,
      ports: ((srcPort << 16) | 80) >>> 0,
      protocol: 6,
    });
    const first = connectionOf(tuple(1), undefined, LATER);
    const number = open6(image, first, 0);
    expect(number).toBeGreaterThan(0);
    expect(open6(image, connectionOf(tuple(2), undefined, LATER), LATER - 1)).toBe(0);
    expect(find6(image, [first.original, first.reply])).toEqual([number * 2, number * 2 + 1]);
    expect(open6(image, { ...first, expires: 3 * LATER }, LATER)).toBeGreaterThan(0);
    expect(open6(image, connectionOf(tuple(2), undefined, LATER), 3 * LATER)).toBeGreaterThan(0);
    expect(find6(image, [first.original])).toEqual([0]);
  });

  it("are not swept for what their addresses look like", async () => {
    const image = await BareImage.make({ connections: 4 });
    // A record whose addresses were taken for state and time would have expired.
    const [dst, real] = [parseIp6("2001:db8::2:0:5") as Ip6, parseIp6("::1:0:0:6") as Ip6];
    const connection = connectionOf({ src: CLIENT, dst, ports: 1, protocol: 6 }, real, LATER);
    const number = open6(image, connection, 0);
    expect(image.machine.flowsExpire(image.state, LATER - 1, 10)).toBe(0);
    expect(find6(image, [connection.original, connection.reply])).toEqual([number * 2, number * 2 + 1]);
    expect(image.machine.flowsExpire(image.state, LATER, 10)).toBe(1);
    expect(image.machine.flowsCount(image.state)).toBe(0);
  });

  it("refuse what is no tuple of an IPv6 connection", async () => {
    const image = await BareImage.make({ connections: 4 });
    const tuple = { src: CLIENT, dst: SERVER, ports: 1, protocol: 6 };
    const open = (protocol: number, other: number) =>
      open6(
        image,
        { original: { ...tuple, protocol }, reply: { ...reverse(tuple), protocol: other }, expires: 1 },
        0,
      );
    expect([open(256, 256), open(6, 17), open(6, 6) > 0]).toEqual([0, 0, true]);
    // Numbers that no connection has close nothing.
    for (const number of [0, 2, 3, 5, 0xffffffff]) image.machine.flowClose(image.state, number);
    expect(image.machine.flowsCount(image.state)).toBe(1);
  });
});

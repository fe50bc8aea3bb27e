import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUS_BAD_ENTRY } from "../../assembly/abi/image.js";
import { SCHEDULER_MAGLEV, SCHEDULER_MH } from "../../assembly/abi/server.js";
import { printIp } from "../../src/net/ip.js";
import { frame, icmpEcho, tcp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { BareNode, ip4 } from "../bare-node.js";
import { KernelServer } from "../oracle/schedulers.js";

const VIP = "10.96.0.10";
const SIZE = 509;

function listOf(weights: readonly number[]): KernelServer {
  const list = new KernelServer({ name: "maglev", size: SIZE });
  for (const [index, weight] of weights.entries()) list.add(ip4("10.244.1.2") + index, 8080 + index, weight);
  return list;
}

async function nodeOf(list: KernelServer): Promise<BareNode> {
  const rows = list.oldestFirst.map(
    ({ address, port, weight, lastWeight }) => [printIp(address), port, weight, lastWeight] as const,
  );
  return (await BareNode.make()).service(0, [VIP, 6, 80], rows, { scheduler: SCHEDULER_MAGLEV, size: SIZE });
}

interface Segment {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly isUdp: boolean;
  readonly payload: number;
  /** Octets of IPv4 options. */
  readonly options: number;
  readonly unsummed: boolean;
}

const address = fc.integer({ min: 0x01000000, max: 0x7effffff });
const port = fc.integer({ min: 1, max: 65535 });
const segment: fc.Arbitrary<Segment> = fc.record({
  src: address,
  dst: address,
  srcPort: port,
  dstPort: port,
  isUdp: fc.boolean(),
  payload: fc.nat(300),
  options: fc.constantFrom(0, 0, 0, 4, 40),
  unsummed: fc.boolean(),
});

function build({ src, dst, srcPort, dstPort, isUdp, payload, options, unsummed }: Segment): Uint8Array {
  const outer = frame()
    .eth({ padTo: 60 })
    .ip4({ src, dst, ttl: 1, options: new Uint8Array(options).fill(1) });
  const checksum = unsummed ? { checksum: 0 } : {};
  const layered = isUdp ? outer.udp({ srcPort, dstPort, ...checksum }) : outer.tcp({ srcPort, dstPort });
  return layered.payload(payload).bytes();
}

describe("balance", () => {
  it("gives every segment the destination that its 5-tuple chooses, and nothing else", async () => {
    const list = listOf([1, 2, 3, 0, 4]);
    const node = await nodeOf(list);
    const property = fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
      const results = node.balance(segments.map(build));
      for (const [index, one] of segments.entries()) {
        const protocol = one.isUdp ? 17 : 6;
        const ports = ((one.srcPort << 16) | one.dstPort) >>> 0;
        const real = list.pick({ src: one.src, dst: one.dst, ports, protocol });
        const { address: dst = 0, port: dstPort = 0 } = real ?? {};
        const result = results[index];
        expect(result?.verdict).toBe("FORWARD");
        expect(Buffer.from(result?.frame ?? []).equals(build({ ...one, dst, dstPort }))).toBe(true);
        expect(verifyChecksums(result?.frame ?? new Uint8Array()).l4).not.toBe("bad");
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("never sends a UDP checksum of 0", async () => {
    const node = await nodeOf(listOf([1]));
    const base: Segment = {
      src: ip4("10.0.0.1"),
      dst: ip4(VIP),
      srcPort: 1,
      dstPort: 80,
      isUdp: true,
      payload: 2,
      options: 0,
      unsummed: false,
    };
    const checksumOf = (octets: Uint8Array) => new DataView(octets.buffer, octets.byteOffset).getUint16(40);
    // Source ports that differ by one change the checksum by one: among all of them it comes to 0.
    const sums = new Set<number>();
    for (let first = 0; first < 65536; first += 4096) {
      const frames = Array.from({ length: 4096 }, (_, index) => build({ ...base, srcPort: first + index }));
      for (const { frame: left } of node.balance(frames)) sums.add(checksumOf(left));
    }
    expect(sums.has(0)).toBe(false);
    expect(sums.has(0xffff)).toBe(true);
  });

  it("refuses what no server takes, and leaves the rest to others with a reason", async () => {
    const quiet = listOf([5]);
    const real = quiet.oldestFirst[0];
    if (real !== undefined) quiet.setWeight(real, 0);
    const sent = tcp("10.0.0.1:1", `${VIP}:80`);
    const [refused] = (await nodeOf(quiet)).balance([sent]);
    expect(refused).toMatchObject({ verdict: "REJECT", reason: "NO_DESTINATION", frame: sent });
    const node = await nodeOf(listOf([1]));
    const cut = sent.slice(0, 50);
    const broken = sent.slice();
    broken[24] = (broken[24] ?? 0) ^ 1;
    const fragment = frame()
      .eth()
      .ip4({ src: "10.0.0.1", dst: VIP, mf: true, df: false })
      .udp({ srcPort: 1, dstPort: 2 })
      .bytes();
    const sentAll = [
      icmpEcho("10.0.0.1", VIP),
      cut,
      broken,
      fragment,
      tcp("127.0.0.1:1", `${VIP}:80`),
      tcp("10.0.0.1:1", "224.0.0.1:80"),
      frame().eth({ type: 0x88cc }).payload(60).bytes(),
    ];
    const results = node.balance(sentAll);
    expect(results.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
      "PUNT PROTOCOL",
      "DROP TRUNCATED",
      "DROP BAD_CHECKSUM",
      "PUNT FRAGMENT",
      "DROP MARTIAN",
      "PUNT MULTICAST",
      "PUNT NOT_IP",
    ]);
    expect(results.map((result) => result.frame)).toEqual(sentAll);
  });

  it("takes the slots of a virtual server with that scheduler alone", async () => {
    const node = await nodeOf(listOf([1]));
    node.service(1, [VIP, 17, 80], [["10.244.1.2", 80, 1]], { scheduler: SCHEDULER_MH });
    const { machine, address: image, state } = node.image;
    const batch = node.batch(1);
    for (const number of [1, 2, 1 << 20])
      expect(machine.balance(image, state, number, batch.address, 1)).toBe(STATUS_BAD_ENTRY);
  });

  it("judges any octets as it must: no trap, and no frame touched that is not forwarded", async () => {
    const node = await nodeOf(listOf([1, 1]));
    const good = build({
      src: ip4("10.0.0.1"),
      dst: ip4(VIP),
      srcPort: 5,
      dstPort: 80,
      isUdp: false,
      payload: 20,
      options: 0,
      unsummed: false,
    });
    const changed = fc
      .tuple(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 3 }),
        fc.oneof(fc.constant(good.length), fc.nat(good.length)),
      )
      .map(([changes, length]) => {
        const octets = good.slice();
        for (const [at, value] of changes) octets[at] = value;
        return octets.slice(0, length);
      });
    let forwarded = 0;
    const property = fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 120 })), (octets) => {
      const [result] = node.balance([octets]);
      if (result?.verdict === "FORWARD") forwarded++;
      else expect(result?.frame).toEqual(octets);
      expect(result?.verdict).not.toBe("NONE");
    });
    fc.assert(property, { numRuns: 2000 });
    expect(forwarded).toBeGreaterThan(5);
  });
});

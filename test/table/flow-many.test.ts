import { describe, expect, it } from "vitest";
import { Random } from "../../bench/baseline/random.js";
import { BenchImage } from "../../bench/native/kernel.js";
import { PacketRing } from "../../bench/native/packet-ring.js";
import { drawTuples, TUPLE_WORDS } from "../../bench/native/tuples.js";
import { SEGMENT_LEN, writeSegment } from "../../src/packet/segment.js";

/** The most that a table can number takes a gigabyte and some time: on request. */
const MOST = 4_194_303;
const TABLES = [40_000, ...(process.env.PACKETYARD_SLOW === undefined ? [] : [MOST])];
/** nf_conntrack's time for a TCP connection that was never answered. */
const LIFE = 120_000;

/** A table with room for connections no more than are drawn, and the packets that open them. */
async function makeTable(connections: number) {
  const image = await BenchImage.make(2 ** 24, connections);
  const ring = new PacketRing(image, SEGMENT_LEN + 128);
  ring.routeEverything();
  const tuples = drawTuples(new Random(7), connections + 1);
  const write = (index: number, into: Uint8Array) => {
    const [src, dst, ports] = tuples.subarray(index * 2 * TUPLE_WORDS) as unknown as [number, number, number];
    const [srcPort, dstPort] = [ports >>> 16, ports & 0xffff];
    writeSegment(into, { protocol: "TCP", src, srcPort, dst, dstPort }, "opening");
  };
  return { image, ring, tuples: tuples.subarray(0, connections * 2 * TUPLE_WORDS), write };
}

/** How many of the tuples (both directions of connection after connection) are not found where they belong. */
function countWrong({ machine, memory, state }: BenchImage, tuples: Uint32Array, isThere: boolean): number {
  const count = tuples.length / TUPLE_WORDS;
  return memory.borrow(tuples.byteLength + count * 4, (at) => {
    memory.words(at, tuples.length).set(tuples);
    machine.flowFindMany(state, at, count, at + tuples.byteLength);
    // Records are numbered from 1 in the order of their first packets.
    return memory
      .words(at + tuples.byteLength, count)
      .reduce((wrong, flow, index) => wrong + Number(flow !== (isThere ? index + 2 : 0)), 0);
  });
}

describe.each(TABLES)("a table full of %d connections", (connections) => {
  it("finds all from both sides, evicts some that nobody answered for the next, and is empty when all have expired", async () => {
    const { image, ring, tuples, write } = await makeTable(connections);
    const { machine, state } = image;
    ring.open(connections, write);
    expect(machine.flowsCount(state)).toBe(connections);
    expect(countWrong(image, tuples, true)).toBe(0);
    expect(
      countWrong(
        image,
        tuples.map((word, at) => (at % 4 === 2 ? word ^ 0x80008000 : word)),
        false,
      ),
    ).toBe(0);
    const next = (_: number, into: Uint8Array) => write(connections, into);
    ring.open(1, next);
    const live = machine.flowsCount(state);
    const evicted = connections + 1 - live;
    // As many as one bucket held (early_drop_list).
    expect([evicted > 0, evicted < 8]).toEqual([true, true]);
    expect(countWrong(image, tuples, true)).toBe(2 * evicted);
    expect(machine.flowsExpire(state, LIFE - 1, connections)).toBe(0);
    expect(machine.flowsExpire(state, LIFE, connections)).toBe(live);
    expect(machine.flowsCount(state)).toBe(0);
    expect(countWrong(image, tuples, false)).toBe(0);
    ring.open(1, next);
  }, 300_000);
});

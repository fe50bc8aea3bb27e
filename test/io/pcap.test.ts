import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import {
  type CapturedPacket,
  linkTypeName,
  parsePcap,
  writePcap,
  writePcapHeader,
  writePcapPacket,
} from "../../src/io/pcap.js";
import { concat } from "../../src/packet/octets.js";
import { block, enhanced, interfaceBlock, section, simple } from "./pcapng-blocks.js";

const text = (octets: string): Uint8Array =>
  Uint8Array.from(Buffer.from(octets.replaceAll(/\s/g, ""), "hex"));

/** What `parsePcap` says of octets it refuses; the error must name the file. */
function refusal(octets: Uint8Array): string {
  try {
    parsePcap(octets, "in.pcap");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.diagnostics[0]?.place).toEqual({ file: "in.pcap" });
    return error.message;
  }
  return "not refused";
}

/** A classic capture of one packet `aabb`, 5 octets on the wire, at 1 s and 2 units, in the given byte order. */
function classic(littleEndian: boolean, magic: number, linkType = 1): Uint8Array {
  const words = [magic, 0x00020004, 0, 0, 65535, linkType, 1, 2, 2, 5];
  const view = new DataView(new ArrayBuffer(42));
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint16(40, 0xaabb);
  return new Uint8Array(view.buffer);
}

const MICRO = 0xa1b2c3d4;
const NANO = 0xa1b23c4d;

describe("parsePcap of classic captures", () => {
  it.each([
    ["little-endian microseconds", true, MICRO, 1_000_002_000n],
    ["big-endian microseconds", false, MICRO, 1_000_002_000n],
    ["little-endian nanoseconds", true, NANO, 1_000_000_002n],
    ["big-endian nanoseconds", false, NANO, 1_000_000_002n],
  ])("reads %s", (_, littleEndian, magic, timestampNs) => {
    const packet = { timestampNs, bytes: text("aabb"), originalLength: 5 };
    const nanosecond = magic === NANO;
    const expected = { linkType: 1, nanosecond, snapLength: 65535, packets: [packet] };
    expect(parsePcap(classic(littleEndian, magic), "in.pcap")).toEqual(expected);
  });

  it("gives views of the octets it was given, wherever they lie in their buffer", () => {
    const buffer = concat(new Uint8Array(3), classic(true, MICRO));
    const packet = parsePcap(buffer.subarray(3), "in.pcap").packets[0];
    expect(packet?.bytes.buffer).toBe(buffer.buffer);
    expect(packet?.bytes).toEqual(text("aabb"));
  });

  it("reads the link type without what the word tells of frame check sequences", () => {
    expect(parsePcap(classic(true, MICRO, 0x24000114), "in.pcap").linkType).toBe(276);
  });

  it("refuses what is no capture, in a sentence", () => {
    expect(refusal(new Uint8Array(0))).toBe("in.pcap: is empty: a capture has at least a file header.");
    expect(refusal(text("7f454c46 00000000"))).toContain("is not a capture");
    expect(refusal(text("d4c3"))).toContain("is not a capture");
    expect(refusal(text("1f8b0800"))).toBe(
      "in.pcap: is compressed by gzip: decompress it first, as with gunzip.",
    );
    const old = classic(true, MICRO);
    old[6] = 2;
    expect(refusal(old)).toContain("is pcap version 2.2; only 2.4 is read");
  });

  it("names packet and byte where the file is cut", () => {
    const file = concat(classic(true, MICRO), classic(true, MICRO).subarray(24));
    expect(refusal(file.subarray(0, 20))).toBe(
      "in.pcap: is cut in its file header: 20 of 24 octets are there.",
    );
    expect(refusal(file.subarray(0, 50))).toBe("in.pcap: packet 2 at byte 42 is cut in its header.");
    expect(refusal(file.subarray(0, 59))).toBe(
      "in.pcap: packet 2 at byte 42 is cut: it should hold 2 octets, the file has 1 more.",
    );
  });

  it("takes no length from the file on trust", () => {
    const file = classic(true, MICRO);
    file.fill(0xff, 32, 36);
    expect(refusal(file)).toContain("should hold 4294967295 octets, the file has 2 more");
  });
});

describe.each([true, false])("parsePcap of pcapng, little-endian: %s", (littleEndian) => {
  const ng = (...blocks: Uint8Array[]): Uint8Array => concat(section(littleEndian), ...blocks);
  const eth = interfaceBlock(littleEndian, 1, 100);

  it("reads enhanced packets, and skips blocks that hold none", () => {
    const unknown = block(littleEndian, 0x0bad, new Uint8Array(8));
    const octets = ng(unknown, eth, unknown, enhanced(littleEndian, 0, 1_000_002n, text("aabb"), 5), unknown);
    const packet = { timestampNs: 1_000_002_000n, bytes: text("aabb"), originalLength: 5 };
    expect(parsePcap(octets, "in.pcapng")).toEqual({
      linkType: 1,
      nanosecond: false,
      snapLength: 100,
      packets: [packet],
    });
  });

  it("reads the time resolution and offset of an interface", () => {
    const nano = interfaceBlock(littleEndian, 1, 0, [
      [2, text("6c6f")],
      [9, text("09")],
    ]);
    const binary = interfaceBlock(littleEndian, 1, 0, [[9, text("8a")]]);
    const offset = new Uint8Array(8);
    new DataView(offset.buffer).setBigInt64(0, -3n, littleEndian);
    const shifted = interfaceBlock(littleEndian, 1, 0, [
      [14, offset],
      [0, text("")],
      [9, text("00")],
    ]);
    const packet = (index: number, ticks: bigint) => enhanced(littleEndian, index, ticks, text("aa"), 1);
    const capture = parsePcap(
      ng(nano, binary, shifted, packet(0, 7n), packet(1, 512n), packet(2, 4_000_000n)),
      "f",
    );
    expect(capture.packets.map(({ timestampNs }) => timestampNs)).toEqual([7n, 500_000_000n, 1_000_000_000n]);
    expect(capture.nanosecond).toBe(true);
  });

  it("reads simple packets up to the snap length", () => {
    const short = interfaceBlock(littleEndian, 1, 3);
    const capture = parsePcap(
      ng(short, simple(littleEndian, text("aabb"), 2), simple(littleEndian, text("010203"), 9)),
      "f",
    );
    expect(capture.packets).toEqual([
      { timestampNs: 0n, bytes: text("aabb"), originalLength: 2 },
      { timestampNs: 0n, bytes: text("010203"), originalLength: 9 },
    ]);
  });

  it("reads packets as older programs wrote them, with a count of drops beside the interface", () => {
    const octets = enhanced(littleEndian, 0, 3n, text("aa"), 1);
    const view = new DataView(octets.buffer);
    view.setUint32(0, 2, littleEndian);
    view.setUint16(8, 0, littleEndian);
    view.setUint16(10, 7, littleEndian);
    const packet = { timestampNs: 3000n, bytes: text("aa"), originalLength: 1 };
    expect(parsePcap(ng(eth, octets), "f").packets).toEqual([packet]);
  });

  it("reads sections of either byte order, each with its own interfaces", () => {
    const first = ng(eth, enhanced(littleEndian, 0, 1n, text("01"), 1));
    const other = [interfaceBlock(!littleEndian, 1, 0), enhanced(!littleEndian, 0, 2n, text("02"), 1)];
    const capture = parsePcap(concat(first, section(!littleEndian), ...other), "f");
    expect(capture.packets.map(({ timestampNs }) => timestampNs)).toEqual([1000n, 2000n]);
    const forgotten = concat(first, section(littleEndian), enhanced(littleEndian, 0, 2n, text("02"), 1));
    expect(refusal(forgotten)).toContain(
      "packet 2 at byte 112 is of interface 0, which the file does not describe",
    );
  });

  it("takes its link type from the interface that has packets, and refuses two", () => {
    const sll2 = interfaceBlock(littleEndian, 276, 0);
    const packet = (index: number) => enhanced(littleEndian, index, 0n, text("aa"), 1);
    expect(parsePcap(ng(eth, sll2, packet(1)), "f").linkType).toBe(276);
    expect(parsePcap(ng(sll2), "f").linkType).toBe(276);
    expect(parsePcap(ng(), "f").linkType).toBe(1);
    expect(refusal(ng(eth, sll2, packet(0), packet(1)))).toBe(
      "in.pcap: packet 2 at byte 104 is LINUX_SLL2 (276), those before it ETHERNET (1): " +
        "write one capture for each link type.",
    );
  });

  it("refuses damaged blocks where they are", () => {
    const packet = enhanced(littleEndian, 0, 0n, text("aabbcc"), 3);
    const damaged = (change: (view: DataView) => void, at: number) => {
      const octets = ng(eth, packet);
      change(new DataView(octets.buffer, at));
      return refusal(octets);
    };
    expect(damaged((view) => view.setUint32(4, 13, littleEndian), 48)).toContain(
      "the block at byte 48 cannot be 13 octets long",
    );
    expect(damaged((view) => view.setUint32(4, 8, littleEndian), 0)).toContain(
      "at byte 0 cannot be 8 octets long",
    );
    expect(damaged((view) => view.setUint32(4, 0, littleEndian), 0)).toContain(
      "at byte 0 cannot be 0 octets long",
    );
    expect(damaged((view) => view.setUint32(32, 0, littleEndian), 48)).toContain(
      "the block at byte 48 states two lengths",
    );
    expect(damaged((view) => view.setUint32(8, 0), 0)).toContain(
      "the section header at byte 0 states no byte order",
    );
    expect(damaged((view) => view.setUint32(20, 99, littleEndian), 48)).toContain(
      "packet 1 at byte 48 is cut: it should hold 99 octets, its block has 4",
    );
    expect(refusal(ng(eth, block(littleEndian, 6, new Uint8Array(8))))).toContain(
      "is too short for its type 6",
    );
    expect(refusal(ng(eth, packet.subarray(0, 20)))).toBe(
      "in.pcap: packet 1: the block at byte 48 is cut: it should be 36 octets, the file has 20 more.",
    );
  });
});

const packets = fc.array(
  fc.record({
    timestampNs: fc.bigInt({ min: 0n, max: 2n ** 32n * 1_000_000_000n - 1n }),
    bytes: fc.uint8Array({ maxLength: 40 }),
    extra: fc.nat({ max: 2000 }),
  }),
  { maxLength: 6 },
);
const captures = fc
  .record({
    packets,
    linkType: fc.nat({ max: 0xffff }),
    nanosecond: fc.boolean(),
    snapLength: fc.oneof(fc.constant(0), fc.integer({ min: 40, max: 0xffffffff })),
  })
  .map(({ packets: list, ...format }) => ({
    ...format,
    packets: list.map(({ timestampNs, bytes, extra }): CapturedPacket => {
      const kept = format.nanosecond ? timestampNs : timestampNs - (timestampNs % 1000n);
      return { timestampNs: kept, bytes, originalLength: bytes.length + extra };
    }),
  }));

describe("writePcap", () => {
  it("writes what parsePcap reads", () => {
    fc.assert(
      fc.property(captures, (capture) => {
        expect(parsePcap(writePcap(capture), "f")).toEqual(capture);
      }),
    );
  });

  it("writes the same piece by piece", () => {
    fc.assert(
      fc.property(captures, (capture) => {
        const records = capture.packets.map((packet) => writePcapPacket(packet, capture));
        expect(concat(writePcapHeader(capture), ...records)).toEqual(writePcap(capture));
      }),
    );
  });

  it("writes Ethernet with microseconds unless told otherwise", () => {
    const capture = parsePcap(writePcap({ packets: [{ timestampNs: 1_999n, bytes: text("aabb") }] }), "f");
    expect(capture).toMatchObject({ linkType: 1, nanosecond: false });
    expect(capture.packets).toEqual([{ timestampNs: 1000n, bytes: text("aabb"), originalLength: 2 }]);
  });

  it("states a snap length that holds every packet, since readers cut what is longer", () => {
    const packets = [100, 150].map((length) => ({ timestampNs: 0n, bytes: new Uint8Array(length) }));
    expect(parsePcap(writePcap({ packets, snapLength: 96 }), "f").snapLength).toBe(150);
    expect(parsePcap(writePcap({ packets, snapLength: 0 }), "f").snapLength).toBe(0);
  });

  it.each([-1n, 2n ** 32n * 1_000_000_000n])("refuses the time %i ns", (timestampNs) => {
    expect(() => writePcap({ packets: [{ timestampNs, bytes: text("aa") }] })).toThrow(InputError);
  });
});

describe("a capture that is cut or changed", () => {
  const big = (() => {
    const order = false;
    const packet = (octets: string) => enhanced(order, 0, 5n, text(octets), 9);
    return concat(
      section(order),
      interfaceBlock(order, 1, 0, [[9, text("09")]]),
      packet("aabb"),
      simple(order, text("cc"), 1),
      section(true),
      interfaceBlock(true, 1, 0),
      enhanced(true, 0, 1n, text("dd"), 1),
    );
  })();
  const small = writePcap({
    packets: ["aabb", "", "ccddee"].map((octets, at) => ({ timestampNs: BigInt(at), bytes: text(octets) })),
    nanosecond: true,
  });

  it.each([
    ["pcap", small],
    ["pcapng", big],
  ])("is refused or gives its first packets, at every length: %s", (_, octets) => {
    const whole = parsePcap(octets, "in.pcap").packets;
    let prefixes = 0;
    for (let length = 0; length < octets.length; length++) {
      const cut = octets.subarray(0, length);
      if (refusal(cut) !== "not refused") continue;
      const read = parsePcap(cut, "in.pcap").packets;
      expect(read).toEqual(whole.slice(0, read.length));
      prefixes++;
    }
    // One for each place where a packet, block or header ends.
    expect(prefixes).toBe(octets === small ? 3 : 6);
  });

  it("is refused by an InputError or read, whatever octets it has", () => {
    const changed = fc
      .tuple(
        fc.constantFrom(small, big),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      )
      .map(([octets, changes]) => {
        const copy = Uint8Array.from(octets);
        for (const [at, octet] of changes) copy[at % copy.length] = octet;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 80 })), (octets) => {
        if (refusal(octets) !== "not refused") return;
        const total = parsePcap(octets, "f").packets.reduce((sum, packet) => sum + packet.bytes.length, 0);
        expect(total).toBeLessThanOrEqual(octets.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("linkTypeName", () => {
  it("names a link type with its number", () => {
    expect([1, 101, 113, 276, 999].map(linkTypeName)).toEqual([
      "ETHERNET (1)",
      "RAW (101)",
      "LINUX_SLL (113)",
      "LINUX_SLL2 (276)",
      "link type 999",
    ]);
  });
});

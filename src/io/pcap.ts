import { InputError } from "../diagnostics.js";
import { type Capture, type CapturedPacket, captureError, Octets } from "./capture.js";
import { LINK_TYPE_ETHERNET } from "./linktype.js";
import { isPcapng, parsePcapng } from "./pcapng.js";

export type { Capture, CapturedPacket } from "./capture.js";
export { LINK_TYPE_ETHERNET, linkTypeName } from "./linktype.js";

const MAGIC_MICROSECOND = 0xa1b2c3d4;
const MAGIC_NANOSECOND = 0xa1b23c4d;
const FILE_HEADER_LEN = 24;
const PACKET_HEADER_LEN = 16;
const NS_PER_SECOND = 1_000_000_000n;
/** What tcpdump and Wireshark state when nothing limits them. */
const DEFAULT_SNAP_LENGTH = 262144;

/** Beginnings of files that are mistaken for captures, and what to do with them. */
const MISTAKEN: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], "is compressed by gzip: decompress it first, as with gunzip."],
  [[0x28, 0xb5, 0x2f, 0xfd], "is compressed by zstd: decompress it first, as with unzstd."],
  [[0x50, 0x4b, 0x03, 0x04], "is a zip archive: unpack it first, as with unzip."],
];

/** The magic number's four forms: byte order and time stamp unit. */
function readMagic(bytes: Uint8Array): { littleEndian: boolean; nanosecond: boolean } | undefined {
  if (bytes.length < 4) return undefined;
  for (const littleEndian of [true, false]) {
    const magic = new Octets(bytes, littleEndian).u32(0);
    if (magic === MAGIC_MICROSECOND || magic === MAGIC_NANOSECOND) {
      return { littleEndian, nanosecond: magic === MAGIC_NANOSECOND };
    }
  }
  return undefined;
}

function refuseForeign(bytes: Uint8Array, file: string): InputError {
  if (bytes.length === 0) return captureError(file, "is empty: a capture has at least a file header.");
  const mistaken = MISTAKEN.find(([start]) => start.every((octet, at) => bytes[at] === octet));
  return captureError(file, mistaken?.[1] ?? "is not a capture: it begins as neither pcap nor pcapng does.");
}

function parseClassic(octets: Octets, nanosecond: boolean, file: string): Capture {
  const { bytes } = octets;
  if (bytes.length < FILE_HEADER_LEN) {
    throw captureError(
      file,
      `is cut in its file header: ${bytes.length} of ${FILE_HEADER_LEN} octets are there.`,
    );
  }
  const [major, minor] = [octets.u16(4), octets.u16(6)];
  if (major !== 2 || minor !== 4) {
    throw captureError(file, `is pcap version ${major}.${minor}; only 2.4 is read: convert it with editcap.`);
  }
  const packets = parsePackets(octets, nanosecond ? 1n : 1000n, file);
  // The upper half of the link type's word tells of frame check sequences, not of the link type.
  return { linkType: octets.u32(20) & 0xffff, nanosecond, snapLength: octets.u32(16), packets };
}

function parsePackets(octets: Octets, tickNs: bigint, file: string): CapturedPacket[] {
  const { bytes } = octets;
  const packets: CapturedPacket[] = [];
  let at = FILE_HEADER_LEN;
  while (at < bytes.length) {
    const where = `packet ${packets.length + 1} at byte ${at}`;
    if (bytes.length - at < PACKET_HEADER_LEN) throw captureError(file, `${where} is cut in its header.`);
    const [length, left] = [octets.u32(at + 8), bytes.length - at - PACKET_HEADER_LEN];
    if (length > left) {
      throw captureError(
        file,
        `${where} is cut: it should hold ${length} octets, the file has ${left} more.`,
      );
    }
    const start = at + PACKET_HEADER_LEN;
    packets.push({
      timestampNs: BigInt(octets.u32(at)) * NS_PER_SECOND + BigInt(octets.u32(at + 4)) * tickNs,
      bytes: bytes.subarray(start, start + length),
      originalLength: octets.u32(at + 12),
    });
    at = start + length;
  }
  return packets;
}

/**
 * Reads a capture: pcap in both byte orders and time units, or pcapng (every section and byte order; blocks that hold
 * no packets are skipped). `file` is named in errors. InputError for octets that are no capture, a file cut short
 * (naming packet and byte), and pcapng with packets of several link types.
 */
export function parsePcap(bytes: Uint8Array, file: string): Capture {
  if (isPcapng(bytes)) return parsePcapng(bytes, file);
  const magic = readMagic(bytes);
  if (magic === undefined) throw refuseForeign(bytes, file);
  return parseClassic(new Octets(bytes, magic.littleEndian), magic.nanosecond, file);
}

export interface PcapFormat {
  readonly linkType?: number;
  /** Nanosecond time stamps; otherwise they are cut to microseconds. */
  readonly nanosecond?: boolean;
  readonly snapLength?: number;
}

export interface PacketToWrite {
  readonly timestampNs: bigint;
  readonly bytes: Uint8Array;
  /** Octets on the wire; as many as `bytes` holds when not given. */
  readonly originalLength?: number;
}

export interface PcapToWrite extends PcapFormat {
  readonly packets: readonly PacketToWrite[];
}

/** The first octets of a pcap file, for writers that do not have all packets at once. */
export function writePcapHeader(format: PcapFormat = {}): Uint8Array {
  const header = new DataView(new ArrayBuffer(FILE_HEADER_LEN));
  header.setUint32(0, format.nanosecond ? MAGIC_NANOSECOND : MAGIC_MICROSECOND, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, format.snapLength ?? DEFAULT_SNAP_LENGTH, true);
  header.setUint32(20, format.linkType ?? LINK_TYPE_ETHERNET, true);
  return new Uint8Array(header.buffer);
}

/** One packet of a pcap file. InputError when its time is outside 1970 … 2106, which the format cannot write. */
export function writePcapPacket(packet: PacketToWrite, format: PcapFormat = {}): Uint8Array {
  const { timestampNs, bytes } = packet;
  const seconds = timestampNs / NS_PER_SECOND;
  if (timestampNs < 0n || seconds > 0xffffffffn) {
    const message = `A packet's time of ${seconds} s since 1970 does not fit a pcap file.`;
    throw new InputError([{ severity: "error", place: {}, message }]);
  }
  const record = new Uint8Array(PACKET_HEADER_LEN + bytes.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, Number(seconds), true);
  view.setUint32(4, Number((timestampNs % NS_PER_SECOND) / (format.nanosecond ? 1n : 1000n)), true);
  view.setUint32(8, bytes.length, true);
  view.setUint32(12, packet.originalLength ?? bytes.length, true);
  record.set(bytes, PACKET_HEADER_LEN);
  return record;
}

/** The stated snap length, or more where a packet grew past it: readers cut what is longer. 0 stays no limit. */
function snapLengthFor(pcap: PcapToWrite): number {
  const stated = pcap.snapLength ?? DEFAULT_SNAP_LENGTH;
  if (stated === 0) return 0;
  return pcap.packets.reduce((longest, { bytes }) => Math.max(longest, bytes.length), stated);
}

/** A whole little-endian pcap file; what `parsePcap` gave can be passed as it is. */
export function writePcap(pcap: PcapToWrite): Uint8Array {
  const size = pcap.packets.reduce(
    (sum, packet) => sum + PACKET_HEADER_LEN + packet.bytes.length,
    FILE_HEADER_LEN,
  );
  const file = new Uint8Array(size);
  file.set(writePcapHeader({ ...pcap, snapLength: snapLengthFor(pcap) }));
  let at = FILE_HEADER_LEN;
  for (const packet of pcap.packets) {
    const record = writePcapPacket(packet, pcap);
    file.set(record, at);
    at += record.length;
  }
  return file;
}

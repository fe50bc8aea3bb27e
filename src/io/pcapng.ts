import { type Capture, type CapturedPacket, captureError, Octets } from "./capture.js";
import { LINK_TYPE_ETHERNET, linkTypeName } from "./linktype.js";

/*
 * pcapng (draft-ietf-opsawg-pcapng): a row of blocks, each with its type, its length, its body and its length again.
 * A section header block states the byte order of what follows and forgets the interfaces before it.
 */

const BLOCK_SECTION = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET_OLD = 2;
const BLOCK_PACKET_SIMPLE = 3;
const BLOCK_PACKET = 6;
/** A block's type and length, and its length again at the end. */
const BLOCK_FRAME_LEN = 12;
const BLOCK_HEADER_LEN = 8;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_END = 0;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const NS_PER_SECOND = 1_000_000_000n;

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Time stamp units a second. */
  readonly resolution: bigint;
  readonly offsetSeconds: bigint;
}

interface Block {
  readonly type: number;
  /** Where the block starts in the file. */
  readonly at: number;
  readonly body: Octets;
}

/** What is known while the blocks go by. */
interface Reading {
  readonly file: string;
  littleEndian: boolean;
  interfaces: Interface[];
  /** The interface of the first packet, or else the first. */
  main: Interface | undefined;
  readonly packets: CapturedPacket[];
  nanosecond: boolean;
}

/** The section header's type reads the same in both byte orders. */
export function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new Octets(bytes, true).u32(0) === BLOCK_SECTION;
}

function nextNumber(reading: Reading): string {
  return `packet ${reading.packets.length + 1}`;
}

/** The byte order that the section header at `at` states. */
function sectionByteOrder(bytes: Uint8Array, at: number, file: string): boolean {
  if (bytes.length - at < BLOCK_FRAME_LEN)
    throw captureError(file, `is cut in the section header at byte ${at}.`);
  if (new Octets(bytes, true).u32(at + BLOCK_HEADER_LEN) === BYTE_ORDER_MAGIC) return true;
  if (new Octets(bytes, false).u32(at + BLOCK_HEADER_LEN) === BYTE_ORDER_MAGIC) return false;
  throw captureError(
    file,
    `the section header at byte ${at} states no byte order: the file is damaged there.`,
  );
}

function readBlock(bytes: Uint8Array, at: number, reading: Reading): Block {
  const { file } = reading;
  const left = bytes.length - at;
  const cut = `${nextNumber(reading)}: the block at byte ${at} is cut`;
  if (left < BLOCK_FRAME_LEN) throw captureError(file, `${cut}: ${left} octets are left of it.`);
  if (new Octets(bytes, true).u32(at) === BLOCK_SECTION) {
    reading.littleEndian = sectionByteOrder(bytes, at, file);
    reading.interfaces = [];
  }
  const octets = new Octets(bytes, reading.littleEndian);
  const length = octets.u32(at + 4);
  if (length < BLOCK_FRAME_LEN || length % 4 !== 0) {
    throw captureError(
      file,
      `the block at byte ${at} cannot be ${length} octets long: the file is damaged there.`,
    );
  }
  if (length > left)
    throw captureError(file, `${cut}: it should be ${length} octets, the file has ${left} more.`);
  if (octets.u32(at + length - 4) !== length) {
    throw captureError(file, `the block at byte ${at} states two lengths: the file is damaged there.`);
  }
  const body = new Octets(bytes.subarray(at + BLOCK_HEADER_LEN, at + length - 4), reading.littleEndian);
  return { type: octets.u32(at), at, body };
}

/** A body's octets, refused when the block is too short to hold what its type asks for. */
function need(block: Block, length: number, reading: Reading): Octets {
  if (block.body.bytes.length >= length) return block.body;
  throw captureError(reading.file, `the block at byte ${block.at} is too short for its type ${block.type}.`);
}

/** `if_tsresol`: a power of ten, or of two when the high bit is set. */
function readResolution(code: number): bigint {
  const exponent = BigInt(code & 0x7f);
  return code & 0x80 ? 2n ** exponent : 10n ** exponent;
}

function readInterface(block: Block, reading: Reading): Interface {
  const body = need(block, 8, reading);
  let [resolution, offsetSeconds] = [1_000_000n, 0n];
  let at = 8;
  while (at + 4 <= body.bytes.length) {
    const [code, length] = [body.u16(at), body.u16(at + 2)];
    if (code === OPTION_END || at + 4 + length > body.bytes.length) break;
    if (code === OPTION_TIME_RESOLUTION && length === 1) resolution = readResolution(body.bytes[at + 4] ?? 0);
    if (code === OPTION_TIME_OFFSET && length === 8) offsetSeconds = body.i64(at + 4);
    at += 4 + length + (-length & 3);
  }
  return { linkType: body.u16(0), snapLength: body.u32(4), resolution, offsetSeconds };
}

function addInterface(block: Block, reading: Reading): void {
  const added = readInterface(block, reading);
  reading.interfaces.push(added);
  reading.main ??= added;
}

function interfaceOf(block: Block, index: number, reading: Reading): Interface {
  const found = reading.interfaces[index];
  const where = `${nextNumber(reading)} at byte ${block.at}`;
  if (found === undefined) {
    throw captureError(reading.file, `${where} is of interface ${index}, which the file does not describe.`);
  }
  if (reading.packets.length === 0) reading.main = found;
  const main = reading.main ?? found;
  if (main.linkType !== found.linkType) {
    const kinds = `${linkTypeName(found.linkType)}, those before it ${linkTypeName(main.linkType)}`;
    throw captureError(reading.file, `${where} is ${kinds}: write one capture for each link type.`);
  }
  return found;
}

function addPacket(
  block: Block,
  start: number,
  packet: { index: number; length: number; originalLength: number; ticks: bigint },
  reading: Reading,
): void {
  const { resolution, offsetSeconds } = interfaceOf(block, packet.index, reading);
  const bytes = need(block, start, reading).bytes.subarray(start, start + packet.length);
  if (bytes.length < packet.length) {
    const what = `should hold ${packet.length} octets, its block has ${bytes.length}`;
    throw captureError(reading.file, `${nextNumber(reading)} at byte ${block.at} is cut: it ${what}.`);
  }
  const timestampNs = offsetSeconds * NS_PER_SECOND + (packet.ticks * NS_PER_SECOND) / resolution;
  reading.nanosecond ||= resolution > 1_000_000n;
  reading.packets.push({ timestampNs, bytes, originalLength: packet.originalLength });
}

function addEnhanced(block: Block, reading: Reading): void {
  const body = need(block, 20, reading);
  const ticks = (BigInt(body.u32(4)) << 32n) | BigInt(body.u32(8));
  // The older block has a count of drops in the upper half of the interface's word.
  const index = block.type === BLOCK_PACKET_OLD ? body.u16(0) : body.u32(0);
  addPacket(block, 20, { index, ticks, length: body.u32(12), originalLength: body.u32(16) }, reading);
}

/** A simple packet is of the first interface and has no time; its length is what the snap length leaves. */
function addSimple(block: Block, reading: Reading): void {
  const originalLength = need(block, 4, reading).u32(0);
  const snapLength = reading.interfaces[0]?.snapLength ?? 0;
  const length = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength);
  addPacket(block, 4, { index: 0, ticks: 0n, length, originalLength }, reading);
}

function addBlock(block: Block, reading: Reading): void {
  if (block.type === BLOCK_INTERFACE) addInterface(block, reading);
  else if (block.type === BLOCK_PACKET || block.type === BLOCK_PACKET_OLD) addEnhanced(block, reading);
  else if (block.type === BLOCK_PACKET_SIMPLE) addSimple(block, reading);
}

/** Reads a pcapng file; see parsePcap. */
export function parsePcapng(bytes: Uint8Array, file: string): Capture {
  const reading: Reading = {
    file,
    littleEndian: true,
    interfaces: [],
    main: undefined,
    packets: [],
    nanosecond: false,
  };
  for (let at = 0; at < bytes.length; ) {
    const block = readBlock(bytes, at, reading);
    addBlock(block, reading);
    at += block.body.bytes.length + BLOCK_FRAME_LEN;
  }
  const { main, nanosecond, packets } = reading;
  const [linkType, snapLength] = [main?.linkType ?? LINK_TYPE_ETHERNET, main?.snapLength ?? 0];
  return { linkType, nanosecond, snapLength, packets };
}

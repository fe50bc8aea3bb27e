import * as wire from "../../../assembly/abi/wire.js";
import { internetChecksum } from "../../../src/packet/checksum.js";
import { concat, read16, read32 } from "../../../src/packet/octets.js";
import { type Entering, type Leaving, NODE_WAY, outerLength, packetOf } from "./conversation.js";

/** A fragment of a packet, as far as putting it together asks. */
interface Piece {
  readonly leaving: Leaving;
  /** The header that all have in common, and what stands behind it. */
  readonly head: Uint8Array;
  readonly data: Uint8Array;
  readonly offset: number;
  readonly more: boolean;
}

const WITHOUT_EXTENSION = [wire.EXTENSION_HOP_BY_HOP, wire.EXTENSION_ROUTING, wire.EXTENSION_DST_OPTIONS];

function piece4(leaving: Leaving, packet: Uint8Array): Piece | undefined {
  const word = read16(packet, wire.IP4_FRAGMENT);
  if ((word & (wire.IP4_FRAGMENT_MASK | wire.IP4_FLAG_MF)) === 0) return undefined;
  const header = ((packet[0] ?? 0) & 15) * 4;
  return {
    leaving,
    head: packet.slice(0, header),
    data: packet.slice(header, read16(packet, wire.IP4_TOTAL_LENGTH)),
    offset: (word & wire.IP4_FRAGMENT_MASK) * 8,
    more: (word & wire.IP4_FLAG_MF) !== 0,
  };
}

function piece6(leaving: Leaving, packet: Uint8Array): Piece | undefined {
  let field: number = wire.IP6_NEXT_HEADER;
  let at: number = wire.IP6_LEN;
  while (WITHOUT_EXTENSION.includes(packet[field] ?? 255)) {
    field = at;
    at += ((packet[at + 1] ?? 0) + 1) * 8;
  }
  if (packet[field] !== wire.EXTENSION_FRAGMENT) return undefined;
  const word = read16(packet, at + wire.FRAGMENT_OFFSET);
  const head = packet.slice(0, at);
  head[field] = packet[at] ?? 0;
  return {
    leaving,
    head,
    data: packet.slice(at + wire.FRAGMENT_LEN),
    offset: word & wire.FRAGMENT_OFFSET_MASK,
    more: (word & wire.FRAGMENT_FLAG_MORE) !== 0,
  };
}

function pieceOf(leaving: Leaving): Piece | undefined {
  const packet = packetOf(leaving);
  return (packet[0] ?? 0) >> 4 === 6 ? piece6(leaving, packet) : piece4(leaving, packet);
}

/** The packet whose fragments these are, all of them and in order. */
function joined(pieces: readonly Piece[]): Leaving {
  const [{ leaving, head }] = pieces as [Piece];
  const packet = concat(head, ...pieces.map(({ data }) => data));
  const lengthAt = (packet[0] ?? 0) >> 4 === 6 ? wire.IP6_PAYLOAD_LENGTH : wire.IP4_TOTAL_LENGTH;
  const counted = packet.length - (lengthAt === wire.IP6_PAYLOAD_LENGTH ? wire.IP6_LEN : 0);
  packet[lengthAt] = counted >> 8;
  packet[lengthAt + 1] = counted & 255;
  // What differs from fragment to fragment says nothing of the packet.
  if (lengthAt === wire.IP4_TOTAL_LENGTH) {
    packet.fill(0, wire.IP4_FRAGMENT, wire.IP4_FRAGMENT + 2);
    packet.fill(0, wire.IP4_CHECKSUM, wire.IP4_CHECKSUM + 2);
  }
  const octets = concat(leaving.octets.slice(0, outerLength(leaving)), packet);
  return { way: leaving.way, octets, pieces: pieces.map((piece) => piece.leaving) };
}

/** What came out by one device, or to the node's own programs, with the packets that came in fragments put together. */
function putTogetherOf(heard: readonly Leaving[]): readonly Leaving[] {
  const whole: Leaving[] = [];
  let open: Piece[] = [];
  for (const leaving of heard) {
    const piece = pieceOf(leaving);
    const last = open.at(-1);
    const follows =
      piece !== undefined && last !== undefined && piece.offset === last.offset + last.data.length;
    if (!follows && open.length > 0) {
      whole.push(...open.map((one) => one.leaving));
      open = [];
    }
    if (piece === undefined || (!follows && piece.offset !== 0)) whole.push(leaving);
    else open.push(piece);
    if (piece?.more === false && open.length > 0) {
      whole.push(joined(open));
      open = [];
    }
  }
  return [...whole, ...open.map((one) => one.leaving)];
}

/**
 * What came out, with the packets that came in fragments put together: those that are all there, in their order. What comes by
 * several devices is heard by one listener each, so that only the order by each of them is known.
 */
export function putTogether(heard: readonly Leaving[]): readonly Leaving[] {
  const ways = new Map<string, Leaving[]>();
  for (const leaving of heard) {
    const known = ways.get(leaving.way);
    if (known === undefined) ways.set(leaving.way, [leaving]);
    else known.push(leaving);
  }
  return [...ways.keys()].sort().flatMap((way) => putTogetherOf(ways.get(way) ?? []));
}

/** Whether it is a fragment of IPv6 that says nothing without those before it; others are not taken in at all. */
function isRemnant(leaving: Leaving): boolean {
  const piece = leaving.pieces === undefined ? pieceOf(leaving) : undefined;
  if (piece === undefined || (piece.head[0] ?? 0) >> 4 !== 6) return false;
  return piece.offset !== 0 && !(piece.more && piece.data.length % 8 !== 0);
}

/**
 * What reached a program, or went out. INPUT hears each fragment of IPv6 that the node sends to itself, and those are nothing
 * if the first one was dropped.
 */
export function withoutRemnants({ way, pieces }: Entering, heard: readonly Leaving[]): readonly Leaving[] {
  if (way !== NODE_WAY || pieces === undefined) return heard;
  return heard.filter((one) => one.way !== NODE_WAY || !isRemnant(one));
}

/** The headers of a fragment, without what follows from the packet's own, or is a kernel's to choose: IPv6's identification. */
function shapeOf(leaving: Leaving): string {
  const piece = pieceOf(leaving);
  if (piece === undefined) return "whole";
  const { head, data, offset, more } = piece;
  const isIp4 = (head[0] ?? 0) >> 4 === 4;
  const df = isIp4 && (read16(head, wire.IP4_FRAGMENT) & wire.IP4_FLAG_DF) !== 0 ? " DF" : "";
  const options = isIp4 ? ` ${Buffer.from(head.subarray(wire.IP4_LEN)).toString("hex")}` : "";
  const isGood = !isIp4 || internetChecksum(head) === 0;
  return `${offset}+${data.length}${more ? "+" : ""}${df}${options}${isGood ? "" : " bad checksum"}`;
}

/** Whether IPv6's fragments have one identification, which is not 0. */
function haveOneId(pieces: readonly Leaving[]): boolean {
  const ids = pieces.map((leaving) => {
    const packet = packetOf(leaving);
    const piece = pieceOf(leaving);
    const hasId = piece !== undefined && (packet[0] ?? 0) >> 4 === 6;
    return hasId ? read32(packet, piece.head.length + wire.FRAGMENT_ID) : 1;
  });
  return ids.every((id) => id !== 0 && id === ids[0]);
}

/** How the fragments of two packets differ, in words; undefined where they do not. Nobody sees those of what is delivered. */
export function differingPieces(kernel: Leaving, machine: Leaving): string | undefined {
  if (kernel.way === NODE_WAY) return undefined;
  const [theirs, ours] = [kernel, machine].map((one) => one.pieces ?? [one]) as [Leaving[], Leaving[]];
  const [a, b] = [theirs, ours].map((pieces) => pieces.map(shapeOf).join(", "));
  if (a !== b) return `fragments: ${a}; machine: ${b}`;
  return haveOneId(theirs) && haveOneId(ours) ? undefined : "fragments of several identifications";
}

import * as wire from "../../../assembly/abi/wire.js";
import { ETH_LEN } from "../../../assembly/abi/wire.js";
import { internetChecksum } from "../../../src/packet/checksum.js";
import { concat, read16, read32, write } from "../../../src/packet/octets.js";
import type { Dice } from "./dice.js";
import { LABEL_MASK } from "./packet-octets.js";

/** A fragment to send of a packet. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly more: boolean;
  readonly df?: boolean;
  readonly ecn?: number;
  /** Of another datagram, which is never complete, of the same source: the protocol, or what is added to IPv6's identification. */
  readonly other?: number;
}

/** In which fragments packets are sent: how, in a word, and which of so many octets behind the IP header. */
export interface Cutting {
  readonly name: string;
  piecesOf(length: number): readonly Piece[];
  /** So many of them are sent one step earlier. */
  readonly ahead?: number;
}

/** Octets of a fragment's data, with their weights. */
const SIZES: readonly (readonly [number, number])[] = [
  [2, 8],
  [1, 16],
  [2, 24],
  [3, 64],
  [3, 200],
  [3, 552],
  [3, 1_208],
  [3, 1_392],
  [3, 1_440],
  [3, 1_472],
];
/** More pieces would be many packets of one conversation. */
const PIECES_MAX = 24;

const inOctets = (count: number) => count & ~7;

/** Where a packet is cut, in one size or in several. */
function drawSizes(dice: Dice, most: number): (length: number) => readonly Piece[] {
  const drawn = Array.from({ length: dice.of([1, 1, 4]) }, () => dice.weighted(SIZES));
  const sizes = drawn.map((size) => Math.min(size, most));
  return (length) => {
    const least = inOctets(length / PIECES_MAX) + 8;
    const pieces: Piece[] = [];
    for (let offset = 0; offset < length; ) {
      const size = Math.min(Math.max(least, sizes[pieces.length % sizes.length] ?? 8), length - offset);
      pieces.push({ offset, length: size, more: offset + size < length });
      offset += size;
    }
    return pieces;
  };
}

type Change = readonly [string, (pieces: readonly Piece[]) => readonly Piece[]];

function shuffled(dice: Dice): Change {
  const keys = Array.from({ length: 64 }, () => dice.below(1_000_000));
  const keyOf = ({ offset }: Piece) => keys[(offset / 8) % keys.length] ?? 0;
  return ["shuffled", (pieces) => [...pieces].sort((a, b) => keyOf(a) - keyOf(b))];
}

/** One of the pieces, by a share of all. */
const pick = <T>(values: readonly T[], share: number): number => Math.floor(values.length * share);

function changesOf(dice: Dice): readonly (readonly [number, Change])[] {
  const share = dice.below(1_000) / 1_000;
  const other = dice.below(1_000) / 1_000;
  const shift = dice.of([-8, 8, 16]);
  const at = (pieces: readonly Piece[], change: (piece: Piece) => readonly Piece[]) =>
    pieces.flatMap((piece, index) => (index === pick(pieces, share) ? change(piece) : [piece]));
  const anywhere = (pieces: readonly Piece[], piece: Piece) =>
    pieces.toSpliced(pick(pieces, other), 0, piece);
  return [
    [6, ["in order", (pieces) => pieces]],
    [4, ["reversed", (pieces) => pieces.toReversed()]],
    [4, shuffled(dice)],
    [3, ["one twice", (pieces) => at(pieces, (piece) => [piece, piece])]],
    [2, ["one again", (pieces) => anywhere(pieces, pieces[pick(pieces, share)] as Piece)]],
    [2, ["all twice", (pieces) => [...pieces, ...pieces]]],
    [2, ["two at once, and again", (pieces) => [...pieces, { ...(pieces[0] as Piece), length: 16 }]]],
    [2, ["one missing", (pieces) => at(pieces, () => [])]],
    [
      2,
      ["one shifted", (pieces) => at(pieces, (one) => [{ ...one, offset: Math.max(0, one.offset + shift) }])],
    ],
    [2, ["one longer", (pieces) => at(pieces, (one) => [{ ...one, length: one.length + 8 }])]],
    [2, ["one shorter", (pieces) => at(pieces, (one) => [{ ...one, length: Math.max(0, one.length - 8) }])]],
    [1, ["one of odd length", (pieces) => at(pieces, (one) => [{ ...one, length: one.length + 3 }])]],
    [1, ["one empty", (pieces) => anywhere(pieces, { offset: 64, length: 0, more: true })]],
    [1, ["an empty end", (pieces) => anywhere(pieces, { offset: 72, length: 0, more: false })]],
    [1, ["no end", (pieces) => pieces.map((piece) => ({ ...piece, more: true }))]],
    [1, ["two ends", (pieces) => anywhere(pieces, { offset: 8_000, length: 8, more: false })]],
    [1, ["ends all over", (pieces) => at(pieces, (piece) => [{ ...piece, more: false }])]],
    [1, ["a part of one", (pieces) => anywhere(pieces, { offset: 8, length: 8, more: true })]],
    [1, ["beyond all", (pieces) => anywhere(pieces, { offset: 65_528, length: 40, more: false })]],
    [1, ["DF", (pieces) => pieces.map((piece) => ({ ...piece, df: true }))]],
    [2, ["one with DF", (pieces) => at(pieces, (piece) => [{ ...piece, df: true }])]],
    [1, ["ECT, one with congestion", (pieces) => at(withEcn(pieces, 2), (piece) => [{ ...piece, ecn: 3 }])]],
    [1, ["ECT of both kinds", (pieces) => at(withEcn(pieces, 1), (piece) => [{ ...piece, ecn: 2 }])]],
    [1, ["congestion", (pieces) => withEcn(pieces, 3)]],
    [1, ["ECT, one without", (pieces) => at(withEcn(pieces, 2), (piece) => [{ ...piece, ecn: 0 }])]],
    [1, ["sixty others between", (pieces) => [...pieces.slice(0, 1), ...others(60), ...pieces.slice(1)]]],
    [1, ["seventy others between", (pieces) => [...pieces.slice(0, 1), ...others(70), ...pieces.slice(1)]]],
    [1, ["seventy others between, and again", (pieces) => [...pieces.slice(0, 1), ...others(70), ...pieces]]],
  ];
}

const withEcn = (pieces: readonly Piece[], ecn: number) => pieces.map((piece) => ({ ...piece, ecn }));

const others = (count: number): readonly Piece[] =>
  Array.from({ length: count }, (_, index) => ({
    offset: 8 * (index + 1),
    length: 8,
    more: true,
    other: 200,
  }));

/** Draws in which fragments packets are sent, of at most so many octets of data each (8 more are tried too). */
export function drawCutting(dice: Dice, most: number): Cutting {
  const sizes = drawSizes(dice, most);
  const changes = changesOf(dice);
  const [name, change] = dice.weighted(changes);
  const [order, arrange] = dice.percent(30)
    ? shuffled(dice)
    : (["", (pieces: readonly Piece[]) => pieces] as const);
  const piecesOf = (length: number) => arrange(change(sizes(length)));
  const label = order === "" || order === name ? name : `${name}, ${order}`;
  return { name: label, piecesOf, ...(dice.percent(25) ? { ahead: 1 + dice.below(2) } : {}) };
}

/** So much of a packet's data, with other octets where it has none. */
function dataOf(data: Uint8Array, { offset, length }: Piece): Uint8Array {
  const octets = new Uint8Array(length).fill(0xee);
  octets.set(data.subarray(offset, offset + length));
  return octets;
}

function piece4(frame: Uint8Array, piece: Piece): Uint8Array {
  const { offset, more, df = false, ecn, other } = piece;
  const header = ((frame[ETH_LEN] ?? 0) & 15) * 4;
  const part = concat(frame.slice(0, ETH_LEN + header), dataOf(frame.subarray(ETH_LEN + header), piece));
  const ip = part.subarray(ETH_LEN, ETH_LEN + header);
  const flags = (more ? wire.IP4_FLAG_MF : 0) | (df ? wire.IP4_FLAG_DF : 0);
  write(ip, wire.IP4_TOTAL_LENGTH, 2, part.length - ETH_LEN, "length");
  write(ip, wire.IP4_FRAGMENT, 2, flags | (offset >> 3), "fragment");
  if (ecn !== undefined) ip[wire.IP4_TOS] = ((ip[wire.IP4_TOS] ?? 0) & ~3) | ecn;
  if (other !== undefined) ip[wire.IP4_PROTOCOL] = other;
  write(ip, wire.IP4_CHECKSUM, 2, 0, "checksum");
  write(ip, wire.IP4_CHECKSUM, 2, internetChecksum(ip), "checksum");
  return part;
}

function piece6(frame: Uint8Array, piece: Piece): Uint8Array {
  const { offset, more, ecn, other = 0 } = piece;
  const at = ETH_LEN + wire.IP6_LEN;
  const extension = new Uint8Array(wire.FRAGMENT_LEN);
  extension[0] = frame[ETH_LEN + wire.IP6_NEXT_HEADER] ?? 0;
  write(extension, wire.FRAGMENT_OFFSET, 2, (offset & ~7) | (more ? 1 : 0), "offset");
  const id = (read32(frame, ETH_LEN) & LABEL_MASK) + other * 0x100000;
  write(extension, wire.FRAGMENT_ID, 4, id, "identification");
  const part = concat(frame.slice(0, at), extension, dataOf(frame.subarray(at), piece));
  part[ETH_LEN + wire.IP6_NEXT_HEADER] = wire.EXTENSION_FRAGMENT;
  write(part, ETH_LEN + wire.IP6_PAYLOAD_LENGTH, 2, part.length - at, "length");
  if (ecn !== undefined) {
    const word = read16(part, ETH_LEN);
    write(part, ETH_LEN, 2, (word & ~0x30) | (ecn << 4), "class");
  }
  return part;
}

/** The fragments that a frame's packet is sent in. */
export function cutInto(frame: Uint8Array, cutting: Cutting): readonly Uint8Array[] {
  const isIp6 = (frame[ETH_LEN] ?? 0) >> 4 === 6;
  const at = ETH_LEN + (isIp6 ? wire.IP6_LEN : ((frame[ETH_LEN] ?? 0) & 15) * 4);
  const make = isIp6 ? piece6 : piece4;
  return cutting.piecesOf(frame.length - at).map((piece) => make(frame, piece));
}

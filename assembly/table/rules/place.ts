import { RULE_ENTRY_LEN } from "../../abi/entry";
import { Image } from "../../image";
import {
  CHAIN_AT,
  CHAIN_DEPTH_MAX,
  CHAIN_LEN,
  CHAIN_PIECES,
  PIECE_AT,
  PIECE_COUNT,
  PIECE_LEN,
} from "./layout";

/** A place in a chain: the next rule of a chunk, the first after the chunk's last, and which of the pieces it is. */
@unmanaged
@final
export class Place {
  rule: u32;
  end: u32;
  chunk: u32;
  piece: u32;
  lastPiece: u32;
  chain: u32;

  /** A chain that was never set is empty. */
  enter(image: Image, number: u32): void {
    this.chain = number;
    if (number >= image.chainsRoom) {
      this.rule = this.end;
      this.lastPiece = this.piece;
      return;
    }
    const chain = image.to(image.chainsAt) + number * CHAIN_LEN;
    const pieces = load<u32>(chain, CHAIN_PIECES);
    const first = pieces > 1 ? image.to(load<u32>(chain, CHAIN_AT)) : chain;
    this.lastPiece = pieces > 1 ? <u32>first + (pieces - 1) * PIECE_LEN : <u32>chain;
    this.open(image, first);
  }

  open(image: Image, piece: usize): void {
    this.piece = <u32>piece;
    this.chunk = <u32>image.to(load<u32>(piece, PIECE_AT));
    this.rule = this.chunk;
    this.end = this.chunk + load<u32>(piece, PIECE_COUNT) * RULE_ENTRY_LEN;
  }

  /** The number of a rule of this chunk in its chain. */
  indexOf(image: Image, rule: usize): u32 {
    const chain = image.to(image.chainsAt) + this.chain * CHAIN_LEN;
    const pieces = load<u32>(chain, CHAIN_PIECES);
    let index = (<u32>rule - this.chunk) / RULE_ENTRY_LEN;
    let piece = pieces > 1 ? image.to(load<u32>(chain, CHAIN_AT)) : chain;
    for (; <u32>piece != this.piece; piece += PIECE_LEN) index += load<u32>(piece, PIECE_COUNT);
    return index;
  }
}

export const PLACE_LEN: u32 = 24;
/** Jumps and gotos of one walk: a loader refuses loops, and should one pass, this ends it. */
export const HANDOVERS_MAX: u32 = 1 << 16;
/** Octets of scratch that a walk needs. */
export const WALK_STACK_LEN: u32 = PLACE_LEN * (CHAIN_DEPTH_MAX + 1);

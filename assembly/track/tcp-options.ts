import { TCP_LEN } from "../abi/wire";
import { load32 } from "../bytes";
import { Tcp } from "../wire/tcp";

/** What a SYN's options offer: OPTION_ bits, with the scale above bit 16. */
export const OPTION_SCALE: u32 = 1;
export const OPTION_SACK_PERMITTED: u32 = 2;

/** Kinds of options (RFC 9293 §3.1, RFC 7323 §2.2, RFC 2018). */
const KIND_END: u32 = 0;
const KIND_NOTHING: u32 = 1;
const KIND_SCALE: u32 = 3;
const KIND_SACK_PERMITTED: u32 = 4;
const KIND_SACK: u32 = 5;
const SCALE_LEN: u32 = 3;
const SACK_PERMITTED_LEN: u32 = 2;
/** A block is where it begins and where it ends. */
const SACK_BLOCK_LEN: u32 = 8;
const SCALE_MAX: u32 = 14;

/** The address of the first option at or behind an address, 0 where there is none that is whole. */
function optionFrom(at: usize, end: usize): usize {
  while (at < end && <u32>load<u8>(at) == KIND_NOTHING) at++;
  if (at + 2 > end || <u32>load<u8>(at) == KIND_END) return 0;
  const length = <u32>load<u8>(at, 1);
  return length < 2 || at + length > end ? 0 : at;
}

export function readOptions(tcp: Tcp): u32 {
  const end = changetype<usize>(tcp) + tcp.headerLength;
  let offer: u32 = 0;
  let at = optionFrom(changetype<usize>(tcp) + TCP_LEN, end);
  while (at != 0) {
    const kind = <u32>load<u8>(at);
    const length = <u32>load<u8>(at, 1);
    if (kind == KIND_SACK_PERMITTED && length == SACK_PERMITTED_LEN) offer |= OPTION_SACK_PERMITTED;
    else if (kind == KIND_SCALE && length == SCALE_LEN)
      offer = (offer & 0xffff) | OPTION_SCALE | (min<u32>(<u32>load<u8>(at, 2), SCALE_MAX) << 16);
    at = optionFrom(at + length, end);
  }
  return offer;
}

/** The last number that a segment acknowledges: that of its ACK or, where they lie further, of its first SACK option. */
export function sackOf(tcp: Tcp, ack: u32): u32 {
  const end = changetype<usize>(tcp) + tcp.headerLength;
  let at = optionFrom(changetype<usize>(tcp) + TCP_LEN, end);
  while (at != 0) {
    const length = <u32>load<u8>(at, 1);
    const blocks = length - 2;
    if (<u32>load<u8>(at) == KIND_SACK && blocks >= SACK_BLOCK_LEN && blocks % SACK_BLOCK_LEN == 0) {
      let last = ack;
      for (let block: u32 = 0; block < blocks; block += SACK_BLOCK_LEN) {
        const edge = load32(at + 2 + block + 4);
        if (<i32>(edge - last) > 0) last = edge;
      }
      return last;
    }
    at = optionFrom(at + length, end);
  }
  return ack;
}

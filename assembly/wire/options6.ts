import {
  EXTENSION_LEN,
  OPTION_ACTION,
  OPTION_JUMBO,
  OPTION_PAD1,
  OPTION_PADN,
  OPTION_ROUTER_ALERT,
} from "../abi/wire";

/** Linux takes no more options in a header (max_hbh_opts_number), and no more octets of padding between two. */
const OPTIONS_MAX: u32 = 8;
const PADDING_MAX: u32 = 7;
/** Octets of an option's type and length. */
const OPTION_LEN: u32 = 2;

function isZero(at: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(at + i) != 0) return false;
  return true;
}

/** Whether an option that is no padding lets the packet pass. A jumbogram would be longer than any frame. */
function passes(kind: u32, length: u32): bool {
  if (kind == OPTION_ROUTER_ALERT) return length == OPTION_LEN + 2;
  return kind != OPTION_JUMBO && (kind & OPTION_ACTION) == 0;
}

/** Whether a router lets the options of a hop-by-hop header of `length` octets pass (ip6_parse_tlv). */
export function areHopOptionsGood(header: usize, length: u32): bool {
  let padding: u32 = 0;
  let options: u32 = 0;
  let at = EXTENSION_LEN;
  while (at < length) {
    const option = header + at;
    const kind = <u32>load<u8>(option);
    const left = length - at;
    if (kind != OPTION_PAD1 && left < OPTION_LEN) return false;
    const own = kind == OPTION_PAD1 ? <u32>1 : OPTION_LEN + <u32>load<u8>(option, 1);
    if (own > left) return false;
    if (kind > OPTION_PADN) {
      if (++options > OPTIONS_MAX || !passes(kind, own)) return false;
      padding = 0;
    } else {
      padding += own;
      if (padding > PADDING_MAX) return false;
      if (kind == OPTION_PADN && !isZero(option + OPTION_LEN, own - OPTION_LEN)) return false;
    }
    at += own;
  }
  return true;
}

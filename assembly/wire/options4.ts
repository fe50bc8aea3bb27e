import {
  IP4_LEN,
  IP4_OPTION_CIPSO,
  IP4_OPTION_END,
  IP4_OPTION_LSRR,
  IP4_OPTION_NONE,
  IP4_OPTION_ROUTER_ALERT,
  IP4_OPTION_RR,
  IP4_OPTION_SSRR,
  IP4_OPTION_TS,
} from "../abi/wire";

/** Octets of an option's type and length. */
const OPTION_LEN: u32 = 2;
const ROUTER_ALERT_LEN: u32 = 4;

/** Routers write into it, go where it says, or look whether its label is known. */
function moves(kind: u32): bool {
  return (
    kind == IP4_OPTION_RR ||
    kind == IP4_OPTION_TS ||
    kind == IP4_OPTION_LSRR ||
    kind == IP4_OPTION_SSRR ||
    kind == IP4_OPTION_CIPSO
  );
}

function areZero(from: u32, end: u32): bool {
  for (let at = from; at < end; at++) if (load<u8>(at) != 0) return false;
  return true;
}

/**
 * Whether the options of an IPv4 header of `length` octets are right and stay as they are on their way through a router
 * (__ip_options_compile, which clears what stands behind their end).
 */
export function areOptionsStill(header: usize, length: u32): bool {
  const end = <u32>header + length;
  let at = <u32>header + IP4_LEN;
  while (at < end) {
    const kind = <u32>load<u8>(at);
    if (kind == IP4_OPTION_END) return areZero(at, end);
    if (kind == IP4_OPTION_NONE) {
      at++;
      continue;
    }
    if (moves(kind) || end - at < OPTION_LEN) return false;
    const own = <u32>load<u8>(at, 1);
    const least = kind == IP4_OPTION_ROUTER_ALERT ? ROUTER_ALERT_LEN : OPTION_LEN;
    if (own < least || own > end - at) return false;
    at += own;
  }
  return true;
}

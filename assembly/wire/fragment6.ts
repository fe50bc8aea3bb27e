import {
  EXTENSION_DST_OPTIONS,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_LEN,
  EXTENSION_NEXT,
  EXTENSION_NONE,
  EXTENSION_ROUTING,
  FRAGMENT_FLAG_MORE,
  FRAGMENT_ID,
  FRAGMENT_LEN,
  FRAGMENT_OFFSET,
  FRAGMENT_OFFSET_MASK,
  ICMP_LEN,
  IP6_LEN,
  IP6_NEXT_HEADER,
  PROTO_ICMP6,
  PROTO_TCP,
  PROTO_UDP,
  TCP_LEN,
  UDP_LEN,
} from "../abi/wire";
import { load16, load32 } from "../bytes";
import { extensionLength, Ip6, isExtension } from "./ip6";

/** A fragment header, seen in place (RFC 8200 §4.5). Accessors trust their caller. */
@unmanaged
@final
export class Fragment6 {
  @inline
  static at(address: usize): Fragment6 {
    return changetype<Fragment6>(address);
  }

  /** In octets. */
  @inline
  get offset(): u32 {
    return load16(changetype<usize>(this) + FRAGMENT_OFFSET) & FRAGMENT_OFFSET_MASK;
  }

  @inline
  get moreFragments(): bool {
    return (load16(changetype<usize>(this) + FRAGMENT_OFFSET) & FRAGMENT_FLAG_MORE) != 0;
  }

  @inline
  get id(): u32 {
    return load32(changetype<usize>(this) + FRAGMENT_ID);
  }
}

/** Octets of a transport header without which its first fragment is not put together with others. */
function neededOf(protocol: u32): u32 {
  if (protocol == PROTO_TCP) return TCP_LEN;
  if (protocol == PROTO_UDP) return UDP_LEN;
  return protocol == PROTO_ICMP6 ? ICMP_LEN : 1;
}

/**
 * Whether a first fragment, of `room` octets from its fragment header on, ends before its headers do (RFC 8200 §4.5, as
 * ipv6frag_thdr_truncated). Headers that do not end say nothing.
 */
export function isHeadCut(header: usize, room: u32): bool {
  let next = EXTENSION_FRAGMENT;
  let at: u32 = 0;
  while (isExtension(next)) {
    if (next == EXTENSION_NONE || at + EXTENSION_LEN > room) return false;
    const isFragment = next == EXTENSION_FRAGMENT;
    if (isFragment && (at + FRAGMENT_ID > room || Fragment6.at(header + at).offset != 0)) return false;
    const length = isFragment ? FRAGMENT_LEN : extensionLength(header + at, next);
    next = load<u8>(header + at, EXTENSION_NEXT);
    at += length;
  }
  return at + neededOf(next) > room;
}

/** Where from the IP header on the next header stands that names the extension header at an address. */
export function nextFieldOf(ip: usize, header: usize): u32 {
  let field = ip + IP6_NEXT_HEADER;
  let at = ip + IP6_LEN;
  while (at < header) {
    const kind = <u32>load<u8>(field);
    field = at + EXTENSION_NEXT;
    at += extensionLength(at, kind);
  }
  return <u32>(field - ip);
}

/**
 * Octets of the headers that each fragment of a packet has: the IP header, and extension headers up to the fragment header
 * (ip6_find_1stfragopt, with destination options before a routing header among them), `end` the packet's end at most.
 */
export function repeatedLength(ip: usize, end: usize): u32 {
  let next = Ip6.at(ip).nextHeader;
  let at = ip + IP6_LEN;
  let isRouted = false;
  while (at + EXTENSION_LEN <= end) {
    if (next == EXTENSION_DST_OPTIONS ? isRouted : next != EXTENSION_HOP_BY_HOP && next != EXTENSION_ROUTING)
      break;
    isRouted = isRouted || next == EXTENSION_ROUTING;
    const length = extensionLength(at, next);
    if (at + length > end) break;
    next = load<u8>(at, EXTENSION_NEXT);
    at += length;
  }
  return <u32>(at - ip);
}

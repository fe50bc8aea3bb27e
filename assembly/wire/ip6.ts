import {
  EXTENSION_AUTH,
  EXTENSION_DST_OPTIONS,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_LENGTH,
  EXTENSION_NONE,
  EXTENSION_ROUTING,
  IP6_DST,
  IP6_HOP_LIMIT,
  IP6_NEXT_HEADER,
  IP6_PAYLOAD_LENGTH,
  IP6_SRC,
} from "../abi/wire";
import { load16, load128, store16, store128 } from "../bytes";

/** Of the first two octets: version, traffic class, and the flow label's first bits. */
const CLASS_SHIFT: u32 = 4;
const CLASS_MASK: u32 = 0xff << CLASS_SHIFT;

/** An IPv6 header, seen in place (RFC 8200 §3). Accessors trust their caller. */
@unmanaged
@final
export class Ip6 {
  @inline
  static at(address: usize): Ip6 {
    return changetype<Ip6>(address);
  }

  @inline
  get version(): u32 {
    return load<u8>(changetype<usize>(this)) >> 4;
  }

  /** What IPv4 calls TOS. */
  @inline
  get trafficClass(): u32 {
    return (load16(changetype<usize>(this)) & CLASS_MASK) >> CLASS_SHIFT;
  }

  set trafficClass(value: u32) {
    const rest = load16(changetype<usize>(this)) & ~CLASS_MASK;
    store16(changetype<usize>(this), rest | (value << CLASS_SHIFT));
  }

  @inline
  get payloadLength(): u32 {
    return load16(changetype<usize>(this) + IP6_PAYLOAD_LENGTH);
  }

  @inline
  get nextHeader(): u32 {
    return load<u8>(changetype<usize>(this), IP6_NEXT_HEADER);
  }

  @inline
  get hopLimit(): u32 {
    return load<u8>(changetype<usize>(this), IP6_HOP_LIMIT);
  }

  set hopLimit(value: u32) {
    store<u8>(changetype<usize>(this), value, IP6_HOP_LIMIT);
  }

  /** Four words in their order. */
  @inline
  get src(): v128 {
    return load128(changetype<usize>(this) + IP6_SRC);
  }

  set src(address: v128) {
    store128(changetype<usize>(this) + IP6_SRC, address);
  }

  @inline
  get dst(): v128 {
    return load128(changetype<usize>(this) + IP6_DST);
  }

  set dst(address: v128) {
    store128(changetype<usize>(this) + IP6_DST, address);
  }
}

/** Whether a next header is an extension header that Linux looks behind (ipv6_ext_hdr); ESP is not. */
export function isExtension(next: u32): bool {
  return (
    next == EXTENSION_HOP_BY_HOP ||
    next == EXTENSION_ROUTING ||
    next == EXTENSION_FRAGMENT ||
    next == EXTENSION_AUTH ||
    next == EXTENSION_NONE ||
    next == EXTENSION_DST_OPTIONS
  );
}

/** Octets of an extension header of a kind; of a fragment's, 8 whatever it says. */
export function extensionLength(header: usize, kind: u32): u32 {
  const length = <u32>load<u8>(header, EXTENSION_LENGTH);
  return kind == EXTENSION_AUTH ? (length + 2) << 2 : (length + 1) << 3;
}

import {
  IP4_CHECKSUM,
  IP4_DST,
  IP4_FLAG_DF,
  IP4_FLAG_MF,
  IP4_FRAGMENT,
  IP4_FRAGMENT_MASK,
  IP4_ID,
  IP4_LEN,
  IP4_PROTOCOL,
  IP4_SRC,
  IP4_TOS,
  IP4_TOTAL_LENGTH,
  IP4_TTL,
  IP4_VERSION_IHL,
} from "../abi/wire";
import { load16, load32, store16, store32 } from "../bytes";
import { isGoodSum, patchChecksum, sumWords } from "./checksum";

/** An IPv4 header, seen in place (RFC 791 §3.1). Accessors trust their caller; ask `isValid` once, first. */
@unmanaged
@final
export class Ip4 {
  @inline
  static at(address: usize): Ip4 {
    return changetype<Ip4>(address);
  }

  /** Whether version, header length and total length fit so many octets (at least IP4_LEN; RFC 1812 §5.2.2). */
  isValid(room: u32): bool {
    const versionIhl = load<u8>(changetype<usize>(this), IP4_VERSION_IHL);
    const header = this.headerLength;
    return (
      versionIhl >> 4 == 4 && header >= IP4_LEN && header <= this.totalLength && this.totalLength <= room
    );
  }

  @inline
  get headerLength(): u32 {
    return (<u32>load<u8>(changetype<usize>(this), IP4_VERSION_IHL) & 15) << 2;
  }

  @inline
  get tos(): u32 {
    return load<u8>(changetype<usize>(this), IP4_TOS);
  }

  /** TOS with its checksum. */
  retos(tos: u32): void {
    this.patch(this.tos, tos);
    store<u8>(changetype<usize>(this), tos, IP4_TOS);
  }

  @inline
  get totalLength(): u32 {
    return load16(changetype<usize>(this) + IP4_TOTAL_LENGTH);
  }

  @inline
  get ttl(): u32 {
    return load<u8>(changetype<usize>(this), IP4_TTL);
  }

  @inline
  get protocol(): u32 {
    return load<u8>(changetype<usize>(this), IP4_PROTOCOL);
  }

  @inline
  get src(): u32 {
    return load32(changetype<usize>(this) + IP4_SRC);
  }

  set src(address: u32) {
    store32(changetype<usize>(this) + IP4_SRC, address);
  }

  @inline
  get dst(): u32 {
    return load32(changetype<usize>(this) + IP4_DST);
  }

  set dst(address: u32) {
    store32(changetype<usize>(this) + IP4_DST, address);
  }

  @inline
  get isFragment(): bool {
    return (load16(changetype<usize>(this) + IP4_FRAGMENT) & (IP4_FLAG_MF | IP4_FRAGMENT_MASK)) != 0;
  }

  /** In words of 8 octets; 0 of a whole packet and of a first fragment. */
  @inline
  get fragmentOffset(): u32 {
    return load16(changetype<usize>(this) + IP4_FRAGMENT) & IP4_FRAGMENT_MASK;
  }

  /** It is not its datagram's last fragment. */
  @inline
  get moreFragments(): bool {
    return (load16(changetype<usize>(this) + IP4_FRAGMENT) & IP4_FLAG_MF) != 0;
  }

  @inline
  get id(): u32 {
    return load16(changetype<usize>(this) + IP4_ID);
  }

  @inline
  get dontFragment(): bool {
    return (load16(changetype<usize>(this) + IP4_FRAGMENT) & IP4_FLAG_DF) != 0;
  }

  /** A whole packet that may be fragmented. */
  clearFlags(): void {
    const at = changetype<usize>(this) + IP4_FRAGMENT;
    this.patch(load16(at), 0);
    store16(at, 0);
  }

  /** The header's checksum is right. */
  get isIntact(): bool {
    return isGoodSum(changetype<usize>(this), this.headerLength);
  }

  /** Writes the checksum anew (ip_send_check). */
  seal(): void {
    store16(changetype<usize>(this) + IP4_CHECKSUM, 0);
    store16(changetype<usize>(this) + IP4_CHECKSUM, ~sumWords(changetype<usize>(this), this.headerLength));
  }

  /** Patches the checksum for words that changed (sums of 16-bit words). */
  patch(removed: u32, added: u32): void {
    const at = changetype<usize>(this) + IP4_CHECKSUM;
    store16(at, patchChecksum(load16(at), removed, added));
  }

  /** TTL - 1 with its checksum; the caller knows that it is not 0. */
  decrementTtl(): void {
    store<u8>(changetype<usize>(this), this.ttl - 1, IP4_TTL);
    this.patch(0x100, 0);
  }
}

/** The identification after another. Linux never sends 0 here (ip_select_ident counts, and the tunnel's frames are not atomic). */
export function nextId(last: u32): u32 {
  return last >= 0xffff ? 1 : last + 1;
}

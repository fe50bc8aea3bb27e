import { ICMP_CHECKSUM, ICMP_CODE, ICMP_ID, ICMP_TYPE } from "../abi/wire";
import { load16, store16 } from "../bytes";
import { patchChecksum } from "./checksum";

/** An ICMP or ICMPv6 header, seen in place (RFC 792, RFC 4443 §2.1). Accessors trust their caller. */
@unmanaged
@final
export class Icmp {
  @inline
  static at(address: usize): Icmp {
    return changetype<Icmp>(address);
  }

  @inline
  get type(): u32 {
    return load<u8>(changetype<usize>(this), ICMP_TYPE);
  }

  @inline
  get code(): u32 {
    return load<u8>(changetype<usize>(this), ICMP_CODE);
  }

  /** Identifier of an echo and others that have one. */
  @inline
  get id(): u32 {
    return load16(changetype<usize>(this) + ICMP_ID);
  }

  /** With the checksum. */
  set id(id: u32) {
    this.patch(this.id, id);
    store16(changetype<usize>(this) + ICMP_ID, id);
  }

  /** Patches the checksum for words that changed (sums of 16-bit words); ICMPv6's covers the addresses too. */
  patch(removed: u32, added: u32): void {
    const at = changetype<usize>(this) + ICMP_CHECKSUM;
    store16(at, patchChecksum(load16(at), removed, added));
  }
}

import { UDP_CHECKSUM, UDP_LEN, UDP_LENGTH } from "../abi/wire";
import { load16 } from "../bytes";

/** A UDP header, seen in place (RFC 768). Accessors trust their caller; ask `isValid` once, first. */
@unmanaged
@final
export class Udp {
  @inline
  static at(address: usize): Udp {
    return changetype<Udp>(address);
  }

  /** Whether header and length field fit so many octets. */
  isValid(room: u32): bool {
    return room >= UDP_LEN && this.length >= UDP_LEN && this.length <= room;
  }

  @inline
  get length(): u32 {
    return load16(changetype<usize>(this) + UDP_LENGTH);
  }

  /** 0: the sender made none. */
  @inline
  get checksum(): u32 {
    return load16(changetype<usize>(this) + UDP_CHECKSUM);
  }

  @inline
  get checksumAt(): usize {
    return changetype<usize>(this) + UDP_CHECKSUM;
  }
}

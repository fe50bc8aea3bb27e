import {
  TCP_ACK,
  TCP_CHECKSUM,
  TCP_FLAG_FIN,
  TCP_FLAG_SYN,
  TCP_FLAGS,
  TCP_LEN,
  TCP_OFFSET,
  TCP_SEQ,
  TCP_WINDOW,
} from "../abi/wire";
import { load16, load32 } from "../bytes";

/** A TCP header, seen in place (RFC 9293 §3.1). Accessors trust their caller; ask `isValid` once, first. */
@unmanaged
@final
export class Tcp {
  @inline
  static at(address: usize): Tcp {
    return changetype<Tcp>(address);
  }

  /** Whether the header fits so many octets. */
  isValid(room: u32): bool {
    return room >= TCP_LEN && this.headerLength >= TCP_LEN && this.headerLength <= room;
  }

  @inline
  get headerLength(): u32 {
    return (<u32>load<u8>(changetype<usize>(this), TCP_OFFSET) >> 4) << 2;
  }

  @inline
  get sequence(): u32 {
    return load32(changetype<usize>(this) + TCP_SEQ);
  }

  @inline
  get acknowledgement(): u32 {
    return load32(changetype<usize>(this) + TCP_ACK);
  }

  /** Not scaled. */
  @inline
  get window(): u32 {
    return load16(changetype<usize>(this) + TCP_WINDOW);
  }

  @inline
  get hasOptions(): bool {
    return this.headerLength > TCP_LEN;
  }

  /** The sequence number behind a segment of so many octets: SYN and FIN count one each (RFC 9293 §3.4). */
  endOf(length: u32): u32 {
    const counts = u32((this.flags & TCP_FLAG_SYN) != 0) + u32((this.flags & TCP_FLAG_FIN) != 0);
    return this.sequence + length - this.headerLength + counts;
  }

  @inline
  get flags(): u32 {
    return load<u8>(changetype<usize>(this), TCP_FLAGS);
  }

  @inline
  get checksumAt(): usize {
    return changetype<usize>(this) + TCP_CHECKSUM;
  }
}

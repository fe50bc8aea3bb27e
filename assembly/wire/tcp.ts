import { TCP_CHECKSUM, TCP_FLAGS, TCP_LEN, TCP_OFFSET } from "../abi/wire";

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
  get flags(): u32 {
    return load<u8>(changetype<usize>(this), TCP_FLAGS);
  }

  @inline
  get checksumAt(): usize {
    return changetype<usize>(this) + TCP_CHECKSUM;
  }
}

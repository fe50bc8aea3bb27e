import { SCTP_CHECKSUM } from "../abi/wire";

/** CRC32c's polynomial, its lowest power in the highest bit (RFC 9260 appendix A). */
const POLYNOMIAL: u32 = 0x82f63b78;

/** The register after one octet more. */
function crcOctet(crc: u32, octet: u32): u32 {
  let rest = crc ^ octet;
  for (let bit = 0; bit < 8; bit++) rest = (rest >> 1) ^ (POLYNOMIAL & -(rest & 1));
  return rest;
}

/**
 * An SCTP packet of `length` octets (SCTP_LEN or more), seen in place (RFC 9260 §3.1). Its checksum covers it alone, with
 * the checksum's own place 0, and stands there in little-endian order.
 */
@unmanaged
@final
export class Sctp {
  @inline
  static at(address: usize): Sctp {
    return changetype<Sctp>(address);
  }

  /** What the checksum should be. */
  computed(length: u32): u32 {
    const start = changetype<usize>(this);
    let crc: u32 = 0xffffffff;
    for (let at: u32 = 0; at < length; at++) {
      const octet = <u32>load<u8>(start + at);
      crc = crcOctet(crc, at - SCTP_CHECKSUM < 4 ? 0 : octet);
    }
    return ~crc;
  }

  isIntact(length: u32): bool {
    return load<u32>(changetype<usize>(this), SCTP_CHECKSUM) == this.computed(length);
  }

  /** Writes the checksum anew. */
  seal(length: u32): void {
    store<u32>(changetype<usize>(this), this.computed(length), SCTP_CHECKSUM);
  }
}

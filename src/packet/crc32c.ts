/** The polynomial of CRC32c, its lowest power in the highest bit (RFC 9260 appendix A). */
const POLYNOMIAL = 0x82f63b78;

/** What an octet alone makes of the register. */
const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  return crc;
});

/** The checksum of SCTP (RFC 9260 §6.8) over octets, as an unsigned number; the packet has it in little-endian order. */
export function crc32c(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of octets) crc = (crc >>> 8) ^ (TABLE[(crc ^ octet) & 0xff] ?? 0);
  return ~crc >>> 0;
}

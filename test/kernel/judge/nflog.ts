/** Type-length-value fields of an NFLOG record (linux/netfilter/nfnetlink_log.h), in the host's byte order. */
const HEADER_LEN = 4;
const FIELD_HEADER_LEN = 4;
const PAYLOAD = 9;

/** The IP packet in what tcpdump hears of an NFLOG group. */
export function deliveredPacket(record: Uint8Array): Uint8Array | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  let at = HEADER_LEN;
  while (at + FIELD_HEADER_LEN <= record.length) {
    const length = view.getUint16(at, true);
    if (length < FIELD_HEADER_LEN) return undefined;
    if (view.getUint16(at + 2, true) === PAYLOAD) return record.subarray(at + FIELD_HEADER_LEN, at + length);
    at += (length + 3) & ~3;
  }
  return undefined;
}

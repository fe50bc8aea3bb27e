import * as wire from "../../assembly/abi/wire.js";

/** Folds a one's-complement sum to 16 bits; a sum of some hundred words fits 31 bits. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The sum of 16-bit words. */
export function sumWords(view: DataView, at: number, length: number): number {
  let sum = 0;
  const even = at + (length & ~1);
  for (let word = at; word < even; word += 2) sum += view.getUint16(word);
  return (length & 1) === 0 ? sum : sum + (view.getUint8(even) << 8);
}

export const wordsOf = (value: number) => (value >>> 16) + (value & 0xffff);

/** A checksum after words changed (RFC 1624): `removed` and `added` are sums of a few words. */
export function patch(view: DataView, at: number, removed: number, added: number): void {
  const old = ~view.getUint16(at) & 0xffff;
  view.setUint16(at, ~fold(old + (~fold(removed) & 0xffff) + added) & 0xffff);
}

/** Whether an IPv4 header of `room` octets is one that may be judged, and intact. */
export function isGoodHeader(view: DataView, ip: number, room: number): boolean {
  if (room < wire.IP4_LEN) return false;
  const versionIhl = view.getUint8(ip);
  const header = (versionIhl & 15) << 2;
  const total = view.getUint16(ip + wire.IP4_TOTAL_LENGTH);
  if (versionIhl >> 4 !== 4 || header < wire.IP4_LEN || header > total || total > room) return false;
  return fold(sumWords(view, ip, header)) === 0xffff;
}

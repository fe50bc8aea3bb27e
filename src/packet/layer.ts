import { concat } from "./octets.js";

/*
 * One header each, laid around the octets that come after it. Lengths, checksums and the numbers that say what
 * follows are computed from what is inside, unless the caller gives them: so packets wrong on purpose can be made.
 */

/** A header on its way to octets. */
export interface Layer {
  /** What Ethernet writes in front of this header. */
  readonly etherType?: number;
  /** What IP writes in front of this header. */
  readonly protocol?: number;
  /** An extension header of IPv6: what follows stands on the IPv6 header all the same. */
  readonly isExtension?: boolean;
  /** Octets that a transport checksum covers besides the transport. */
  pseudoHeader?(protocol: number, length: number): Uint8Array;
  /** Header and payload. `above` is the next header inwards, `below` the next outwards. */
  encode(payload: Uint8Array, above: Layer | undefined, below: Layer | undefined): Uint8Array;
}

/** Options filled up with zeros to whole words of four octets, as header lengths count. */
export function paddedToWords(options: Uint8Array): Uint8Array {
  return concat(options, new Uint8Array(-options.length & 3));
}

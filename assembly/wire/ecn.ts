/** The ECN field of IPv4's TOS octet (RFC 3168 §5). */
export const ECN_MASK: u32 = 3;
export const ECN_NOT_ECT: u32 = 0;
export const ECN_ECT1: u32 = 1;
export const ECN_ECT0: u32 = 2;
export const ECN_CE: u32 = 3;

/** Outer fields that change nothing inside have this bit clear (RFC 6040 §4.2). */
export const ECN_TELLS: u32 = 1;

/** No inner field may be: the packet is dropped. */
export const ECN_DROP: u32 = 4;

/** The inner field after decapsulation (RFC 6040 §4.2, as Linux' INET_ECN_decapsulate), or ECN_DROP. */
export function innerEcn(outer: u32, inner: u32): u32 {
  if (inner == ECN_NOT_ECT) return outer == ECN_CE ? ECN_DROP : inner;
  if (outer == ECN_CE) return ECN_CE;
  return outer == ECN_ECT1 && inner == ECN_ECT0 ? ECN_ECT1 : inner;
}

/**
 * What a datagram's ECN field gets beside its first fragment's, given a bit for each value that its fragments had (1 << value):
 * CE if any had that, or ECN_DROP where some of them do not know ECN (RFC 3168 §5.3, ip_frag_ecn_table).
 */
export function joinedEcn(seen: u32): u32 {
  const notEct: u32 = 1 << ECN_NOT_ECT;
  const ce: u32 = 1 << ECN_CE;
  if ((seen & notEct) != 0 && seen != notEct) return ECN_DROP;
  return (seen & ce) != 0 ? ECN_CE : ECN_NOT_ECT;
}

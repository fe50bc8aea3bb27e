import { IP6_LEN } from "../abi/wire";
import { sumPseudo, wordsOf6 } from "./checksum";
import { Ip4 } from "./ip4";
import { Ip6 } from "./ip6";

/** What the headers of both families have, given the address of one that is known to be there. */

export function isIp6(ip: usize): bool {
  return Ip6.at(ip).version == 6;
}

/** TOS or traffic class. */
export function tosOf(ip: usize): u32 {
  return isIp6(ip) ? Ip6.at(ip).trafficClass : Ip4.at(ip).tos;
}

export function setTos(ip: usize, tos: u32): void {
  if (isIp6(ip)) Ip6.at(ip).trafficClass = tos;
  else Ip4.at(ip).retos(tos);
}

/** TTL or hop limit. */
export function ttlOf(ip: usize): u32 {
  return isIp6(ip) ? Ip6.at(ip).hopLimit : Ip4.at(ip).ttl;
}

/** One less; the caller knows that it is not 0. */
export function decrementTtl(ip: usize): void {
  if (isIp6(ip)) Ip6.at(ip).hopLimit--;
  else Ip4.at(ip).decrementTtl();
}

/** Octets of the header, without extension headers. */
export function headerLengthOf(ip: usize): u32 {
  return isIp6(ip) ? IP6_LEN : Ip4.at(ip).headerLength;
}

/** The sum of the pseudo-header of a transport over either family (RFC 9293 §3.1, RFC 8200 §8.1); `length` is below 2^16. */
export function pseudoSum(ip: usize, protocol: u32, length: u32): u64 {
  if (!isIp6(ip)) return sumPseudo(Ip4.at(ip).src, Ip4.at(ip).dst, protocol, length);
  return <u64>wordsOf6(Ip6.at(ip).src) + wordsOf6(Ip6.at(ip).dst) + protocol + length;
}

import { PROTO_TCP } from "../abi/wire";
import { fold, sumPseudo, sumWords } from "./checksum";
import { Ip4 } from "./ip4";
import { Udp } from "./udp";

/** Whether the checksum of a TCP or UDP segment behind an IPv4 header is right; a UDP checksum of 0 is. */
export function isSegmentIntact(ip: Ip4): bool {
  const header = ip.headerLength;
  const segment = changetype<usize>(ip) + header;
  const isTcp = ip.protocol == PROTO_TCP;
  if (!isTcp && Udp.at(segment).checksum == 0) return true;
  const length = isTcp ? ip.totalLength - header : Udp.at(segment).length;
  return fold(sumPseudo(ip.src, ip.dst, ip.protocol, length) + sumWords(segment, length)) == 0xffff;
}

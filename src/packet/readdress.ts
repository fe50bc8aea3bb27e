import * as wire from "../../assembly/abi/wire.js";
import type { Ip } from "../net/ip.js";
import type { HostPort } from "../net/port.js";
import { read16 } from "./octets.js";

/** Where the transports' checksums stand. */
const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [wire.PROTO_TCP]: wire.TCP_CHECKSUM,
  [wire.PROTO_UDP]: wire.UDP_CHECKSUM,
};

const IP4 = { src: wire.IP4_SRC, dst: wire.IP4_DST, protocolAt: wire.IP4_PROTOCOL, length: wire.IP4_LEN };
const IP6 = { src: wire.IP6_SRC, dst: wire.IP6_DST, protocolAt: wire.IP6_NEXT_HEADER, length: wire.IP6_LEN };

/** What a checksum's words are changed by. */
type Delta = number;

function write16(octets: Uint8Array, at: number, value: number): Delta {
  const old = read16(octets, at);
  octets[at] = value >>> 8;
  octets[at + 1] = value & 0xff;
  return 0xffff - old + value;
}

function writeIp(octets: Uint8Array, at: number, ip: Ip): Delta {
  if (typeof ip === "number") return write16(octets, at, ip >>> 16) + write16(octets, at + 2, ip & 0xffff);
  let delta = 0;
  for (let word = 0; word < 8; word++)
    delta += write16(octets, at + 2 * word, Number((ip >> BigInt(112 - 16 * word)) & 0xffffn));
  return delta;
}

/** HC' = ~(~HC + ~m + m') (RFC 1624 §3). */
function patched(checksum: number, delta: Delta): number {
  let sum = 0xffff - checksum + delta;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
}

/**
 * A copy of a frame as tcp() or udp() makes it, from and to other ends of its family; checksums follow (RFC 1624).
 * TypeError for another transport or family.
 */
export function readdress(frame: Uint8Array, from: HostPort, to: HostPort): Uint8Array {
  const is4 = read16(frame, wire.ETH_TYPE) === wire.ETH_TYPE_IP4;
  const { src, dst, protocolAt, length } = is4 ? IP4 : IP6;
  const [ip, transport] = [wire.ETH_LEN, wire.ETH_LEN + length];
  const protocol = frame[ip + protocolAt] ?? 0;
  const checksumAt = CHECKSUM_AT[protocol];
  const fits = [from, to].every(({ address }) => (typeof address === "number") === is4);
  if (checksumAt === undefined || !fits)
    throw new TypeError("A frame of TCP or UDP is readdressed, and to ends of its own family.");
  const octets = frame.slice();
  const addresses = writeIp(octets, ip + src, from.address) + writeIp(octets, ip + dst, to.address);
  const ports = write16(octets, transport, from.port) + write16(octets, transport + 2, to.port);
  const header = ip + wire.IP4_CHECKSUM;
  if (is4) write16(octets, header, patched(read16(octets, header), addresses));
  const checksum = patched(read16(octets, transport + checksumAt), addresses + ports);
  // Of UDP none is 0: that would say that there is no checksum (RFC 768).
  write16(octets, transport + checksumAt, checksum || (protocol === wire.PROTO_UDP ? 0xffff : 0));
  return octets;
}

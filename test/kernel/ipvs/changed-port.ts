import { describePacket } from "../../../src/packet/describe.js";

const CHECKSUM_LEN = 2;
const PORT_LEN = 2;
/** Where a checksum stands behind the ports: of TCP 16 octets from the header's start, of UDP 6, of SCTP 8. */
const CHECKSUM_AT: Readonly<Record<string, readonly [at: number, length: number]>> = {
  tcp: [16, CHECKSUM_LEN],
  udp: [6, CHECKSUM_LEN],
  sctp: [8, 2 * CHECKSUM_LEN],
};

/** Whether the second of two frames has another source port than the first: connection tracking had to choose one. */
export function isFromOtherPort(one: Uint8Array, other: Uint8Array): boolean {
  const [own, others] = [describePacket(one), describePacket(other)];
  if (own.srcPort === undefined || others.srcPort === undefined) return false;
  return own.src === others.src && own.srcPort !== others.srcPort;
}

/** Takes source port and checksum out of an IP packet whose transport header begins there. */
export function withoutPort(packet: Uint8Array, protocol: string, transport: number): void {
  const [at, length] = CHECKSUM_AT[protocol] ?? [0, 0];
  packet.fill(0, transport, transport + PORT_LEN);
  packet.fill(0, transport + at, transport + at + length);
}

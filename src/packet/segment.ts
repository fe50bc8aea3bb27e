import * as wire from "../../assembly/abi/wire.js";
import type { Ip4 } from "../net/ip.js";
import { tcp, udp } from "./build.js";

/** A connection's 5-tuple. */
export interface Flow {
  readonly protocol: "TCP" | "UDP";
  readonly src: Ip4;
  readonly srcPort: number;
  readonly dst: Ip4;
  readonly dstPort: number;
}

/** Octets of the smallest Ethernet frame without its FCS; with it 64. */
export const SEGMENT_LEN = 60;

const L4 = wire.ETH_LEN + wire.IP4_LEN;
/** TCP and UDP have their ports at the same places. */
const SRC_PORT = L4 + wire.TCP_SRC;
const DST_PORT = L4 + wire.TCP_DST;
const SRC = wire.ETH_LEN + wire.IP4_SRC;
const DST = wire.ETH_LEN + wire.IP4_DST;
const NOWHERE = "0.0.0.0:0";

/** Frames of which only the 5-tuple is still to be filled in. */
const TEMPLATES = {
  opening: tcp(NOWHERE, NOWHERE),
  middle: tcp(NOWHERE, NOWHERE, { flags: "A", seq: 1, ack: 1 }),
  datagram: udp(NOWHERE, NOWHERE, { payload: SEGMENT_LEN - L4 - wire.UDP_LEN }),
} as const;

/** Adds words to what a one's-complement checksum covers (RFC 1624). */
function patch(view: DataView, at: number, words: number): void {
  let sum = 0xffff - view.getUint16(at) + words;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  view.setUint16(at, 0xffff - sum);
}

const wordsOf = (address: Ip4) => Math.floor(address / 0x10000) + (address & 0xffff);

const viewOf = (octets: Uint8Array) => new DataView(octets.buffer, octets.byteOffset, octets.byteLength);

/**
 * Writes a frame of SEGMENT_LEN octets: a flow's opening packet (a SYN) or one from its middle (an ACK); of UDP both
 * are the same. Checksums are good. Many times as fast as `tcp` and `udp`, for whoever needs frames by the thousand.
 */
export function writeSegment(into: Uint8Array, flow: Flow, kind: "opening" | "middle"): void {
  const isUdp = flow.protocol === "UDP";
  into.fill(0, 0, SEGMENT_LEN);
  into.set(TEMPLATES[isUdp ? "datagram" : kind]);
  const view = viewOf(into);
  view.setUint32(SRC, flow.src);
  view.setUint32(DST, flow.dst);
  view.setUint16(SRC_PORT, flow.srcPort);
  view.setUint16(DST_PORT, flow.dstPort);
  const addresses = wordsOf(flow.src) + wordsOf(flow.dst);
  patch(view, wire.ETH_LEN + wire.IP4_CHECKSUM, addresses);
  const checksum = L4 + (isUdp ? wire.UDP_CHECKSUM : wire.TCP_CHECKSUM);
  patch(view, checksum, addresses + flow.srcPort + flow.dstPort);
}

/**
 * What the receiver of a TCP or UDP frame sends back: ends exchanged, a SYN answered by SYN and ACK. A good checksum
 * stays good. `tunnelled`: the frame stands behind VXLAN's outer headers, which the reply then lacks. IPv4 options
 * are not expected.
 */
export function replyTo(frame: Uint8Array, tunnelled: boolean): Uint8Array {
  const reply = frame.slice(tunnelled ? wire.VXLAN_OUTER_LEN : 0);
  const view = viewOf(reply);
  const [src, dst] = [view.getUint32(SRC), view.getUint32(DST)];
  const [srcPort, dstPort] = [view.getUint16(SRC_PORT), view.getUint16(DST_PORT)];
  view.setUint32(SRC, dst);
  view.setUint32(DST, src);
  view.setUint16(SRC_PORT, dstPort);
  view.setUint16(DST_PORT, srcPort);
  const isSyn = view.getUint8(L4 + wire.TCP_FLAGS) === wire.TCP_FLAG_SYN;
  if (view.getUint8(wire.ETH_LEN + wire.IP4_PROTOCOL) === wire.PROTO_TCP && isSyn) {
    view.setUint8(L4 + wire.TCP_FLAGS, wire.TCP_FLAG_SYN | wire.TCP_FLAG_ACK);
    patch(view, L4 + wire.TCP_CHECKSUM, wire.TCP_FLAG_ACK);
  }
  return reply;
}

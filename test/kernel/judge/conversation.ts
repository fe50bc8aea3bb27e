import {
  ETH_LEN,
  IP4_LEN,
  IP4_PROTOCOL,
  PROTO_UDP,
  UDP_DST,
  VXLAN_OUTER_LEN,
} from "../../../assembly/abi/wire.js";
import { read16 } from "../../../src/packet/octets.js";

/** Name of the way that is no interface: made by the node, or delivered to it. */
export const NODE_WAY = "";

/** A packet on its way into the node: the interface it comes by, and the whole frame, with a header where it has none. */
export interface Entering {
  readonly way: string;
  readonly frame: Uint8Array;
  /** What is sent instead of the frame: fragments of its packet, in their order. */
  readonly pieces?: readonly Uint8Array[];
  /** Those that were sent with an earlier packet of the conversation. */
  readonly earlier?: readonly Uint8Array[];
}

/** A packet that came out: the interface, and the frame; delivered ones are without an Ethernet header. */
export interface Leaving {
  readonly way: string;
  readonly octets: Uint8Array;
  /** As what it came out, if in fragments. */
  readonly pieces?: readonly Leaving[];
}

/** What came in, without a tunnel's outer headers. */
export function opened({ way, frame }: Entering): Entering {
  return { way, frame: isVxlan(frame) ? frame.subarray(VXLAN_OUTER_LEN) : frame };
}

/** Whether it came out by the tunnel. */
export const isTunnelled = (leaving: Leaving): boolean => outerLength(leaving) > ETH_LEN;

/** Octets before the IP packet in what came out: links, and a tunnel's outer headers. */
export function outerLength({ way, octets }: Leaving): number {
  if (way === NODE_WAY) return 0;
  return isVxlan(octets) ? ETH_LEN + VXLAN_OUTER_LEN : ETH_LEN;
}

/** The IP packet in what came out, of a tunnel's the inner one. */
export function packetOf(leaving: Leaving): Uint8Array {
  return leaving.octets.subarray(outerLength(leaving));
}

/** flannel's port. */
export const VXLAN_PORT = 8472;

/** Whether a frame is VXLAN over IPv4 without options. */
function isVxlan(frame: Uint8Array): boolean {
  const udp = ETH_LEN + IP4_LEN;
  const isUdp = frame[ETH_LEN] === 0x45 && frame[ETH_LEN + IP4_PROTOCOL] === PROTO_UDP;
  return isUdp && frame.length >= ETH_LEN + VXLAN_OUTER_LEN && read16(frame, udp + UDP_DST) === VXLAN_PORT;
}

/**
 * What one side, kernel or machine, has said of a conversation so far. They differ in the ports that each chose; a
 * later packet is made from what the side has said itself.
 */
export interface Said {
  /** The conversation's first packet, as it came in. */
  readonly opening: Entering;
  /** The last packet that came out in its direction, at the server's end. */
  there?: Leaving;
  /** The last one of the other direction, at the client's. */
  back?: Leaving;
}

/** One packet of a conversation. */
export interface Step {
  readonly name: string;
  /** Towards the server or the client; what comes out is remembered as that. */
  readonly direction: "there" | "back" | "aside";
  /** The packet, marked with the tag; undefined where what it would answer never came. */
  make(said: Said, tag: number): Entering | undefined;
}

/** A first packet and what follows it. */
export interface Conversation {
  readonly kind: string;
  readonly steps: readonly Step[];
  /** Its answers go to a port of the node that is a Service's too, and may open connections themselves. */
  readonly isFromNodePort?: boolean;
}

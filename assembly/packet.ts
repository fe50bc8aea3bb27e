import { INTERFACE_NODE } from "./abi/packet";
import { DROP_MULTICAST, DROP_TCP_RESET, VERDICT_DROP, VERDICT_PUNT, VERDICT_REJECT } from "./abi/verdict";
import { ETH_DST, ETH_GROUP } from "./abi/wire";
import { hashTuple, hashTuple6 } from "./hash";
import { Image } from "./image";
import { State } from "./state";

/**
 * One packet on its way: where its octets are, and what the stages have found so far. Values are in host order.
 * src, dst and ports are what the next rule sees; frame… are what conntrack saw, which is what stands in the frame until
 * it is translated, unless conntrack looked again at what IPVS sends on. Of an IPv6 address src and dst are the last
 * word, and …High the three words before it in their order (lane 3 is 0); of an IPv4 address …High is 0.
 */
@unmanaged
@final
export class Packet {
  image: Image;
  state: State;
  /** Address of the batch, and this packet's number in it. */
  batch: u32;
  index: u32;
  /** Addresses of the slot, the frame, the IP header and the transport header. */
  slot: u32;
  frame: u32;
  ip: u32;
  transport: u32;
  /** Octets of the frame. */
  length: u32;
  /** Octets from the transport header to the IP packet's end. */
  segment: u32;
  /** FAULT_ code of the transport header. */
  fault: u32;

  src: u32;
  dst: u32;
  /** src << 16 | dst; 0 where the protocol has none. */
  ports: u32;
  /** Of IPv6, what stands behind the extension headers. */
  protocol: u32;
  frameSrc: u32;
  frameDst: u32;
  framePorts: u32;
  tcpFlags: u32;
  /**
   * Of an ICMP query or an answer to one: identifier << 16 | type << 8 | code, as it leaves and as it stands in the
   * frame. The connection table has it for ports.
   */
  query: u32;
  frameQuery: u32;

  /** TOS of the tunnel's header that was taken off. */
  tunnelTos: u32;
  /** That tunnel's UDP checksum, 0 for none. */
  tunnelSum: u32;

  in: u32;
  mark: u32;
  /** CTSTATE_ bits. */
  ctstate: u32;
  /** Connection record and direction (record << 1 | direction), 0 for none. */
  flow: u32;
  /** A MASQUERADE was decided: 1 keep the port if free, 2 random-fully. */
  masquerade: u32;
  /** Number, address and kind of the next hop. */
  hop: u32;
  hopAddress: u32;
  hopKind: u32;
  /** IPVS_ bits: what IPVS did to the packet. */
  ipvs: u32;

  walked: u32;
  verdict: u32;
  reason: u32;
  /** 4 or 6. */
  family: u32;

  /** HOOK_ number, of IPv4, whose rules are walked. */
  hook: u32;
  /** TRANSLATED_ bits: what a rule decided. */
  translated: u32;
  /** Source ports that a rule allows, first | last << 16; 0 for those that the kernel would try. */
  sourcePorts: u32;
  /** The mark of a connection that is not open yet. */
  connmark: u32;
  /** The chain of the rule that cannot be evaluated; `hop` is its number there. */
  undecidedIn: u32;
  /** Of an answer: the address of the packet that it quotes, where it is to come from that one's destination; else 0. */
  answered: u32;
  /** The connection of IPVS' that it belongs to (a record of table/ipvs), 0 for none. */
  session: u32;
  /** Hops that are behind it and that its TTL does not tell yet. */
  aged: u32;
  /** IPVS_DIRECT: the last word of the real server's address, which is the way but not the destination. */
  via: u32;

  /** Of a datagram that came in fragments: where what PARTS_ says of them stands, else 0. */
  parts: u32;
  /** Octets of the largest of them, as an IP packet. */
  largest: u32;

  srcHigh: v128;
  dstHigh: v128;
  frameSrcHigh: v128;
  frameDstHigh: v128;

  /** A fragment of IPv6 that goes on as it is (nf_ct_frag6_gather). */
  isLoose: u32;
  /** A rule asked what another packet of its connection may not have in common with it, or noted or drew something. */
  isAlone: u32;

  @inline
  static at(address: usize): Packet {
    return changetype<Packet>(address);
  }

  /** All fields 0. Stores, since `memory.fill` of so few octets costs a call out of the machine. */
  clear(): void {
    const zero = i32x4.splat(0);
    for (let at: u32 = 0; at < PACKET_LEN; at += 16) v128.store(changetype<usize>(this) + at, zero);
  }

  @inline
  get srcPort(): u32 {
    return this.ports >> 16;
  }

  @inline
  get dstPort(): u32 {
    return this.ports & 0xffff;
  }

  /** IPVS sends the packet on, as a router does. */
  @inline
  get isScheduled(): bool {
    return (this.ipvs & IPVS_SENT) != 0;
  }

  /** Octets of the IP packet. */
  @inline
  get ipLength(): u32 {
    return this.transport + this.segment - this.ip;
  }

  /** The whole address of a packet of IPv6, its words in their order. */
  @inline
  get src6(): v128 {
    return v128.replace_lane<u32>(this.srcHigh, 3, this.src);
  }

  set src6(address: v128) {
    this.src = v128.extract_lane<u32>(address, 3);
    this.srcHigh = v128.replace_lane<u32>(address, 3, 0);
  }

  @inline
  get dst6(): v128 {
    return v128.replace_lane<u32>(this.dstHigh, 3, this.dst);
  }

  set dst6(address: v128) {
    this.dst = v128.extract_lane<u32>(address, 3);
    this.dstHigh = v128.replace_lane<u32>(address, 3, 0);
  }

  @inline
  get frameSrc6(): v128 {
    return v128.replace_lane<u32>(this.frameSrcHigh, 3, this.frameSrc);
  }

  @inline
  get frameDst6(): v128 {
    return v128.replace_lane<u32>(this.frameDstHigh, 3, this.frameDst);
  }

  /** Of the 5-tuple that rules see. */
  get tupleHash(): u32 {
    if (this.family == 6) return hashTuple6(this.src6, this.dst6, this.ports, this.protocol);
    return hashTuple(this.src, this.dst, this.ports, this.protocol);
  }

  /** It came in a frame to many: a broadcast or multicast MAC address. */
  get isForMany(): bool {
    return this.in != INTERFACE_NODE && (load<u8>(this.frame, ETH_DST) & ETH_GROUP) != 0;
  }

  @inline
  get isUndecided(): bool {
    return this.verdict == 0;
  }

  /** Each of these decides, and returns false: the stages stop here. */
  drop(reason: u32): bool {
    return this.decide(VERDICT_DROP, reason);
  }

  /** A frame to many is answered by no ICMP error (icmp_send, icmp6_send), but by a TCP RST. */
  reject(reason: u32): bool {
    if (reason != DROP_TCP_RESET && this.isForMany) return this.drop(DROP_MULTICAST);
    return this.decide(VERDICT_REJECT, reason);
  }

  punt(reason: u32): bool {
    return this.decide(VERDICT_PUNT, reason);
  }

  decide(verdict: u32, reason: u32): bool {
    this.verdict = verdict;
    this.reason = reason;
    return false;
  }
}

/** What conntrack finds wrong with a transport header. Nothing, or there is none to look at. */
export const FAULT_NONE: u32 = 0;
/** A length in it does not fit the packet: the ports are there all the same. */
export const FAULT_LENGTH: u32 = 1;
/** It is not all there, or nothing is (IPv6's no next header). */
export const FAULT_CUT: u32 = 2;

/** A rule gave the packet its destination, or source; or decided that it stays. */
export const TRANSLATED_DST: u32 = 1;
export const TRANSLATED_SRC: u32 = 2;

/** IPVS has seen to the packet, and is not asked again (ipvs_property). */
export const IPVS_SEEN: u32 = 1;
/** It gave it another destination; or, of what servers answer, another source. */
export const IPVS_DST: u32 = 2;
export const IPVS_SRC: u32 = 4;
/** It sends it on as a router does, even the node's own, and even to where it came from (decrement_ttl in ip_vs_xmit.c). */
export const IPVS_SENT: u32 = 8;
/** A rule had given it another destination before. */
export const IPVS_BEHIND_DNAT: u32 = 16;
/** conntrack does not learn of the server: IPVS rewrites nothing, or nobody is to answer. */
export const IPVS_APART: u32 = 32;
/** It goes to the real server's link as it is. */
export const IPVS_DIRECT: u32 = 64;
/** It goes to the real server inside another packet. */
export const IPVS_TUNNEL: u32 = 128;

/** conntrack looked at it again behind IPVS: frame… are what it had become. */
export const IPVS_AGAIN: u32 = 256;
/** It is an ICMP error, and IPVS begins a connection for what it quotes. */
export const IPVS_QUOTES: u32 = 512;

/** Octets of a descriptor in a batch's scratch. */
export const PACKET_LEN: u32 = (offsetof<Packet>() + 63) & ~63;

import type { DropReason } from "./codes.js";

/** Every reason in words that stand behind «drop», «reject» or «punt». */
const REASON_WORDS: Readonly<Record<DropReason, string>> = {
  NONE: "",
  TRUNCATED: "the frame is shorter than its headers say",
  BAD_HEADER: "an IP header that no host may send",
  BAD_CHECKSUM: "a header's checksum is wrong",
  TTL_EXCEEDED: "its TTL is used up",
  NO_ROUTE: "no route to its destination",
  NO_NEIGHBOUR: "no neighbour entry for its next hop",
  RULE: "a rule says DROP",
  PORT_UNREACHABLE: "ICMP port unreachable",
  NO_DESTINATION: "ICMP port unreachable: no endpoints",
  FLOW_TABLE_FULL: "the connection table is full",
  NO_PORT: "no free source port to masquerade with",
  FRAGMENTATION_NEEDED: "larger than the way out takes, and not to be fragmented",
  UNKNOWN_VNI: "a tunnel of another VNI, or without one",
  TUNNEL_HEADER: "Geneve of another version, or around no Ethernet frame",
  TUNNEL_CONTROL: "a Geneve control message, which is not to be forwarded",
  TUNNEL_OPTION: "Geneve with critical options that are not known",
  CHAIN_DEPTH: "jumps nest deeper than the kernel allows",
  NO_HEADROOM: "no headroom in its slot to encapsulate",
  BAD_SLOT: "the frame lies outside its slot",
  ECN: "marked congested by the tunnel, and not ECN-capable",
  NOT_IP: "neither IPv4 nor IPv6",
  MARTIAN: "an address that no packet from outside may have (martian)",
  VLAN: "a VLAN-tagged frame (802.1Q)",
  LINK_LOCAL: "to a link-local address",
  BEYOND_SCOPE: "a link-local source, which leaves its link by no router",
  IP6_OPTION: "a hop-by-hop option that may not pass",
  NO_CONNECTION: "it belongs to no connection",
  NO_TUNNEL: "it came by no tunnel",
  FRAGMENT: "a fragment",
  NEEDS_FRAGMENTING: "larger than the way out takes: it would be fragmented",
  MULTICAST: "multicast or broadcast",
  PROTOCOL: "a transport protocol that is not balanced",
  UNDECIDED: "a rule asks what this program does not know",
  NET_UNREACHABLE: "ICMP network unreachable",
  HOST_UNREACHABLE: "ICMP host unreachable",
  PROTOCOL_UNREACHABLE: "ICMP protocol unreachable",
  NET_PROHIBITED: "ICMP network prohibited",
  HOST_PROHIBITED: "ICMP host prohibited",
  ADMIN_PROHIBITED: "ICMP administratively prohibited",
  POLICY_FAIL: "ICMPv6 source address failed policy",
  REJECT_ROUTE: "ICMPv6 reject route to destination",
  TCP_RESET: "TCP reset",
  NO_ADDRESS: "the interface that it came in by has no address to redirect it to",
};

/** A reason in words; "" for NONE. */
export function reasonWords(reason: DropReason): string {
  return REASON_WORDS[reason];
}

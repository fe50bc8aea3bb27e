import { TUNNEL_GENEVE } from "../../assembly/abi/entry.js";
import * as verdict from "../../assembly/abi/verdict.js";
import * as wire from "../../assembly/abi/wire.js";
import type { RulesetEntries } from "../../src/engine/live/ruleset.js";
import type { Hops } from "./hops.js";
import type { Packet } from "./packet.js";
import { isGoodHeader } from "./wire.js";

/** Validates a frame and reads what the stages ask for. */
export function parse(view: DataView, packet: Packet): boolean {
  const { frame, length } = packet;
  if (length < wire.ETH_LEN || view.getUint16(frame + wire.ETH_TYPE) !== wire.ETH_TYPE_IP4)
    return packet.decide(verdict.VERDICT_PUNT, verdict.DROP_NOT_IP);
  const ip = frame + wire.ETH_LEN;
  if (!isGoodHeader(view, ip, length - wire.ETH_LEN))
    return packet.decide(verdict.VERDICT_DROP, verdict.DROP_BAD_HEADER);
  packet.ip = ip;
  packet.src = packet.frameSrc = view.getInt32(ip + wire.IP4_SRC);
  packet.dst = packet.frameDst = view.getInt32(ip + wire.IP4_DST);
  packet.protocol = view.getUint8(ip + wire.IP4_PROTOCOL);
  if (packet.dst >>> 28 >= 14) return packet.decide(verdict.VERDICT_PUNT, verdict.DROP_MULTICAST);
  if ((view.getUint16(ip + wire.IP4_FRAGMENT) & ~wire.IP4_FLAG_DF) !== 0)
    return packet.decide(verdict.VERDICT_PUNT, verdict.DROP_FRAGMENT);
  return parseTransport(view, packet);
}

function parseTransport(view: DataView, packet: Packet): boolean {
  const { ip } = packet;
  const header = (view.getUint8(ip) & 15) << 2;
  const room = view.getUint16(ip + wire.IP4_TOTAL_LENGTH) - header;
  const isTcp = packet.protocol === wire.PROTO_TCP;
  if (!isTcp && packet.protocol !== wire.PROTO_UDP)
    return packet.decide(verdict.VERDICT_PUNT, verdict.DROP_PROTOCOL);
  if (room < (isTcp ? wire.TCP_LEN : wire.UDP_LEN))
    return packet.decide(verdict.VERDICT_DROP, verdict.DROP_TRUNCATED);
  packet.transport = ip + header;
  packet.ports = packet.framePorts = view.getInt32(packet.transport);
  packet.tcpFlags = isTcp ? view.getUint8(packet.transport + wire.TCP_FLAGS) : 0;
  return true;
}

/** Takes a tunnel's outer headers off, if the packet is for this node's, and parses what is inside. */
export function decap(
  view: DataView,
  packet: Packet,
  tunnel: RulesetEntries["tunnels"][number],
  hops: Hops,
): boolean {
  if (packet.protocol !== wire.PROTO_UDP || (packet.ports & 0xffff) !== tunnel.port) return true;
  if (!hops.isLocal(packet.dst)) return true;
  const header = packet.transport + wire.UDP_LEN;
  const isGeneve = tunnel.kind === TUNNEL_GENEVE;
  const hasVni = isGeneve || (view.getUint8(header + wire.VXLAN_FLAGS) & wire.VXLAN_FLAG_VNI) !== 0;
  if (!hasVni || view.getUint32(header + wire.VXLAN_VNI) >>> 8 !== tunnel.vni)
    return packet.decide(verdict.VERDICT_DROP, verdict.DROP_UNKNOWN_VNI);
  // Both headers have eight octets and the VNI in one place; options follow Geneve's.
  const length = isGeneve ? wire.GENEVE_LEN + (view.getUint8(header) & 63) * 4 : wire.VXLAN_LEN;
  packet.frame = header + length;
  packet.length = view.getUint16(packet.transport + wire.UDP_LENGTH) - wire.UDP_LEN - length;
  packet.in = tunnel.in;
  return parse(view, packet);
}

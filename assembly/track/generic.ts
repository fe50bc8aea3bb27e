import { SETTING_GENERIC_TIMEOUT, SETTING_GRE_TIMEOUT, SETTING_GRE_TIMEOUT_STREAM } from "../abi/setting";
import { Packet } from "../packet";
import { Connection, FLOW_FLAG_ASSURED, FLOW_STATE_NEW } from "../table/flow/layout";
import { refresh } from "./timer";

/** Moves a connection of a protocol that nobody looks into on by one of its packets. */
export function advanceGeneric(packet: Packet, connection: Connection): void {
  refresh(packet, connection, packet.image.setting(SETTING_GENERIC_TIMEOUT));
}

/** The same of GRE (nf_conntrack_gre_packet), without PPTP's call numbers. */
export function advanceGre(packet: Packet, connection: Connection): void {
  const isStream = connection.state != FLOW_STATE_NEW;
  if (isStream) connection.flags |= FLOW_FLAG_ASSURED;
  const code = isStream ? SETTING_GRE_TIMEOUT_STREAM : SETTING_GRE_TIMEOUT;
  refresh(packet, connection, packet.image.setting(code));
}

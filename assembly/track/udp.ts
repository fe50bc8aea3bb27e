import { SETTING_UDP_TIMEOUT, SETTING_UDP_TIMEOUT_STREAM } from "../abi/setting";
import { Image } from "../image";
import { Connection, FLOW_FLAG_ASSURED, FLOW_STATE_NEW } from "../table/flow/layout";

/** Milliseconds after which UDP with replies counts as a stream. */
const STREAM_AFTER: u64 = 2000;

/** The two words of UDP's own are the time from which it counts as a stream. */
function streamFrom(connection: Connection): usize {
  return changetype<usize>(connection) + offsetof<Connection>("detail0");
}

export function beginUdp(connection: Connection, now: u64): void {
  store<u64>(streamFrom(connection), now + STREAM_AFTER);
}

/** Moves a connection on by one of its datagrams (nf_conntrack_udp_packet). */
export function advanceUdp(image: Image, connection: Connection, now: u64): void {
  let seconds = image.setting(SETTING_UDP_TIMEOUT);
  if (connection.state != FLOW_STATE_NEW && now > load<u64>(streamFrom(connection))) {
    seconds = image.setting(SETTING_UDP_TIMEOUT_STREAM);
    connection.flags |= FLOW_FLAG_ASSURED;
  }
  connection.expires = now + <u64>seconds * 1000;
}

import { PROTO_TCP, TCP_FLAG_ACK, TCP_FLAG_FIN, TCP_FLAG_RST, TCP_FLAG_SYN } from "../../abi/wire";
import {
  Connection,
  DIRECTION_REPLY,
  FLOW_STATE_CLOSING,
  FLOW_STATE_ESTABLISHED,
  FLOW_STATE_NEW,
} from "./layout";

/** Milliseconds (nf_conntrack's defaults; kube-proxy's --conntrack-tcp-timeout-established is 24 h). */
const TCP_NEW: u64 = 120_000;
const TCP_ESTABLISHED: u64 = 86_400_000;
const TCP_FIN: u64 = 120_000;
const TCP_RST: u64 = 10_000;
const UDP_NEW: u64 = 30_000;
const UDP_ESTABLISHED: u64 = 120_000;

const WAY: u32 = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_FIN | TCP_FLAG_RST;

/** Whether flags can begin a connection: SYN, or in its middle ACK (nf_conntrack_tcp_loose = 1). */
export function opens(flags: u32): bool {
  const way = flags & WAY;
  return way == TCP_FLAG_SYN || way == TCP_FLAG_ACK;
}

/** A SYN of a new connection between the same ports after the old one was closing. */
export function reopens(connection: Connection, flags: u32): bool {
  return connection.state == FLOW_STATE_CLOSING && (flags & WAY) == TCP_FLAG_SYN;
}

function timeout(connection: Connection, flags: u32): u64 {
  if (connection.protocol != PROTO_TCP) return connection.state == FLOW_STATE_NEW ? UDP_NEW : UDP_ESTABLISHED;
  if (connection.state == FLOW_STATE_CLOSING) return (flags & TCP_FLAG_RST) != 0 ? TCP_RST : TCP_FIN;
  return connection.state == FLOW_STATE_NEW ? TCP_NEW : TCP_ESTABLISHED;
}

/** Moves a connection on for a packet that belongs to it, and restarts its timer. */
export function advance(connection: Connection, direction: u32, flags: u32, now: u64): void {
  if (connection.state == FLOW_STATE_NEW && direction == DIRECTION_REPLY)
    connection.state = FLOW_STATE_ESTABLISHED;
  if ((flags & (TCP_FLAG_FIN | TCP_FLAG_RST)) != 0) connection.state = FLOW_STATE_CLOSING;
  connection.expires = now + timeout(connection, flags);
}

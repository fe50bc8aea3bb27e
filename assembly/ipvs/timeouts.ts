import {
  VS_SCTP_ESTABLISHED,
  VS_SCTP_INIT1,
  VS_SCTP_NONE,
  VS_SCTP_REJECTED,
  VS_TCP_CLOSE,
  VS_TCP_CLOSE_WAIT,
  VS_TCP_ESTABLISHED,
  VS_TCP_FIN_WAIT,
  VS_TCP_LAST_ACK,
  VS_TCP_NONE,
  VS_TCP_SYN_RECV,
} from "../abi/session";
import { SETTING_VS_TIMEOUT_TCP, SETTING_VS_TIMEOUT_TCP_FIN, SETTING_VS_TIMEOUT_UDP } from "../abi/setting";
import { Image } from "../image";

/** Milliseconds. A new connection's before any packet moved it, and those of a template that is put off. */
export const TIMEOUT_NEW: u64 = 3000;
export const TIMEOUT_PUT_OFF: u64 = 60000;

const ESTABLISHED: u32 = 900;
const FIN_WAIT: u32 = 120;
const UDP: u32 = 300;
const SCTP_RTO: u32 = 61;
const SCTP_SHORT: u32 = 4;

/** Seconds that `ipvsadm --set` gave; 0 leaves the kernel's own. */
function given(image: Image, code: u32, own: u32): u32 {
  const seconds = image.setting(code);
  return seconds != 0 ? seconds : own;
}

function tcpSeconds(image: Image, state: u32): u32 {
  if (state == VS_TCP_ESTABLISHED) return given(image, SETTING_VS_TIMEOUT_TCP, ESTABLISHED);
  if (state == VS_TCP_FIN_WAIT) return given(image, SETTING_VS_TIMEOUT_TCP_FIN, FIN_WAIT);
  if (state == VS_TCP_NONE) return 2;
  if (state == VS_TCP_SYN_RECV || state == VS_TCP_CLOSE_WAIT) return 60;
  if (state == VS_TCP_CLOSE) return 10;
  return state == VS_TCP_LAST_ACK ? 30 : 120;
}

function sctpSeconds(state: u32): u32 {
  if (state == VS_SCTP_NONE) return 2;
  if (state == VS_SCTP_INIT1 || state == VS_SCTP_REJECTED) return SCTP_SHORT;
  return state == VS_SCTP_ESTABLISHED ? ESTABLISHED : SCTP_RTO;
}

/** Milliseconds that a packet gives a session in a VS_TCP_ state (tcp_timeouts). */
export function tcpTimeout(image: Image, state: u32): u64 {
  return <u64>tcpSeconds(image, state) * 1000;
}

export function sctpTimeout(state: u32): u64 {
  return <u64>sctpSeconds(state) * 1000;
}

export function udpTimeout(image: Image): u64 {
  return <u64>given(image, SETTING_VS_TIMEOUT_UDP, UDP) * 1000;
}

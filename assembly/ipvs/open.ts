import { SESSION_FLAG_CONNTRACK, SESSION_FLAG_TEMPLATE } from "../abi/session";
import { SETTING_VS_CONNTRACK } from "../abi/setting";
import { Image } from "../image";
import { State } from "../state";
import { flow6SetAddresses } from "../table/flow/build6";
import { Connection, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { hashSession, openSession, reserveSession, unhashSession } from "../table/ipvs/build";
import { Side, TIMER_TEMPLATE } from "../table/ipvs/layout";
import { restart } from "../table/ipvs/wheel";
import { Destination, destinationAt } from "../table/ring/destinations";
import { bind, flagsFor } from "./destination";

/** Opening sessions (ip_vs_conn_new). */

const LAST: u8 = 3;

/** A destination's address, its words in their order. */
export function addressOfDestination(destination: Destination): v128 {
  const high = v128.load(changetype<usize>(destination) + offsetof<Destination>("high0"));
  return v128.replace_lane<u32>(high, LAST, destination.address);
}

function setAddresses(ipvs: State, connection: Connection, client: v128, virtual: v128, server: v128): void {
  if (connection.isIp6) {
    flow6SetAddresses(ipvs, connection, DIRECTION_ORIGINAL, client, virtual);
    flow6SetAddresses(ipvs, connection, DIRECTION_REPLY, server, client);
    return;
  }
  connection.src = connection.replyDst = v128.extract_lane<u32>(client, LAST);
  connection.dst = v128.extract_lane<u32>(virtual, LAST);
  connection.replySrc = v128.extract_lane<u32>(server, LAST);
}

/**
 * Opens a session of a destination, with a timer of so many milliseconds; 0 where the table is full. Addresses are four
 * words, of IPv4 the last of them; `ports` are the client's << 16 | the virtual one.
 */
export function openFor(
  image: Image,
  ipvs: State,
  isIp6: bool,
  protocol: u32,
  client: v128,
  virtual: v128,
  ports: u32,
  number: u32,
  port: u32,
  flags: u32,
  timeout: u64,
): u32 {
  const session = reserveSession(ipvs, isIp6);
  if (session == 0) return 0;
  const destination = destinationAt(image, number);
  const connection = connectionAt(ipvs, session);
  setAddresses(ipvs, connection, client, virtual, addressOfDestination(destination));
  connection.ports = ports;
  connection.replyPorts = (port << 16) | (ports >> 16);
  connection.protocol = protocol;
  const tracked = image.setting(SETTING_VS_CONNTRACK) != 0 ? SESSION_FLAG_CONNTRACK : 0;
  connection.flags = flags | flagsFor(destination) | tracked;
  bind(image, ipvs, connection, number);
  openSession(ipvs, session);
  const side = Side.of(ipvs, session);
  side.timeout = timeout;
  if ((flags & SESSION_FLAG_TEMPLATE) != 0) side.timer = TIMER_TEMPLATE;
  restart(ipvs, session, timeout);
  return session;
}

/** The port of a template that no connection is scheduled by any more. */
const PORT_GONE: u32 = 0xffff;

/** Renames a template whose destination is not to be had, so that nobody finds it (ip_vs_check_template). */
export function dismiss(ipvs: State, template: u32): void {
  const connection = connectionAt(ipvs, template);
  if ((connection.ports & 0xffff) == PORT_GONE) return;
  unhashSession(ipvs, template);
  connection.ports = PORT_GONE;
  connection.replyPorts = PORT_GONE << 16;
  hashSession(ipvs, template);
}

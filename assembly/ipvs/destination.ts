import { FORWARD_MASQUERADE } from "../abi/server";
import { SESSION_FLAG_INACTIVE, SESSION_FLAG_NO_OUTPUT, SESSION_FLAG_TEMPLATE } from "../abi/session";
import { Image } from "../image";
import { State } from "../state";
import { Connection } from "../table/flow/layout";
import { addSession, counterAt, moveSession, removeSession, settledRow } from "../table/ipvs/counters";
import { Ipvs } from "../table/ipvs/layout";
import { Destination, destinationAt } from "../table/ring/destinations";

/** Sessions and their destinations (struct ip_vs_dest). */

const FORWARD_CODE: u32 = 0xff;

/** The number of a session's destination, if that number is still the one's; else NO_DESTINATION. */
export const NO_DESTINATION: u32 = 0xffffffff;

export function numberOf(image: Image, ipvs: State, connection: Connection): u32 {
  const number = connection.detail0 - 1;
  if (number >= min<u32>(image.destinations, Ipvs.of(ipvs).destinationsRoom)) return NO_DESTINATION;
  return destinationAt(image, number).serial == connection.detail1 ? number : NO_DESTINATION;
}

/** Its destination has not left (IP_VS_DEST_CF_AVAILABLE). */
export function hasDestination(image: Image, ipvs: State, connection: Connection): bool {
  const number = numberOf(image, ipvs, connection);
  return number != NO_DESTINATION && destinationAt(image, number).service != 0;
}

/** What a session of a destination has from the start. */
export function flagsFor(destination: Destination): u32 {
  const forward = destination.forward & FORWARD_CODE;
  return forward | SESSION_FLAG_INACTIVE | (forward == FORWARD_MASQUERADE ? 0 : SESSION_FLAG_NO_OUTPUT);
}

function isTemplate(connection: Connection): bool {
  return (connection.flags & SESSION_FLAG_TEMPLATE) != 0;
}

/** Counts a new session with its destination (ip_vs_bind_dest). */
export function bind(image: Image, ipvs: State, connection: Connection, number: u32): void {
  connection.detail0 = number + 1;
  connection.detail1 = destinationAt(image, number).serial;
  addSession(settledRow(image, ipvs, number), isTemplate(connection));
}

/** And a session that ends (ip_vs_unbind_dest). */
export function unbind(image: Image, ipvs: State, connection: Connection): void {
  const number = numberOf(image, ipvs, connection);
  if (number == NO_DESTINATION) return;
  const isActive = (connection.flags & SESSION_FLAG_INACTIVE) == 0;
  removeSession(settledRow(image, ipvs, number), isTemplate(connection), isActive);
}

/** A session is active from now on, or inactive. */
export function setActive(image: Image, ipvs: State, connection: Connection, isActive: bool): void {
  const wasActive = (connection.flags & SESSION_FLAG_INACTIVE) == 0;
  if (wasActive == isActive) return;
  connection.flags ^= SESSION_FLAG_INACTIVE;
  const number = numberOf(image, ipvs, connection);
  // The row is the destination's since the session was bound to it.
  if (number != NO_DESTINATION) moveSession(counterAt(ipvs, number), isActive);
}

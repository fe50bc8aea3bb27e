import { BATCH_STRIDE, PARTS_COUNT, PARTS_ID, PARTS_LENGTHS } from "../../abi/packet";
import { Packet } from "../../packet";
import { Datagram, Store } from "./layout";

/** Where it stands until the packet leaves: the fewest octets that a fragment behind the first had before its data. */
export const REACH: u32 = PARTS_ID;

/** Where what is said of a packet's fragments stands, given the packet's end. */
export function placeBehind(packet: Packet, end: u32): u32 {
  return packet.batch + ((end - packet.batch + 3) & ~3);
}

/** Whether the slot has room for a packet that ends there, and for what is said of so many fragments. */
export function hasRoomBehind(packet: Packet, end: u32, count: u32): bool {
  const slotEnd = packet.slot + load<u32>(packet.batch, BATCH_STRIDE);
  return <u64>placeBehind(packet, end) + PARTS_LENGTHS + 2 * count <= <u64>slotEnd;
}

/** Notes of a datagram that stands in its slot in which fragments it came: it may leave in the same. */
export function noteParts(packet: Packet, kept: Store, datagram: Datagram): void {
  const at = placeBehind(packet, packet.frame + packet.length);
  let reach = u32.MAX_VALUE;
  let to = at + PARTS_LENGTHS;
  for (let number = datagram.first; number != 0; to += 2) {
    const fragment = kept.fragment(number);
    store<u16>(to, <u16>fragment.length);
    if (number != datagram.first) reach = min<u32>(reach, fragment.reach);
    number = fragment.next;
  }
  store<u16>(at, <u16>datagram.count, PARTS_COUNT);
  store<u32>(at, reach, REACH);
  packet.parts = at;
  packet.largest = datagram.largest;
}

import { Image } from "../../image";
import { Packet } from "../../packet";
import { State } from "../../state";
import { Entry, entryAt, Member, memberAt } from "./cache";
import { addEntry, addMember, dropMember, findEntry } from "./cache-entries";
import { Destination, destinationAt } from "./destinations";
import { REAL_DESTINATION, REAL_LEN, REAL_NONE, RING_BLOCK } from "./layout";
import { isOverloaded, overheadIn, rowOf } from "./loads";
import { countEntry, freshCache, isCrowded, isThere, placeOf, takeLeastOfAll } from "./local";

/** A set loses its most loaded member when it was the same for so long (milliseconds). */
const UNCHANGED: u64 = 24 * 60 * 60 * 1000;

/** A member's weight; 0 where its number is another destination's now. */
function weightOf(image: Image, member: Member): i64 {
  const one: Destination = destinationAt(image, member.destination);
  return one.serial == member.serial ? <i64>one.weight : 0;
}

function overheadOf(image: Image, state: State, member: Member): i64 {
  return <i64>overheadIn(rowOf(image, state, member.destination));
}

/** Whether a member is there, and not overloaded. */
function isFit(image: Image, state: State, member: Member): bool {
  const isOut = isOverloaded(rowOf(image, state, member.destination));
  return !isOut && isThere(image, member.destination, member.serial);
}

/** The least loaded member of a set that takes something, or 0 (ip_vs_dest_set_min). */
function leastOf(image: Image, state: State, cache: usize, entry: Entry): u32 {
  let least: u32 = 0;
  let leastOverhead: i64 = 0;
  let leastWeight: i64 = 0;
  for (let index = entry.members; index != 0; index = memberAt(cache, index).next) {
    const member = memberAt(cache, index);
    const weight = weightOf(image, member);
    if (!isFit(image, state, member) || (least == 0 && weight == 0)) continue;
    const overhead = overheadOf(image, state, member);
    if (least != 0 && leastOverhead * weight <= overhead * leastWeight) continue;
    least = index;
    leastOverhead = overhead;
    leastWeight = weight;
  }
  return least;
}

/** Takes the most loaded member that has weight from a set, there or not (ip_vs_dest_set_max). */
function dropMost(image: Image, state: State, cache: usize, entry: Entry): void {
  let most: usize = 0;
  let mostOverhead: i64 = 0;
  let mostWeight: i64 = 0;
  let link = changetype<usize>(entry) + offsetof<Entry>("members");
  while (load<u32>(link) != 0) {
    const member = memberAt(cache, load<u32>(link));
    const weight = weightOf(image, member);
    const overhead = overheadOf(image, state, member);
    if (weight > 0 && (most == 0 || mostOverhead * weight < overhead * mostWeight)) {
      most = link;
      mostOverhead = overhead;
      mostWeight = weight;
    }
    link = changetype<usize>(member) + offsetof<Member>("next");
  }
  if (most == 0) return;
  dropMember(cache, most);
  entry.size--;
  entry.changed = state.now;
}

/** Adds a server to an entry's set, unless it is a member. */
function join(packet: Packet, cache: usize, entry: Entry, ring: usize, picked: u32): void {
  const image = packet.image;
  const real = image.to(load<u32>(ring, RING_BLOCK)) + picked * REAL_LEN;
  const destination = load<u32>(real, REAL_DESTINATION);
  const serial = destinationAt(image, destination).serial;
  for (let index = entry.members; index != 0; index = memberAt(cache, index).next) {
    const member = memberAt(cache, index);
    if (member.destination == destination && member.serial == serial) return;
  }
  addMember(cache, entry, destination, serial, packet.state.now);
}

/** The place of the least loaded member of an address's set unless that is crowded, or REAL_NONE. */
function takeMember(packet: Packet, cache: usize, entry: Entry, ring: usize): u32 {
  const image = packet.image;
  const state = packet.state;
  const least = leastOf(image, state, cache, entry);
  // It is found before the set loses one, which may be that very one.
  const destination = least == 0 ? 0 : memberAt(cache, least).destination;
  const place = least == 0 ? 0 : memberAt(cache, least).place;
  if (entry.size > 1 && state.now > entry.changed + UNCHANGED) dropMost(image, state, cache, entry);
  if (least == 0 || isCrowded(image, state, ring, destination)) return REAL_NONE;
  const found = placeOf(image, ring, destination, place);
  memberAt(cache, least).place = found;
  return found;
}

/** The least loaded server of those that an address has, to which the least loaded of all is added where that is crowded (ip_vs_lblcr.c). */
export function takeReplicated(packet: Packet, ring: usize, number: u32, position: usize): u32 {
  const image = packet.image;
  const state = packet.state;
  const cache = freshCache(state, number, position);
  const found = cache == 0 ? 0 : findEntry(cache, number, packet);
  if (found != 0) {
    const entry = entryAt(cache, found);
    entry.used = state.now;
    const member = takeMember(packet, cache, entry, ring);
    if (member != REAL_NONE) return member;
  }
  const picked = takeLeastOfAll(image, state, ring);
  if (picked == REAL_NONE || cache == 0) return picked;
  const index = found == 0 ? addEntry(cache, number, packet) : found;
  if (index == 0) return picked;
  if (found == 0) countEntry(position);
  join(packet, cache, entryAt(cache, index), ring, picked);
  return picked;
}

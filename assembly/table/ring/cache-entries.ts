import { Packet } from "../../packet";
import { bucketOf, Cache, ENTRIES, Entry, entryAt, headOf, MEMBERS, memberAt } from "./cache";

/** Entries of a cache, and members of their sets, come and go. */

/** The index of a record that nobody has, or 0; given the fields that tell how many were used, and those given back. */
function takeRecord(top: usize, free: usize, most: u32): u32 {
  if (load<u32>(free) == 0 && load<u32>(top) == most) return 0;
  if (load<u32>(free) != 0) return load<u32>(free);
  store<u32>(top, load<u32>(top) + 1);
  return load<u32>(top);
}

function isOf(entry: Entry, service: u32, packet: Packet): bool {
  const address = packet.dst6;
  return (
    entry.service == service &&
    entry.address0 == v128.extract_lane<u64>(address, 0) &&
    entry.address1 == v128.extract_lane<u64>(address, 1)
  );
}

/** The entry of a service for the address that a packet is to, or 0. */
export function findEntry(cache: usize, service: u32, packet: Packet): u32 {
  const head = headOf(cache, service, bucketOf(packet.dstHigh, packet.dst));
  let index = load<u32>(head);
  while (index != 0 && !isOf(entryAt(cache, index), service, packet)) index = entryAt(cache, index).next;
  return index;
}

/** A new entry, the first of its bucket; 0 where no record is left. */
export function addEntry(cache: usize, service: u32, packet: Packet): u32 {
  const pool = Cache.at(cache);
  const index = takeRecord(
    cache + offsetof<Cache>("entriesTop"),
    cache + offsetof<Cache>("entriesFree"),
    ENTRIES,
  );
  if (index == 0) return 0;
  const entry = entryAt(cache, index);
  if (pool.entriesFree == index) pool.entriesFree = entry.next;
  const head = headOf(cache, service, bucketOf(packet.dstHigh, packet.dst));
  const address = packet.dst6;
  memory.fill(changetype<usize>(entry), 0, offsetof<Entry>());
  entry.address0 = v128.extract_lane<u64>(address, 0);
  entry.address1 = v128.extract_lane<u64>(address, 1);
  entry.service = service;
  entry.used = packet.state.now;
  entry.next = load<u32>(head);
  store<u32>(head, index);
  pool.entries++;
  return index;
}

/** Takes the entry out that `link` (a bucket's head, or a field `next`) names, with its members. */
export function dropEntry(cache: usize, link: usize): void {
  const pool = Cache.at(cache);
  const index = load<u32>(link);
  const entry = entryAt(cache, index);
  store<u32>(link, entry.next);
  while (entry.members != 0) dropMember(cache, changetype<usize>(entry) + offsetof<Entry>("members"));
  entry.next = pool.entriesFree;
  pool.entriesFree = index;
  pool.entries--;
}

/** Takes an entry out that is known to be there. */
export function removeEntry(cache: usize, service: u32, bucket: u32, index: u32): void {
  let link = headOf(cache, service, bucket);
  while (load<u32>(link) != index)
    link = changetype<usize>(entryAt(cache, load<u32>(link))) + offsetof<Entry>("next");
  dropEntry(cache, link);
}

/** Adds a destination to an entry's set, unless no record is left. */
export function addMember(cache: usize, entry: Entry, destination: u32, serial: u32, now: u64): void {
  const pool = Cache.at(cache);
  const index = takeRecord(
    cache + offsetof<Cache>("membersTop"),
    cache + offsetof<Cache>("membersFree"),
    MEMBERS,
  );
  if (index == 0) return;
  const member = memberAt(cache, index);
  if (pool.membersFree == index) pool.membersFree = member.next;
  member.destination = destination;
  member.serial = serial;
  member.place = 0;
  member.next = entry.members;
  entry.members = index;
  entry.size++;
  entry.changed = now;
}

/** Takes the member out that `link` names. */
export function dropMember(cache: usize, link: usize): void {
  const pool = Cache.at(cache);
  const index = load<u32>(link);
  const member = memberAt(cache, index);
  store<u32>(link, member.next);
  member.next = pool.membersFree;
  pool.membersFree = index;
}

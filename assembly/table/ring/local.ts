import { SCHEDULER_WLC } from "../../abi/server";
import { Image } from "../../image";
import { Packet } from "../../packet";
import { State } from "../../state";
import { COUNTER_ACTIVE, hasIpvs } from "../ipvs/layout";
import { bucketOf, cacheOf, entryAt } from "./cache";
import { addEntry, findEntry, removeEntry } from "./cache-entries";
import { expireEntries } from "./cache-expiry";
import { destinationAt } from "./destinations";
import {
  POSITION_ENTRIES,
  REAL_DESTINATION,
  REAL_LEN,
  REAL_NONE,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
} from "./layout";
import { takeLeastWeighted } from "./least";
import { firstRow, rowOf, strideOf } from "./loads";

/** The least loaded of all servers, as for wlc. */
export function takeLeastOfAll(image: Image, state: State, ring: usize): u32 {
  return takeLeastWeighted(image, state, ring, SCHEDULER_WLC);
}

/** Whether a destination is still the one of a serial, and there (IP_VS_DEST_F_AVAILABLE). */
export function isThere(image: Image, destination: u32, serial: u32): bool {
  const one = destinationAt(image, destination);
  return one.serial == serial && one.service != 0;
}

/** Where in the ring a destination is that is there, which may have been at a place before. */
export function placeOf(image: Image, ring: usize, destination: u32, place: u32): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  if (place < count && load<u32>(reals + place * REAL_LEN, REAL_DESTINATION) == destination) return place;
  for (let at = count; at-- != 0; )
    if (load<u32>(reals + at * REAL_LEN, REAL_DESTINATION) == destination) return at;
  return REAL_NONE;
}

/** Whether a destination has more active connections than weight, while some server has less than half as many as its own. */
export function isCrowded(image: Image, state: State, ring: usize, destination: u32): bool {
  const active = load<i32>(rowOf(image, state, destination), COUNTER_ACTIVE);
  if (active <= <i32>destinationAt(image, destination).weight) return false;
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const stride = strideOf(image, state);
  const rows = firstRow(image, state, stride);
  for (let at = load<u32>(ring, RING_COUNT); at-- != 0; ) {
    const real = reals + at * REAL_LEN;
    const row = rows + load<u32>(real, REAL_DESTINATION) * stride;
    if (load<i32>(row, COUNTER_ACTIVE) * 2 < load<i32>(real, REAL_WEIGHT)) return true;
  }
  return false;
}

/** A service's cache, with what is stale taken out; 0 in a state that has none. */
export function freshCache(state: State, number: u32, position: usize): usize {
  const cache = hasIpvs(state) ? cacheOf(state) : 0;
  if (cache != 0) expireEntries(cache, state, number, position);
  return cache;
}

/** Counts an entry of a service as the kernel does, which forgets those that it replaces. */
export function countEntry(position: usize): void {
  store<u32>(position, load<u32>(position, POSITION_ENTRIES) + 1, POSITION_ENTRIES);
}

/** Notes a server for the address that the packet is to (ip_vs_lblc_new). */
function note(packet: Packet, ring: usize, number: u32, position: usize, picked: u32): void {
  const image = packet.image;
  const cache = cacheOf(packet.state);
  const real = image.to(load<u32>(ring, RING_BLOCK)) + picked * REAL_LEN;
  const destination = load<u32>(real, REAL_DESTINATION);
  const serial = destinationAt(image, destination).serial;
  const old = findEntry(cache, number, packet);
  if (old != 0) {
    const entry = entryAt(cache, old);
    if (entry.destination == destination && entry.serial == serial) return;
    removeEntry(cache, number, bucketOf(packet.dstHigh, packet.dst), old);
  }
  const index = addEntry(cache, number, packet);
  if (index == 0) return;
  const entry = entryAt(cache, index);
  entry.destination = destination;
  entry.serial = serial;
  entry.place = picked;
  countEntry(position);
}

/** The server that an address had before, or where that is not there, takes nothing or is crowded, the least loaded (ip_vs_lblc.c). */
export function takeLocal(packet: Packet, ring: usize, number: u32, position: usize): u32 {
  const image = packet.image;
  const state = packet.state;
  const cache = freshCache(state, number, position);
  const found = cache == 0 ? 0 : findEntry(cache, number, packet);
  if (found != 0) {
    const entry = entryAt(cache, found);
    const destination = entry.destination;
    entry.used = state.now;
    const isFit =
      isThere(image, destination, entry.serial) &&
      destinationAt(image, destination).weight != 0 &&
      !isCrowded(image, state, ring, destination);
    if (isFit) {
      entry.place = placeOf(image, ring, destination, entry.place);
      if (entry.place != REAL_NONE) return entry.place;
    }
  }
  const picked = takeLeastOfAll(image, state, ring);
  if (picked != REAL_NONE && cache != 0) note(packet, ring, number, position, picked);
  return picked;
}

import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import {
  SERVER_ENTRY_LEN,
  SERVER_ROW_FLAGS,
  SERVER_ROW_LEN,
  SERVER_ROW_NUMBER,
  SERVER_ROW_REALS,
  SERVER_ROW_SCHEDULER,
} from "../../abi/server";
import { Image, NEEDS_AT } from "../../image";
import { blockOctets } from "../../memory/arena";
import { Needs } from "../../memory/needs";
import { vectorReach } from "../../memory/vector";
import { headAt, keptOf, reachDestinations, serverSet, turnsOf } from "./build";
import { DESTINATION_LEN, DESTINATIONS_MAX } from "./destinations";
import { REAL_LEN, RING_COUNT, RING_LEN, SLOT_LEN } from "./layout";
import { leftNeeds } from "./left";
import { areServers, defaultSize, isService } from "./shape";

/** What a change of many virtual servers needs beside blocks. */
@unmanaged
@final
class Numbers {
  /** The highest number of a virtual server. */
  last: u32;
  /** Destinations that come, and those that go. */
  added: u32;
  gone: u32;
  /** Real servers of all. */
  reals: u32;
  /** Some number comes after a higher one, or twice: what there is now does not tell what will be kept. */
  mixed: u32;

  @inline
  static at(address: usize): Numbers {
    return changetype<Numbers>(address);
  }
}

function isRow(row: usize, reals: usize): bool {
  const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
  const count = load<u32>(row, SERVER_ROW_REALS);
  const number = load<u32>(row, SERVER_ROW_NUMBER);
  const flags = load<u32>(row, SERVER_ROW_FLAGS);
  return isService(number, scheduler, flags, count, defaultSize(scheduler)) && areServers(reals, count);
}

const NUMBERS_AT: u32 = NEEDS_AT + 32;

/** Counts what becomes of the servers that a row's virtual one has now. */
function countRow(image: Image, numbers: Numbers, row: usize, reals: usize, isFirst: bool): void {
  const number = load<u32>(row, SERVER_ROW_NUMBER);
  const count = load<u32>(row, SERVER_ROW_REALS);
  if (!isFirst && number <= numbers.last) numbers.mixed = 1;
  numbers.last = max<u32>(numbers.last, number);
  numbers.added += count;
  numbers.reals += count;
  if (number >= image.serversRoom) return;
  const ring = headAt(image, number);
  const kept = keptOf(image, ring, row, reals);
  numbers.added -= kept;
  numbers.gone += load<u32>(ring, RING_COUNT) - kept;
}

/** Counts a row's blocks; the classes of those that are given back at once (a size of them serves all). */
function countBlocks(needs: Needs, row: usize): u64 {
  const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
  const reals = load<u32>(row, SERVER_ROW_REALS);
  const size = defaultSize(scheduler);
  const turns = turnsOf(scheduler, reals);
  if (reals == 0) return 0;
  needs.block(reals * REAL_LEN);
  if (size != 0) needs.block(size * SLOT_LEN);
  return turns == 0 ? 0 : blockOctets(turns);
}

/** Makes ready for so many virtual servers: NO_SPACE, or BAD_ENTRY where one is none, and nothing changed. */
function expectServers(image: Image, rows: usize, count: u32, reals: usize): u32 {
  const needs = Needs.at(image.to(NEEDS_AT));
  const numbers = Numbers.at(image.to(NUMBERS_AT));
  memory.fill(changetype<usize>(numbers), 0, offsetof<Numbers>());
  let turns: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ROW_LEN;
    if (!isRow(row, reals)) return STATUS_BAD_ENTRY;
    countRow(image, numbers, row, reals, i == 0);
    turns |= countBlocks(needs, row);
    reals += load<u32>(row, SERVER_ROW_REALS) * SERVER_ENTRY_LEN;
  }
  if (count == 0) return STATUS_OK;
  if (numbers.mixed != 0) {
    numbers.added = numbers.reals;
    numbers.gone += numbers.reals;
  }
  needs.octets += turns;
  return reachAll(image, needs, numbers);
}

/** Takes what vectors and index want, once there is room for that and the blocks. */
function reachAll(image: Image, needs: Needs, numbers: Numbers): u32 {
  const added = numbers.added;
  const gone = numbers.gone;
  if (added > DESTINATIONS_MAX - image.destinations) return STATUS_NO_SPACE;
  needs.vector(image.serversRoom, numbers.last, RING_LEN);
  if (added != 0) needs.vector(image.destinationsRoom, image.destinations + added - 1, DESTINATION_LEN);
  if (leftNeeds(image, gone) != 0) needs.block(leftNeeds(image, gone));
  if (!needs.isMet(image)) return STATUS_NO_SPACE;
  vectorReach(image, offsetof<Image>("serversAt"), numbers.last, RING_LEN, PART_SERVERS);
  reachDestinations(image, added, gone);
  return STATUS_OK;
}

/**
 * Replaces the real servers of `count` virtual ones (SERVER_ROW_…), whose rows follow one another, all or none. NO_SPACE
 * does not count with what the old ones give back.
 */
export function serversSet(image: Image, rows: usize, count: u32, reals: usize): u32 {
  const status = expectServers(image, rows, count, reals);
  if (status != STATUS_OK) return status;
  let real = reals;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ROW_LEN;
    serverSet(image, row, real, 0);
    real += load<u32>(row, SERVER_ROW_REALS) * SERVER_ENTRY_LEN;
  }
  return STATUS_OK;
}

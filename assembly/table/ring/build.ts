import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_SH,
  SERVER_ROW_FLAGS,
  SERVER_ROW_MARK,
  SERVER_ROW_NETMASK,
  SERVER_ROW_NUMBER,
  SERVER_ROW_PERSISTENCE,
  SERVER_ROW_PORT,
  SERVER_ROW_REALS,
  SERVER_ROW_SCHEDULER,
  SERVICE_FLAG_GONE,
  SERVICE_FLAG_NEW,
} from "../../abi/server";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { vectorReach } from "../../memory/vector";
import { isLocal, isMaglev } from "./codes";
import { DESTINATION_LEN, DESTINATIONS_MAX } from "./destinations";
import {
  REAL_DESTINATION,
  REAL_LEN,
  RING_BLOCK,
  RING_BORN,
  RING_COUNT,
  RING_FLAG_LIMITED,
  RING_FLAG_UNMASQUERADED,
  RING_FLAGS,
  RING_FLAGS_SERVICE,
  RING_GENERATION,
  RING_INCARNATION,
  RING_LEN,
  RING_MARK,
  RING_NETMASK,
  RING_PERSISTENCE,
  RING_PORT,
  RING_REMOVALS,
  RING_REMOVALS_MASK,
  RING_SCHEDULER,
  RING_SIZE,
  RING_SLOTS,
  RING_WEIGHT_MAX,
  SLOT_LEN,
} from "./layout";
import { leave, leftReach } from "./left";
import { countKept, fillReals, isLimited, isUnmasqueraded } from "./reals";
import { areServers, defaultSize, isService } from "./shape";
import { fillInTurn, fillMaglev, TURN_LEN } from "./slots";
import { Rounds } from "./weights";

export function codeOf(ring: usize): u32 {
  return load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
}

export function headAt(image: Image, number: u32): usize {
  return image.to(image.serversAt) + number * RING_LEN;
}

/** Old servers that rows leave as they are: none of them where the number is another service's now. */
export function keptOf(image: Image, ring: usize, row: usize, reals: usize): u32 {
  if ((load<u32>(row, SERVER_ROW_FLAGS) & SERVICE_FLAG_NEW) != 0) return 0;
  const old = image.to(load<u32>(ring, RING_BLOCK));
  return countKept(reals, load<u32>(row, SERVER_ROW_REALS), old, load<u32>(ring, RING_COUNT));
}

/** Makes room for so many more destinations, and for so many to leave. */
export function reachDestinations(image: Image, added: u32, gone: u32): bool {
  const last = image.destinations + added;
  if (last > DESTINATIONS_MAX) return false;
  const field = offsetof<Image>("destinationsAt");
  if (!leftReach(image, gone)) return false;
  return added == 0 || vectorReach(image, field, last - 1, DESTINATION_LEN, PART_SERVERS);
}

/** A block, or 0 for none; the image's own are never at 0. */
function takeSome(image: Image, octets: u32): u32 {
  return octets == 0 ? 0 : takeBlock(image, octets, PART_SERVERS);
}

function giveSome(image: Image, block: u32, octets: u32): void {
  if (block != 0) giveBlock(image, block, octets, PART_SERVERS);
}

/** Octets that are wanted while the slots of so many servers are filled. */
export function turnsOf(scheduler: u32, count: u32): u32 {
  return isMaglev(scheduler & SCHEDULER_CODE_MASK) ? count * TURN_LEN : 0;
}

/** Fills a ring's slots as its scheduler does, and gives back the space for turns. */
function fillSlots(image: Image, ring: usize, turns: u32): void {
  const code = codeOf(ring);
  const size = load<u32>(ring, RING_SIZE);
  const count = load<u32>(ring, RING_COUNT);
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const slots = image.to(load<u32>(ring, RING_SLOTS));
  if (size == 0) return;
  memory.fill(slots, 0xff, size * SLOT_LEN);
  if (isMaglev(code)) fillMaglev(image, slots, size, image.to(turns), reals, count);
  else fillInTurn(slots, size, reals, count, code == SCHEDULER_SH);
  giveSome(image, turns, count * TURN_LEN);
}

/** A ring's flags after one more removal. */
function afterRemoval(flags: u32): u32 {
  return (flags & ~RING_REMOVALS_MASK) | ((flags + (1 << RING_REMOVALS)) & RING_REMOVALS_MASK);
}

function setAttributes(image: Image, ring: usize, row: usize): void {
  if (isLocal(load<u32>(row, SERVER_ROW_SCHEDULER) & SCHEDULER_CODE_MASK)) image.caches = 1;
  const given = load<u32>(row, SERVER_ROW_FLAGS);
  const old = load<u32>(ring, RING_FLAGS) & ~RING_FLAGS_SERVICE;
  const kept = (given & SERVICE_FLAG_GONE) != 0 ? afterRemoval(old) : old;
  const flags = given & RING_FLAGS_SERVICE & ~(SERVICE_FLAG_NEW | SERVICE_FLAG_GONE);
  store<u32>(ring, kept | flags, RING_FLAGS);
  store<u32>(ring, load<u32>(row, SERVER_ROW_PERSISTENCE), RING_PERSISTENCE);
  store<u32>(ring, load<u32>(row, SERVER_ROW_NETMASK), RING_NETMASK);
  store<u32>(ring, load<u32>(row, SERVER_ROW_PORT), RING_PORT);
  store<u32>(ring, load<u32>(row, SERVER_ROW_MARK), RING_MARK);
  store<u32>(ring, load<u32>(row, SERVER_ROW_SCHEDULER), RING_SCHEDULER);
}

/** The ring is changed, and begins afresh unless it goes on. */
function count(ring: usize, goesOn: bool): void {
  const generation = load<u32>(ring, RING_GENERATION) + 1;
  store<u32>(ring, generation, RING_GENERATION);
  if (!goesOn) store<u32>(ring, generation, RING_BORN);
}

/** The service that has the number from now on is another: the servers there are leave, and do not come back. */
function renew(image: Image, ring: usize): void {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  for (let i: u32 = 0; i < load<u32>(ring, RING_COUNT); i++)
    leave(image, load<u32>(reals + i * REAL_LEN, REAL_DESTINATION));
  store<u32>(ring, load<u32>(ring, RING_FLAGS) + (1 << RING_INCARNATION), RING_FLAGS);
}

/** Puts rows where a ring's servers were, in a block of their own. */
function replaceReals(
  image: Image,
  ring: usize,
  number: u32,
  block: u32,
  rows: usize,
  to: u32,
  renewed: bool,
): void {
  const old = load<u32>(ring, RING_BLOCK);
  const oldCount = load<u32>(ring, RING_COUNT);
  const owner = number | (load<u32>(ring, RING_FLAGS) & ~((1 << RING_INCARNATION) - 1));
  fillReals(image, owner, image.to(block), rows, to, image.to(old), renewed ? 0 : oldCount);
  giveSome(image, old, oldCount * REAL_LEN);
  const flags = load<u32>(ring, RING_FLAGS) & ~(RING_FLAG_LIMITED | RING_FLAG_UNMASQUERADED);
  const limited = isLimited(rows, to) ? RING_FLAG_LIMITED : 0;
  const unmasqueraded = isUnmasqueraded(rows, to) ? RING_FLAG_UNMASQUERADED : 0;
  store<u32>(ring, flags | limited | unmasqueraded, RING_FLAGS);
  store<u32>(ring, block, RING_BLOCK);
  store<u32>(ring, to, RING_COUNT);
}

/** Puts slots where a ring's were. */
function replaceSlots(image: Image, ring: usize, slots: u32, size: u32): void {
  giveSome(image, load<u32>(ring, RING_SLOTS), load<u32>(ring, RING_SIZE) * SLOT_LEN);
  store<u32>(ring, slots, RING_SLOTS);
  store<u32>(ring, slots == 0 ? 0 : size, RING_SIZE);
}

/**
 * Replaces a virtual server's real servers by rows (SERVER_…) in the order of their addition, and the rest of it by a row
 * (SERVER_ROW_…). `size`: the slots of a scheduler that hashes, 0 for as many as are usual.
 */
export function serverSet(image: Image, row: usize, rows: usize, size: u32): u32 {
  const number = load<u32>(row, SERVER_ROW_NUMBER);
  const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
  const flags = load<u32>(row, SERVER_ROW_FLAGS);
  const to = load<u32>(row, SERVER_ROW_REALS);
  if (size == 0) size = defaultSize(scheduler);
  if (!isService(number, scheduler, flags, to, size) || !areServers(rows, to)) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("serversAt"), number, RING_LEN, PART_SERVERS))
    return STATUS_NO_SPACE;
  return serverPut(image, row, rows, to == 0 ? 0 : size);
}

/** Room for the destinations that a row's servers come to, and for those that leave. */
function reachFor(image: Image, row: usize, rows: usize): bool {
  const ring = headAt(image, load<u32>(row, SERVER_ROW_NUMBER));
  const kept = keptOf(image, ring, row, rows);
  return reachDestinations(
    image,
    load<u32>(row, SERVER_ROW_REALS) - kept,
    load<u32>(ring, RING_COUNT) - kept,
  );
}

/** The same where there is room for the head, and nothing is amiss. */
function serverPut(image: Image, row: usize, rows: usize, size: u32): u32 {
  const number = load<u32>(row, SERVER_ROW_NUMBER);
  const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
  const to = load<u32>(row, SERVER_ROW_REALS);
  const ofTurns = turnsOf(scheduler, to);
  const block = takeSome(image, to * REAL_LEN);
  const slots = takeSome(image, size * SLOT_LEN);
  const turns = takeSome(image, ofTurns);
  const hasBlocks = (block != 0 || to == 0) && (slots != 0 || size == 0) && (turns != 0 || ofTurns == 0);
  if (!hasBlocks || !reachFor(image, row, rows)) {
    giveSome(image, block, to * REAL_LEN);
    giveSome(image, slots, size * SLOT_LEN);
    giveSome(image, turns, ofTurns);
    return STATUS_NO_SPACE;
  }
  const ring = headAt(image, number);
  const code = scheduler & SCHEDULER_CODE_MASK;
  const renewed = (load<u32>(row, SERVER_ROW_FLAGS) & SERVICE_FLAG_NEW) != 0;
  // A cache outlives the servers of its service.
  const hadSome = !renewed && load<u32>(ring, RING_COUNT) != 0;
  const isSame = codeOf(ring) == code;
  const goesOn = isSame && (hadSome || (isLocal(code) && !renewed));
  if (renewed) renew(image, ring);
  setAttributes(image, ring, row);
  replaceReals(image, ring, number, block, rows, to, renewed);
  replaceSlots(image, ring, slots, size);
  count(ring, goesOn);
  const rounds = Rounds.at(ring + RING_WEIGHT_MAX);
  rounds.measure(image.to(block), to, goesOn);
  if (hadSome && !isSame) rounds.begin();
  fillSlots(image, ring, turns);
  image.sequence++;
  return STATUS_OK;
}

/**
 * Changes a virtual server, and none of its real ones, by a row (SERVER_ROW_…) whose SERVER_ROW_REALS is not asked for: a
 * scheduler that stays goes on as though nothing had happened (ip_vs_edit_service).
 */
export function serverEdit(image: Image, row: usize): u32 {
  const number = load<u32>(row, SERVER_ROW_NUMBER);
  const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
  if (number >= image.serversRoom) return STATUS_BAD_ENTRY;
  const ring = headAt(image, number);
  const reals = load<u32>(ring, RING_COUNT);
  const stays = codeOf(ring) == (scheduler & SCHEDULER_CODE_MASK);
  const size = stays && reals != 0 ? load<u32>(ring, RING_SIZE) : defaultSize(scheduler);
  if (!isService(number, scheduler, load<u32>(row, SERVER_ROW_FLAGS), reals, size)) return STATUS_BAD_ENTRY;
  if (!stays && !exchange(image, ring, scheduler, reals == 0 ? 0 : size)) return STATUS_NO_SPACE;
  setAttributes(image, ring, row);
  image.sequence++;
  return STATUS_OK;
}

/** Gives a ring another scheduler; false, and nothing changed, where the image has no room for its slots. */
function exchange(image: Image, ring: usize, scheduler: u32, size: u32): bool {
  const reals = load<u32>(ring, RING_COUNT);
  const ofTurns = turnsOf(scheduler, reals);
  const slots = takeSome(image, size * SLOT_LEN);
  const turns = takeSome(image, ofTurns);
  if ((slots == 0 && size != 0) || (turns == 0 && ofTurns != 0)) {
    giveSome(image, slots, size * SLOT_LEN);
    giveSome(image, turns, ofTurns);
    return false;
  }
  replaceSlots(image, ring, slots, size);
  store<u32>(ring, scheduler, RING_SCHEDULER);
  count(ring, false);
  Rounds.at(ring + RING_WEIGHT_MAX).begin();
  fillSlots(image, ring, turns);
  return true;
}

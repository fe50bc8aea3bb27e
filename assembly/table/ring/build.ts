import { SCHEDULER_RR, SERVER_ADDRESS, SERVER_ENTRY_LEN, SERVER_PORT, SERVER_WEIGHT } from "../../abi/entry";
import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { vectorReach } from "../../memory/vector";
import {
  REAL_ADDRESS,
  REAL_LEN,
  REAL_PORT,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
  RING_LEN,
  RING_SCHEDULER,
  RINGS_MAX,
} from "./layout";

/** Replaces the real servers of virtual server `number` by rows (SERVER_…) in the order of their addition. */
export function serverSet(image: Image, number: u32, scheduler: u32, rows: usize, count: u32): u32 {
  if (number >= RINGS_MAX || scheduler != SCHEDULER_RR || count > 1 << 20) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("serversAt"), number, RING_LEN, PART_SERVERS))
    return STATUS_NO_SPACE;
  const block = count == 0 ? 0 : takeBlock(image, count * REAL_LEN, PART_SERVERS);
  if (block == 0 && count != 0) return STATUS_NO_SPACE;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ENTRY_LEN;
    const real = image.to(block) + i * REAL_LEN;
    store<u32>(real, load<u32>(row, SERVER_ADDRESS), REAL_ADDRESS);
    store<u32>(real, load<u32>(row, SERVER_PORT), REAL_PORT);
    store<u32>(real, load<u32>(row, SERVER_WEIGHT), REAL_WEIGHT);
  }
  const ring = image.to(image.serversAt) + number * RING_LEN;
  const old = load<u32>(ring, RING_BLOCK);
  if (old != 0) giveBlock(image, old, load<u32>(ring, RING_COUNT) * REAL_LEN, PART_SERVERS);
  store<u32>(ring, block, RING_BLOCK);
  store<u32>(ring, count, RING_COUNT);
  store<u32>(ring, scheduler, RING_SCHEDULER);
  image.sequence++;
  return STATUS_OK;
}

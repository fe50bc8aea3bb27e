import { Image } from "../image";
import { giveBlock, takeBlock } from "./arena";

const ROOM_MIN: u32 = 16;

/** The room that a vector of so many elements is given to reach element `index`. */
export function vectorRoom(room: u32, index: u32): u32 {
  let larger = max<u32>(ROOM_MIN, room);
  while (larger <= index) larger *= 2;
  return larger;
}

/**
 * Makes room for element `index` of a vector whose offset and room (in elements) stand in two fields of the head.
 * False, and nothing changed, when the image has no room.
 */
export function vectorReach(image: Image, field: usize, index: u32, stride: u32, part: u32): bool {
  const head = changetype<usize>(image) + field;
  const block = load<u32>(head);
  const room = load<u32>(head, 4);
  if (index < room) return true;
  const larger = vectorRoom(room, index);
  const next = takeBlock(image, larger * stride, part);
  if (next == 0) return false;
  if (block != 0) {
    memory.copy(image.to(next), image.to(block), room * stride);
    giveBlock(image, block, room * stride, part);
  }
  store<u32>(head, next);
  store<u32>(head, larger, 4);
  return true;
}

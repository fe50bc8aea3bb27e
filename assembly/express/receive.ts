import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { ETH_LEN } from "../abi/wire";
import { Image } from "../image";
import { Ip4 } from "../wire/ip4";
import { isSegmentIntact } from "../wire/transport";
import { CALM, DATAGRAM, FOUR, judgeFour, SEGMENT, WHOLE } from "./judge";
import { STARTS, TUPLES } from "./layout";
import { place } from "./place";
import { CLOSED, forgetTunnel, openFour } from "./tunnel";

/** Of segments, those whose checksum is right, or none. */
function intact(scratch: usize, segments: u64): u64 {
  let good = segments;
  for (let rest = segments; rest != 0; rest &= rest - 1) {
    const frame = <usize>load<u32>(scratch + ((<usize>ctz<u64>(rest)) << 2), STARTS);
    if (!isSegmentIntact(Ip4.at(frame + ETH_LEN))) good &= ~(rest & -rest);
  }
  return good;
}

/** Judges four packets; what came by tunnel by what is inside, if it can be opened. */
function judgeOpened(image: Image, scratch: usize, entry: usize, tuples: usize): u32 {
  const judged = judgeFour(entry, tuples);
  const datagrams = judged / DATAGRAM;
  const opened = datagrams == 0 ? 0 : openFour(image, scratch, entry, tuples, datagrams);
  if (opened == 0) return judged;
  // A length is the packet's now, whether that was whole or not: what was refused stays so.
  const open = judged & FOUR & ~(opened / CLOSED);
  return judgeFour(entry, tuples) & (open * (WHOLE | SEGMENT | CALM));
}

/**
 * Reads a burst's frames: those that can go the express way if they are of a steady connection (bits). Frames stay as
 * they are. What came by tunnel is judged by what is inside where `opens`.
 */
export function receive(
  image: Image,
  batch: usize,
  first: u32,
  count: u32,
  scratch: usize,
  opens: bool,
): u64 {
  const placed = place(batch, first, count, scratch);
  const hasTunnels = opens && image.tunnels != 0;
  forgetTunnel(scratch);
  let calm: u64 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const entry = scratch + (i << 2);
    const tuples = scratch + TUPLES + (i << 4);
    const judged = hasTunnels ? judgeOpened(image, scratch, entry, tuples) : judgeFour(entry, tuples);
    calm |= (<u64>((judged / CALM) & FOUR)) << i;
  }
  const fits = calm & placed;
  return (image.flags & IMAGE_FLAG_VERIFY) != 0 ? intact(scratch, fits) : fits;
}

/** Reads a burst's frames: those that are whole TCP or UDP segments (bits), whatever they do to a connection. */
export function receiveSegments(batch: usize, first: u32, count: u32, scratch: usize): u64 {
  const placed = place(batch, first, count, scratch);
  let segments: u64 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const judged = judgeFour(scratch + (i << 2), scratch + TUPLES + (i << 4));
    segments |= (<u64>((judged / SEGMENT) & FOUR)) << i;
  }
  return segments & placed;
}

/** Takes tunnels' outer headers off a burst's frames where nothing speaks against it (bits), in the columns. */
export function receiveTunnelled(image: Image, batch: usize, first: u32, count: u32, scratch: usize): u64 {
  const placed = place(batch, first, count, scratch);
  forgetTunnel(scratch);
  let opened: u64 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const entry = scratch + (i << 2);
    const tuples = scratch + TUPLES + (i << 4);
    const datagrams = judgeFour(entry, tuples) / DATAGRAM;
    if (datagrams != 0) opened |= (<u64>(openFour(image, scratch, entry, tuples, datagrams) & FOUR)) << i;
  }
  return opened & placed;
}

import {
  BATCH_CAPACITY,
  BATCH_HEADER_LEN,
  COLUMN_CONNECTION,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_NEXT_HOP,
  COLUMN_OUT,
  COLUMN_VERDICT,
  COLUMN_WALKED,
} from "../abi/packet";
import { VERDICT_FORWARD } from "../abi/verdict";
import { FLOWS, FRAMES, HOPS, INS, LENGTHS, OUTS, WALKED } from "./layout";

/** Entries that one store writes. */
const WIDTH: u32 = 4;

function copy(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
}

/** What became of four packets goes to their cells of the batch's columns. */
function handFour(cells: usize, columnLen: u32, entry: usize): void {
  copy(cells + COLUMN_FRAME * columnLen, entry + FRAMES);
  copy(cells + COLUMN_LENGTH * columnLen, entry + LENGTHS);
  copy(cells + COLUMN_IN * columnLen, entry + INS);
  v128.store(cells + COLUMN_VERDICT * columnLen, i32x4.splat(VERDICT_FORWARD));
  copy(cells + COLUMN_OUT * columnLen, entry + OUTS);
  copy(cells + COLUMN_NEXT_HOP * columnLen, entry + HOPS);
  copy(cells + COLUMN_WALKED * columnLen, entry + WALKED);
  v128.store(cells + COLUMN_CONNECTION * columnLen, i32x4.shr_u(v128.load(entry + FLOWS), 1));
}

/** What became of packet i of a burst goes to its cells of the batch's columns. */
export function handOne(batch: usize, first: u32, scratch: usize, i: u32): void {
  const columnLen = load<u32>(batch, BATCH_CAPACITY) << 2;
  const cells = batch + BATCH_HEADER_LEN + ((first + i) << 2);
  const entry = scratch + (i << 2);
  store<u32>(cells + COLUMN_FRAME * columnLen, load<u32>(entry, FRAMES));
  store<u32>(cells + COLUMN_LENGTH * columnLen, load<u32>(entry, LENGTHS));
  store<u32>(cells + COLUMN_IN * columnLen, load<u32>(entry, INS));
  store<u32>(cells + COLUMN_VERDICT * columnLen, VERDICT_FORWARD);
  store<u32>(cells + COLUMN_OUT * columnLen, load<u32>(entry, OUTS));
  store<u32>(cells + COLUMN_NEXT_HOP * columnLen, load<u32>(entry, HOPS));
  store<u32>(cells + COLUMN_WALKED * columnLen, load<u32>(entry, WALKED));
  store<u32>(cells + COLUMN_CONNECTION * columnLen, load<u32>(entry, FLOWS) >> 1);
}

/** The same for packets 0 … count - 1, four at a time. */
export function handAll(batch: usize, first: u32, scratch: usize, count: u32): void {
  const columnLen = load<u32>(batch, BATCH_CAPACITY) << 2;
  const cells = batch + BATCH_HEADER_LEN + (first << 2);
  let i: u32 = 0;
  for (; i + WIDTH <= count; i += WIDTH) handFour(cells + (i << 2), columnLen, scratch + (i << 2));
  for (; i < count; i++) handOne(batch, first, scratch, i);
}

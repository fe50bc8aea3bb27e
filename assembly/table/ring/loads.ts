import { IMAGE_HEAD_LEN, Image } from "../../image";
import { State } from "../../state";
import { counterAt } from "../ipvs/counters";
import {
  COUNTER_ACTIVE,
  COUNTER_FLAG_OVERLOADED,
  COUNTER_INACTIVE,
  COUNTER_LEN,
  COUNTER_PERSISTENT,
  hasIpvs,
  Ipvs,
  ipvsOf,
} from "../ipvs/layout";

/**
 * Counters of destinations as schedulers read them: the row of a number stands so many strides behind the first. The rows
 * of a ring's servers are their own since the state took note of the ring (position).
 */

/** The last octets of an image's head are nobody's. */
const ZEROS_AT: u32 = IMAGE_HEAD_LEN - COUNTER_LEN;

/** Octets from row to row; 0 in a state without counters for all numbers, whose only row is one of zeros. */
export function strideOf(image: Image, state: State): u32 {
  return hasIpvs(state) && image.destinations <= Ipvs.of(ipvsOf(state)).destinationsRoom ? COUNTER_LEN : 0;
}

/** The first row for such a stride. */
export function firstRow(image: Image, state: State, stride: u32): usize {
  return stride == 0 ? image.to(ZEROS_AT) : counterAt(ipvsOf(state), 0);
}

export function rowOf(image: Image, state: State, number: u32): usize {
  const stride = strideOf(image, state);
  return firstRow(image, state, stride) + number * stride;
}

export function isOverloaded(row: usize): bool {
  return (load<u32>(row, COUNTER_PERSISTENT) & COUNTER_FLAG_OVERLOADED) != 0;
}

/** ip_vs_dest_conn_overhead. */
export function overheadIn(row: usize): i32 {
  return (load<i32>(row, COUNTER_ACTIVE) << 8) + load<i32>(row, COUNTER_INACTIVE);
}

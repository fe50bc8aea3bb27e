import { Image } from "../../image";
import { State } from "../../state";
import { COUNTER_ACTIVE } from "../ipvs/layout";
import { REAL_DESTINATION, REAL_LEN, REAL_NONE, REAL_WEIGHT, RING_BLOCK, RING_COUNT } from "./layout";
import { firstRow, isOverloaded, strideOf } from "./loads";

/**
 * The heaviest server, the newest of several (ip_vs_fo.c); with `overflows` only of those that have no more active
 * connections than weight (ip_vs_ovf.c).
 */
export function takeHeaviest(image: Image, state: State, ring: usize, overflows: bool): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const stride = strideOf(image, state);
  const rows = firstRow(image, state, stride);
  let heaviest = REAL_NONE;
  let most: i32 = 0;
  for (let at = load<u32>(ring, RING_COUNT); at-- != 0; ) {
    const real = reals + at * REAL_LEN;
    const weight = load<i32>(real, REAL_WEIGHT);
    if (weight <= most) continue;
    const row = rows + load<u32>(real, REAL_DESTINATION) * stride;
    if (isOverloaded(row) || (overflows && load<i32>(row, COUNTER_ACTIVE) > weight)) continue;
    heaviest = at;
    most = weight;
  }
  return heaviest;
}

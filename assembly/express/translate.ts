import { ETH_LEN, IP4_TTL } from "../abi/wire";
import { Image } from "../image";
import { State } from "../state";
import { FLOWS, GIVEN, GROWTH, LENGTHS, STARTS, TTLS } from "./layout";
import { planTtls, planTuples } from "./tuples";
import { moveOn, moveSession, writeTuple } from "./write";

/** Plans the tuples that a burst's packets get (GIVEN), and nothing else of them. */
export function planTranslations(scratch: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i += 4) {
    const entry = scratch + (i << 2);
    if (!v128.any_true(v128.load(entry, GIVEN))) continue;
    planTuples(scratch, i);
    planTtls(entry, i32x4.splat(0));
  }
}

/** Writes what is planned for packet i, and moves its connection on, if it has one. */
export function writeTranslation(image: Image, state: State, scratch: usize, i: u32): void {
  const entry = scratch + (i << 2);
  const frame = <usize>load<u32>(entry, STARTS);
  if (load<u32>(entry, GROWTH) != 0) writeTuple(entry, scratch + (i << 3), frame);
  store<u32>(frame, load<u32>(entry, TTLS), ETH_LEN + IP4_TTL);
  moveOn(image, state, load<u32>(entry, FLOWS));
  moveSession(image, state, entry, load<u32>(entry, LENGTHS) - ETH_LEN);
}

import { Image } from "../image";
import { isSparing } from "../ipvs/begins";
import { State } from "../state";
import { hasIpvs, Ipvs, ipvsOf } from "../table/ipvs/layout";
import { beginnings, findServices } from "./find";
import { foresee } from "./foresee";
import { setKinds } from "./kinds";
import { OPENED } from "./layout";

/** Whether there is nothing about the node that new connections have to do with, but IPVS. */
function isPlain(image: Image, state: State): bool {
  if (!hasIpvs(state) || state.connections != 0 || isSparing(image)) return false;
  return Ipvs.of(ipvsOf(state)).unmasqueraded == 0;
}

/**
 * Looks ahead at a burst's segments (bits) whose tuples stand in the express way's scratch: those that may begin a
 * plain connection to a virtual server, which `open` then does in their order.
 */
export function planOpenings(
  image: Image,
  state: State,
  scratch: usize,
  plan: usize,
  count: u32,
  segments: u64,
): u64 {
  if (!isPlain(image, state)) return 0;
  const begun = beginnings(scratch, segments);
  if (begun == 0) return 0;
  const ipvs = ipvsOf(state);
  const served = findServices(image, ipvs, scratch, plan, count, begun);
  if (served == 0) return 0;
  setKinds(image, ipvs, plan);
  store<u64>(plan, 0, OPENED);
  return foresee(image, state, ipvs, scratch, plan, served);
}

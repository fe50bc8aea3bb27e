import { MATCH_LEN } from "../../abi/entry";
import { PORT_DST, PORT_SRC } from "../../abi/rule";
import { halves } from "../../bytes";
import { Packet } from "../../packet";

/** Matches that list what they take in further slots. */

/** Whether an IPv4 address is within one of the prefixes of a match (MATCH_SRC). */
export function isWithin4(match: usize, address: u32): bool {
  const end = match + MATCH_LEN + (load<u32>(match, 4) << 3);
  for (let prefix = match + MATCH_LEN; prefix != end; prefix += 8)
    if ((address & load<u32>(prefix, 4)) == load<u32>(prefix)) return true;
  return false;
}

/** Whether an IPv6 address is within one of the prefixes of a match (MATCH_SRC6). */
export function isWithin6(match: usize, address: v128): bool {
  const step = load<u32>(match, 8) * MATCH_LEN;
  const end = match + MATCH_LEN + load<u32>(match, 4) * step;
  for (let prefix = match + MATCH_LEN; prefix != end; prefix += step) {
    const masked = step == MATCH_LEN ? address : v128.and(address, v128.load(prefix, MATCH_LEN));
    if (!v128.any_true(v128.xor(masked, v128.load(prefix)))) return true;
  }
  return false;
}

/** Whether an address, its words in their order, is not past another. */
function isUpTo(address: v128, last: v128): bool {
  const key = halves(address);
  const end = halves(last);
  const high = v128.extract_lane<u64>(key, 0);
  const endHigh = v128.extract_lane<u64>(end, 0);
  if (high != endHigh) return high < endHigh;
  return v128.extract_lane<u64>(key, 1) <= v128.extract_lane<u64>(end, 1);
}

/** MATCH_RANGE6. */
export function isBetween6(packet: Packet, match: usize): bool {
  const address = load<u32>(match, 4) == 0 ? packet.src6 : packet.dst6;
  return (
    isUpTo(v128.load(match, MATCH_LEN), address) && isUpTo(address, v128.load(match, MATCH_LEN + MATCH_LEN))
  );
}

/** Whether a number is among those of a match (MATCH_IN_LIST). */
export function isListed(match: usize, number: u32): bool {
  const end = match + MATCH_LEN + (load<u32>(match, 4) << 2);
  for (let word = match + MATCH_LEN; word != end; word += 4) if (load<u32>(word) == number) return true;
  return false;
}

/** MATCH_PORT_LIST. */
export function isPortListed(packet: Packet, match: usize): bool {
  const sides = load<u32>(match, 4);
  const end = match + MATCH_LEN + (load<u32>(match, 8) << 2);
  for (let range = match + MATCH_LEN; range != end; range += 4) {
    const from = <u32>load<u16>(range);
    const size = <u32>load<u16>(range, 2) - from;
    if ((sides & PORT_SRC) != 0 && packet.srcPort - from <= size) return true;
    if ((sides & PORT_DST) != 0 && packet.dstPort - from <= size) return true;
  }
  return false;
}

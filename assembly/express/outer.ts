import { ETH_LEN, IP4_LEN } from "../abi/wire";
import { hashEnds } from "../hash";
import { HOP_OUTER_SUM, HOP_PORT_FIRST } from "../table/nexthop/layout";
import { ECN_CE, ECN_MASK } from "../wire/ecn";
import { HALF, Lanes } from "./lanes";
import {
  DSTS,
  HOPS_AT,
  LENGTHS,
  OUTER_HEAD,
  OUTER_LENGTH,
  OUTER_PORT,
  OUTER_SUM,
  PORTS,
  PROTOCOLS,
  SRCS,
  STARTS,
} from "./layout";

/** Version and header length, the header's first octet. */
const VERSION: i32 = 0x45;

/** Each lane's flow chooses the outer source port of a range, so that underlay paths can be balanced by it. */
function portsOf(entry: usize, ranges: v128): v128 {
  const src = v128.load(entry, SRCS);
  const dst = v128.load(entry, DSTS);
  const ports = v128.load(entry, PORTS);
  const protocols = v128.load(entry, PROTOCOLS);
  const ends0 = Lanes.low(src, dst);
  const ends2 = Lanes.high(src, dst);
  const rest0 = Lanes.low(ports, protocols);
  const rest2 = Lanes.high(ports, protocols);
  let hashes = i32x4.splat(hashEnds(i64x2.extract_lane(ends0, 0), i64x2.extract_lane(rest0, 0)));
  hashes = i32x4.replace_lane(
    hashes,
    1,
    hashEnds(i64x2.extract_lane(ends0, 1), i64x2.extract_lane(rest0, 1)),
  );
  hashes = i32x4.replace_lane(
    hashes,
    2,
    hashEnds(i64x2.extract_lane(ends2, 0), i64x2.extract_lane(rest2, 0)),
  );
  hashes = i32x4.replace_lane(
    hashes,
    3,
    hashEnds(i64x2.extract_lane(ends2, 1), i64x2.extract_lane(rest2, 1)),
  );
  const counts = i32x4.shr_u(ranges, 16);
  const low = i64x2.extmul_low_i32x4_u(hashes, counts);
  const high = i64x2.extmul_high_i32x4_u(hashes, counts);
  return i32x4.add(v128.and(ranges, i32x4.splat(HALF)), v128.shuffle<u32>(low, high, 1, 3, 5, 7));
}

/** Plans the outer headers (stage/encap.ts) of four packets; in the frame's byte order. */
export function planOuter(entry: usize): void {
  const hops = v128.load(entry, HOPS_AT);
  const heads = Lanes.gatherAt(v128.load(entry, STARTS), ETH_LEN);
  const marks = v128.and(i32x4.shr_u(heads, 8), i32x4.splat(ECN_MASK));
  // ECT(0) for CE, as outerEcn has it.
  const tos = i32x4.shl(i32x4.add(marks, i32x4.eq(marks, i32x4.splat(ECN_CE))), 8);
  const total = i32x4.sub(v128.load(entry, LENGTHS), i32x4.splat(ETH_LEN));
  const length = Lanes.swapped(total);
  const sums = v128.and(Lanes.gatherAt(hops, HOP_OUTER_SUM), i32x4.splat(HALF));
  v128.store(entry, Lanes.folded(i32x4.add(i32x4.add(sums, tos), length)), OUTER_SUM);
  v128.store(entry, v128.or(v128.or(tos, i32x4.splat(VERSION)), i32x4.shl(length, 16)), OUTER_HEAD);
  v128.store(entry, Lanes.swapped(i32x4.sub(total, i32x4.splat(IP4_LEN))), OUTER_LENGTH);
  v128.store(entry, Lanes.swapped(portsOf(entry, Lanes.gatherAt(hops, HOP_PORT_FIRST))), OUTER_PORT);
}

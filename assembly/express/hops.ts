import { NEXT_HOP_FLAG_BRIDGE, NEXT_HOP_KIND_DIRECT } from "../abi/entry";
import { ETH_LEN } from "../abi/wire";
import { Image } from "../image";
import { HOP_LEAVE, HOP_LEN } from "../table/nexthop/layout";
import { GIVEN_ROUTED } from "./follow";
import { HALF, Lanes } from "./lanes";
import { FRAMES, GIVEN, HOPS, HOPS_AT, INS, LENGTHS, OUTER, OUTS, STARTS } from "./layout";
import { planTtls } from "./tuples";

const NO_ROUTE: i32 = -1;
const BRIDGED: i32 = NEXT_HOP_FLAG_BRIDGE << 16;

/** Of `planHops`, above the bits of packets about whose way out something is still to be decided: those of packets that go into a tunnel. */
export const TUNNELLED: u32 = 1 << 4;

/** The addresses of the next hops of four numbers; where there is no route, of any. */
function hopsOf(image: Image, numbers: v128): v128 {
  const last = i32x4.splat(max<u32>(image.nextHopsRoom, 1) - 1);
  const offsets = i32x4.mul(i32x4.min_u(numbers, last), i32x4.splat(HOP_LEN));
  return i32x4.add(offsets, i32x4.splat(<u32>image.to(image.nextHopsAt)));
}

/** Switched by the bridge it came in by, and so not routed (stage/leave.ts). */
function ages(entry: usize, outs: v128, flags: v128): v128 {
  const isBridged = i32x4.ne(v128.and(flags, i32x4.splat(BRIDGED)), i32x4.splat(0));
  const isSwitched = v128.and(i32x4.eq(outs, v128.load(entry, INS)), isBridged);
  const routed = v128.and(v128.load(entry, GIVEN), i32x4.splat(GIVEN_ROUTED));
  return v128.or(v128.not(isSwitched), i32x4.ne(routed, i32x4.splat(0)));
}

/** Plans how four packets leave by their next hops; bits, see TUNNELLED. */
export function planHops(image: Image, batch: usize, entry: usize): u32 {
  const numbers = v128.load(entry, HOPS);
  const hops = hopsOf(image, numbers);
  const h0 = v128.load(Lanes.address0(hops));
  const h1 = v128.load(Lanes.address1(hops));
  const h2 = v128.load(Lanes.address2(hops));
  const h3 = v128.load(Lanes.address3(hops));
  // Words of a next hop (table/nexthop/layout.ts): kind and outer length, interface, MTU and flags.
  const heads = Lanes.first(h0, h1, h2, h3);
  const outs = Lanes.second(h0, h1, h2, h3);
  const limits = Lanes.third(h0, h1, h2, h3);
  const kinds = v128.and(heads, i32x4.splat(HALF));
  const outer = i32x4.shr_u(heads, 16);
  const lengths = v128.load(entry, LENGTHS);
  const packets = i32x4.sub(lengths, i32x4.splat(ETH_LEN));
  const starts = i32x4.sub(v128.load(entry, STARTS), i32x4.splat(<u32>batch));
  v128.store(entry, hops, HOPS_AT);
  v128.store(entry, Lanes.gatherAt(hops, HOP_LEAVE), OUTS);
  v128.store(entry, outer, OUTER);
  v128.store(entry, i32x4.sub(starts, outer), FRAMES);
  v128.store(entry, i32x4.add(lengths, outer), LENGTHS);
  planTtls(entry, ages(entry, outs, limits));
  const isNoWay = i32x4.lt_s(kinds, i32x4.splat(NEXT_HOP_KIND_DIRECT));
  const isLong = i32x4.gt_s(packets, v128.and(limits, i32x4.splat(HALF)));
  const isStuck = v128.or(v128.or(i32x4.eq(numbers, i32x4.splat(NO_ROUTE)), isNoWay), isLong);
  const isTunnelled = i32x4.gt_s(kinds, i32x4.splat(NEXT_HOP_KIND_DIRECT));
  return <u32>i32x4.bitmask(isStuck) + <u32>i32x4.bitmask(isTunnelled) * TUNNELLED;
}

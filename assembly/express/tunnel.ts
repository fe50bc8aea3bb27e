import { TUNNEL_VXLAN } from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { INTERFACE_NODE } from "../abi/packet";
import { ETH_LEN, IP4_LEN, UDP_LEN, UDP_LENGTH, VXLAN_LEN } from "../abi/wire";
import { Image } from "../image";
import { isLocal } from "../table/rules/address";
import { DEVICE_LEN, DEVICE_PORT } from "../table/tunnel/layout";
import { tunnelIn, tunnelKind } from "../table/tunnel/lookup";
import { ECN_TELLS } from "../wire/ecn";
import { Geneve } from "../wire/geneve";
import { isDatagramIntact } from "../wire/transport";
import { Vxlan } from "../wire/vxlan";
import { JUDGED_LEN } from "./judge";
import { Lanes } from "./lanes";
import { INS, LAST_TUNNEL, LENGTHS, STARTS } from "./layout";

/** Offsets in a tuple. */
const TUPLE_DST: u32 = 4;
const TUPLE_PORTS: u32 = 8;
/** An outer congestion mark that may change what is inside, in the header's first word. */
const TELLS: i32 = ECN_TELLS << 8;
const HEADER_AT: u32 = ETH_LEN + IP4_LEN + UDP_LEN;
const HALF: i32 = 0xffff;

/** Octets of a tunnel's header where nothing speaks against taking the outer ones off (stage/decap.ts), else 0. */
function headerLength(image: Image, header: usize, port: u32): u32 {
  if (tunnelKind(image, port) == TUNNEL_VXLAN) return Vxlan.at(header).isPlain ? VXLAN_LEN : 0;
  const geneve = Geneve.at(header);
  return geneve.isValid && !geneve.isControl && !geneve.isCritical ? geneve.headerLength : 0;
}

/**
 * The tunnel that the last packet came out of. What has the same destination, port and first eight octets of the
 * tunnel's header comes out of it too.
 */
@unmanaged
@final
class Tunnel {
  dst: u32;
  /** 0: nothing has come yet. */
  port: u32;
  header: u64;
  /** Of the tunnel's header. */
  length: u32;
  in: u32;

  @inline
  static last(scratch: usize): Tunnel {
    return changetype<Tunnel>(scratch + LAST_TUNNEL);
  }

  /** Takes a packet's tunnel; false where something speaks against opening it. */
  learn(image: Image, frame: usize, tuple: usize): bool {
    const dst = load<u32>(tuple, TUPLE_DST);
    const port = load<u32>(tuple, TUPLE_PORTS) & HALF;
    if (!isLocal(image, dst)) return false;
    const header = frame + HEADER_AT;
    const length = headerLength(image, header, port);
    const device = tunnelIn(image, port, Vxlan.at(header).vni);
    if (length == 0 || device == INTERFACE_NODE) return false;
    this.dst = dst;
    this.port = port;
    this.header = load<u64>(header);
    this.length = length;
    this.in = device;
    return true;
  }
}

/** Before a burst: another image may have other tunnels. */
export function forgetTunnel(scratch: usize): void {
  Tunnel.last(scratch).port = 0;
}

/** Bits of the packets to these UDP ports that are a tunnel device's. */
function toDevices(image: Image, ports: v128): u32 {
  const rows = image.to(image.tunnelsAt);
  let found = i32x4.splat(0);
  for (let i: u32 = 0; i < image.tunnels; i++) {
    const port = load<u32>(rows + i * DEVICE_LEN, DEVICE_PORT) & HALF;
    found = v128.or(found, i32x4.eq(ports, i32x4.splat(port)));
  }
  return i32x4.bitmask(found);
}

/** Bits of the packets that have come by the last tunnel. */
function byLast(last: Tunnel, entry: usize, tuples: usize, ports: v128): u32 {
  const f0 = <usize>load<u32>(entry, STARTS);
  const f1 = <usize>load<u32>(entry, STARTS + 4);
  const f2 = <usize>load<u32>(entry, STARTS + 8);
  const f3 = <usize>load<u32>(entry, STARTS + 12);
  const dst = Lanes.gather(tuples, tuples + 16, tuples + 32, tuples + 48, TUPLE_DST);
  const flags = Lanes.gather(f0, f1, f2, f3, HEADER_AT);
  const vnis = Lanes.gather(f0, f1, f2, f3, HEADER_AT + 4);
  const ends = v128.and(i32x4.eq(dst, i32x4.splat(last.dst)), i32x4.eq(ports, i32x4.splat(last.port)));
  const header = v128.and(
    i32x4.eq(flags, i32x4.splat(<u32>last.header)),
    i32x4.eq(vnis, i32x4.splat(<u32>(last.header >> 32))),
  );
  return i32x4.bitmask(v128.and(ends, header));
}

/** Of the packets in `lanes`, those whose outer UDP checksum is right, or none. */
function intact(entry: usize, lanes: u32): u32 {
  let good = lanes;
  for (let rest = lanes; rest != 0; rest &= rest - 1) {
    const ip = <usize>load<u32>(entry + ((<usize>ctz<u32>(rest)) << 2), STARTS) + ETH_LEN;
    if (!isDatagramIntact(ip, ip + IP4_LEN)) good &= ~(rest & -rest);
  }
  return good;
}

/** Takes the outer headers off the packets in `lanes`, in the columns; bits of those where nothing speaks against it. */
function open(image: Image, last: Tunnel, entry: usize, lanes: u32): u32 {
  const f0 = <usize>load<u32>(entry, STARTS);
  const f1 = <usize>load<u32>(entry, STARTS + 4);
  const f2 = <usize>load<u32>(entry, STARTS + 8);
  const f3 = <usize>load<u32>(entry, STARTS + 12);
  const first = Lanes.gather(f0, f1, f2, f3, ETH_LEN);
  const lengths = Lanes.gather(f0, f1, f2, f3, ETH_LEN + IP4_LEN + UDP_LENGTH);
  const inside = i32x4.sub(
    v128.and(Lanes.swapped(lengths), i32x4.splat(HALF)),
    i32x4.splat(UDP_LEN + last.length),
  );
  const isTold = i32x4.eq(v128.and(first, i32x4.splat(TELLS)), i32x4.splat(0));
  const isOpen = v128.and(
    v128.and(isTold, i32x4.ge_s(inside, i32x4.splat(JUDGED_LEN))),
    i32x4.ne(v128.and(i32x4.splat(lanes), i32x4(1, 2, 4, 8)), i32x4.splat(0)),
  );
  const opened = <u32>i32x4.bitmask(isOpen);
  if ((image.flags & IMAGE_FLAG_VERIFY) != 0 && intact(entry, opened) != opened) return 0;
  const further = v128.and(isOpen, i32x4.splat(HEADER_AT + last.length));
  v128.store(entry, i32x4.add(v128.load(entry, STARTS), further), STARTS);
  v128.store(entry, v128.bitselect(inside, v128.load(entry, LENGTHS), isOpen), LENGTHS);
  v128.store(entry, v128.bitselect(i32x4.splat(last.in), v128.load(entry, INS), isOpen), INS);
  return opened;
}

/** Of four packets judged, some of which are UDP (bits): those that came by tunnel, and the frames inside are the columns' now; above them, those that came by one and stay closed. */
export const CLOSED: u32 = 1 << 4;

export function openFour(image: Image, scratch: usize, entry: usize, tuples: usize, datagrams: u32): u32 {
  const words = Lanes.gather(tuples, tuples + 16, tuples + 32, tuples + 48, TUPLE_PORTS);
  const ports = v128.and(words, i32x4.splat(HALF));
  const tunnelled = toDevices(image, ports) & datagrams;
  const last = Tunnel.last(scratch);
  let opened: u32 = 0;
  let rest = tunnelled;
  while (rest != 0) {
    const same = byLast(last, entry, tuples, ports) & rest;
    const lane = ctz<u32>(rest);
    const frame = <usize>load<u32>(entry + (lane << 2), STARTS);
    if (same != 0) {
      opened |= open(image, last, entry, same);
      rest &= ~same;
    } else if (!last.learn(image, frame, tuples + (lane << 4))) rest &= rest - 1;
  }
  return opened | ((tunnelled & ~opened) * CLOSED);
}

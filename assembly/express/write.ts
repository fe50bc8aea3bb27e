import { NEXT_HOP_FLAG_NO_UDP_CHECKSUM } from "../abi/entry";
import {
  ETH_LEN,
  IP4_CHECKSUM,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
  IP4_TTL,
  PROTO_TCP,
  UDP_CHECKSUM,
  UDP_LENGTH,
} from "../abi/wire";
import { store16 } from "../bytes";
import { Image } from "../image";
import { followSteady } from "../ipvs/follow";
import { address, copyTemplate, outerChecksum } from "../stage/encap";
import { State } from "../state";
import { connectionAt } from "../table/flow/lookup";
import { ipvsOf } from "../table/ipvs/layout";
import { HOP_FLAGS } from "../table/nexthop/layout";
import { steadyTcp } from "../track/tcp";
import { advanceUdp } from "../track/udp";
import { nextId } from "../wire/ip4";
import {
  CHECKSUMS,
  CHECKSUMS_AT,
  FLOWS,
  GROWTH,
  HOPS_AT,
  KEYS,
  LENGTHS,
  OUTER,
  OUTER_HEAD,
  OUTER_LENGTH,
  OUTER_PORT,
  OUTER_SUM,
  SESSIONS,
  STARTS,
  TTLS,
  WIRE_ENDS,
  WIRE_PORTS,
} from "./layout";

/** Addresses, ports and transport checksum, as planned. */
export function writeTuple(entry: usize, ends: usize, frame: usize): void {
  store<u64>(frame, load<u64>(ends, WIRE_ENDS), ETH_LEN + IP4_SRC);
  store<u32>(frame, load<u32>(entry, WIRE_PORTS), ETH_LEN + IP4_LEN);
  store<u16>(load<u32>(entry, CHECKSUMS_AT), load<u32>(entry, CHECKSUMS));
}

/** A packet that moves nothing but its connection's timer; without one, nothing. */
export function moveOn(image: Image, state: State, flow: u32): void {
  if (flow == 0) return;
  const connection = connectionAt(state, flow >> 1);
  if (connection.protocol == PROTO_TCP) steadyTcp(image, connection, flow & 1, state.now);
  else advanceUdp(image, connection, state.now);
}

/** And what IPVS keeps of it, a packet of so many octets. */
export function moveSession(image: Image, state: State, entry: usize, octets: u32): void {
  const session = load<u32>(entry, SESSIONS);
  if (session != 0) followSteady(image, ipvsOf(state), session, load<u32>(entry, FLOWS) & 1, octets);
}

@unmanaged
@final
class Write {
  /** The outer headers of a frame; returns their identification, which comes after the last one. */
  @inline
  static outer(entry: usize, frame: usize, hop: usize, outer: u32, last: u32): u32 {
    copyTemplate(frame, hop, outer);
    const ip = frame - outer + ETH_LEN;
    const id = nextId(last);
    const turned = <u32>bswap<u16>(<u16>id);
    const sum = load<u32>(entry, OUTER_SUM) + turned;
    store<u32>(ip, load<u32>(entry, OUTER_HEAD));
    store<u16>(ip, turned, IP4_ID);
    store<u16>(ip, ~(sum + (sum >> 16)), IP4_CHECKSUM);
    store<u16>(ip, load<u32>(entry, OUTER_PORT), IP4_LEN);
    store<u32>(ip, load<u32>(entry, OUTER_LENGTH), IP4_LEN + UDP_LENGTH);
    return id;
  }

  /** Writes what is planned for a packet into its frame, and moves its connection on. */
  @inline
  static one(image: Image, state: State, entry: usize, ends: usize, last: u32): u32 {
    const frame = <usize>load<u32>(entry, STARTS);
    const hop = <usize>load<u32>(entry, HOPS_AT);
    if (load<u32>(entry, GROWTH) != 0) writeTuple(entry, ends, frame);
    store<u32>(frame, load<u32>(entry, TTLS), ETH_LEN + IP4_TTL);
    const flags = <u32>load<u16>(hop, HOP_FLAGS);
    address(frame, hop, flags, load<u32>(entry, KEYS));
    moveOn(image, state, load<u32>(entry, FLOWS));
    const outer = load<u32>(entry, OUTER);
    moveSession(image, state, entry, load<u32>(entry, LENGTHS) - outer - ETH_LEN);
    if (outer == 0) return last;
    const id = Write.outer(entry, frame, hop, outer, last);
    if ((flags & NEXT_HOP_FLAG_NO_UDP_CHECKSUM) == 0) sumUp(entry, frame, hop, outer);
    return id;
  }
}

/** The outer UDP checksum, of a frame that is ready but for it. */
function sumUp(entry: usize, frame: usize, hop: usize, outer: u32): void {
  const length = load<u32>(entry, LENGTHS) - outer;
  const udp = frame - outer + ETH_LEN + IP4_LEN;
  const port = bswap<u16>(<u16>load<u32>(entry, OUTER_PORT));
  store16(udp + UDP_CHECKSUM, outerChecksum(frame, hop, length, length + outer - ETH_LEN - IP4_LEN, port));
}

/** Writes what is planned for packets first … end - 1 into their frames, and moves their connections on. */
export function write(image: Image, state: State, scratch: usize, first: u32, end: u32): void {
  let id = state.outerId;
  for (let i = first; i < end; i++) id = Write.one(image, state, scratch + (i << 2), scratch + (i << 3), id);
  state.outerId = id;
}

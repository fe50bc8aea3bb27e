import { EXACT_SERVICES } from "../abi/entry";
import {
  ETH_LEN,
  IP4_LEN,
  PROTO_TCP,
  TCP_FLAG_RST,
  TCP_FLAG_SYN,
  TCP_FLAGS,
  UDP_CHECKSUM,
} from "../abi/wire";
import { STARTS, TUPLES } from "../express/layout";
import { EXACT_DIRECTORY_AT, Image } from "../image";
import { State } from "../state";
import { exactFindFrom, exactHome } from "../table/exact/lookup";
import { flowHashBurst, touchBurst } from "../table/flow/lookup";
import { TURN_SERVER } from "../table/ipvs/layout";
import { ringAt } from "../table/ring/lookup";
import { ANSWERS, REQUESTS, RINGS, SERVICES } from "./layout";

/** Where the tables know something of a burst's packets, or would: looked for all together, so that ways from memory overlap. */

/** Active FTP's data connections come from here. */
const PORT_FTP_DATA: u32 = 20;
const TURN: u64 = (<u64>TURN_SERVER) << 32;

/** Of TCP a SYN; a datagram with a checksum, as IPVS gives one to what has none. */
function mayBegin(frame: usize, ports: u32, protocol: u32): bool {
  const transport = frame + ETH_LEN + IP4_LEN;
  const port = ports >> 16;
  if (port == 0 || port == PORT_FTP_DATA) return false;
  if (protocol != PROTO_TCP) return load<u16>(transport, UDP_CHECKSUM) != 0;
  return (load<u8>(transport, TCP_FLAGS) & (TCP_FLAG_SYN | TCP_FLAG_RST)) == TCP_FLAG_SYN;
}

/** Of a burst's segments (bits), those that begin a connection if none has their tuple. */
export function beginnings(scratch: usize, segments: u64): u64 {
  let bits: u64 = 0;
  for (let rest = segments; rest != 0; rest &= rest - 1) {
    const i = <usize>ctz<u64>(rest);
    const tuple = scratch + TUPLES + (i << 4);
    const frame = <usize>load<u32>(scratch + (i << 2), STARTS);
    if (mayBegin(frame, load<u32>(tuple, 8), load<u32>(tuple, 12))) bits |= rest & -rest;
  }
  return bits;
}

/** Finds the buckets of tuples, both ways, and of virtual servers, and loads from all of them. */
function findBuckets(image: Image, ipvs: State, scratch: usize, plan: usize, count: u32, table: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const tuple = scratch + TUPLES + (i << 4);
    const entry = plan + (i << 2);
    const key = (load<u32>(tuple, 12) << 16) | (load<u32>(tuple, 8) & 0xffff);
    store<u32>(entry, <u32>exactHome(image, table, load<u32>(tuple, 4), key), SERVICES);
  }
  flowHashBurst(ipvs, scratch + TUPLES, count, plan + REQUESTS, 0);
  flowHashBurst(ipvs, scratch + TUPLES, count, plan + ANSWERS, TURN);
  touchBurst(count, plan + SERVICES);
  touchBurst(count, plan + REQUESTS);
  touchBurst(count, plan + ANSWERS);
}

/** Finds the virtual servers, and their rings, of packets (bits) to one's own port; bits of those that have one. */
export function findServices(
  image: Image,
  ipvs: State,
  scratch: usize,
  plan: usize,
  count: u32,
  bits: u64,
): u64 {
  const table = load<u32>(image.to(EXACT_DIRECTORY_AT + EXACT_SERVICES * 4));
  if (table == 0) return 0;
  findBuckets(image, ipvs, scratch, plan, count, table);
  let found: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const tuple = scratch + TUPLES + (i << 4);
    const entry = plan + (i << 2);
    const key = (load<u32>(tuple, 12) << 16) | (load<u32>(tuple, 8) & 0xffff);
    const service = exactFindFrom(image, table, load<u32>(entry, SERVICES), load<u32>(tuple, 4), key);
    store<u32>(entry, service, SERVICES);
    store<u32>(entry, <u32>ringAt(image, max<u32>(service, 1) - 1), RINGS);
    if (service != 0) found |= (<u64>1) << i;
  }
  return found & bits;
}

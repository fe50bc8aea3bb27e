import { TUNNEL_VXLAN } from "../abi/entry";
import {
  BATCH_CAPACITY,
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BATCH_STRIDE,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  ENCAP_HEADROOM,
  INTERFACE_NODE,
} from "../abi/packet";
import { ETH_LEN, IP4_LEN, IP4_TOS, IP4_TOTAL_LENGTH, PROTO_UDP, UDP_LEN, VXLAN_LEN } from "../abi/wire";
import { load16 } from "../bytes";
import { Image } from "../image";
import { isLocal } from "../table/rules/match";
import { TUNNEL_NONE } from "../table/tunnel/layout";
import { tunnelIn, tunnelKind } from "../table/tunnel/lookup";
import { Geneve } from "../wire/geneve";
import { Udp } from "../wire/udp";
import { Vxlan } from "../wire/vxlan";
import { FLOWS, HEADERS, INS, KEYS, KNOWN, LENGTHS, TOUCHED, TUPLES } from "./layout";
import { NOT_EXPRESS, Plain, TRACKED } from "./qualify";

/** Offsets in a tuple. */
const TUPLE_DST: u32 = 4;
const TUPLE_PORTS: u32 = 8;
const TUPLE_PROTOCOL: u32 = 12;
/** Congestion marks of the outer header that change nothing inside have this bit clear (RFC 6040 §4.2). */
const ECN_TELLS: u32 = 1;

function isTunnel(image: Image, tuple: usize): bool {
  if (load<u32>(tuple, TUPLE_PROTOCOL) != PROTO_UDP) return false;
  return tunnelKind(image, load<u32>(tuple, TUPLE_PORTS) & 0xffff) != TUNNEL_NONE;
}

/** Octets of the tunnel's header where nothing speaks against taking the outer ones off (stage/decap.ts), else 0. */
function opens(image: Image, frame: usize, port: u32): u32 {
  const udp = frame + ETH_LEN + IP4_LEN;
  const header = udp + UDP_LEN;
  const room = Udp.at(udp).length - UDP_LEN;
  if (room < VXLAN_LEN + ETH_LEN || (load<u8>(frame + ETH_LEN, IP4_TOS) & ECN_TELLS) != 0) return 0;
  if (tunnelKind(image, port) == TUNNEL_VXLAN) return Vxlan.at(header).hasVni ? VXLAN_LEN : 0;
  const geneve = Geneve.at(header);
  const length = geneve.headerLength;
  return geneve.isValid && !geneve.isControl && !geneve.isCritical && room >= length + ETH_LEN ? length : 0;
}

/** A frame that is not in its slot, or is made on the node: it goes the way of all packets. */
const NOWHERE: u32 = 0;
const CACHE_LINE: u32 = 64;

/**
 * Finds a burst's frames where the host placed them, and loads their first octets one after another and nothing else:
 * their ways from memory overlap then, which a loop that does more would not let them. What to do nothing with.
 */
function place(batch: usize, first: u32, count: u32, scratch: usize): u32 {
  const columnLen = load<u32>(batch, BATCH_CAPACITY) << 2;
  const stride = load<u32>(batch, BATCH_STRIDE);
  let slot = load<u32>(batch, BATCH_SLOTS) + first * stride;
  let cell = batch + BATCH_HEADER_LEN + (first << 2);
  let touched: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = load<u32>(cell + COLUMN_FRAME * columnLen);
    const length = load<u32>(cell + COLUMN_LENGTH * columnLen);
    const fits = at - slot >= ENCAP_HEADROOM && length <= stride && at - slot <= stride - length;
    const frame = <u32>batch + (fits ? at : slot);
    const entry = scratch + (i << 2);
    store<u32>(entry, fits ? frame : NOWHERE, HEADERS);
    store<u32>(entry, length, LENGTHS);
    store<u32>(entry, load<u32>(cell + COLUMN_IN * columnLen), INS);
    touched += load<u8>(frame) + load<u8>(frame + (fits && length > CACHE_LINE ? CACHE_LINE : 0));
    slot += stride;
    cell += 4;
  }
  return touched;
}

/**
 * Reads a burst's frames: those that can go the express way (bits), of them as KNOWN those that the connection table
 * is asked about. Frames stay as they are.
 */
export function receive(image: Image, batch: usize, first: u32, count: u32, scratch: usize): u64 {
  store<u32>(scratch, place(batch, first, count, scratch), TOUCHED);
  // Tunnels end at one address, or few: the last is remembered. 0 is nobody's.
  let ours: u32 = 0;
  let fits: u64 = 0;
  let knows: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = scratch + (i << 2);
    const tuple = scratch + TUPLES + (i << 4);
    let frame = <usize>load<u32>(entry, HEADERS);
    let kind = NOT_EXPRESS;
    if (frame != NOWHERE && load<u32>(entry, INS) != INTERFACE_NODE) {
      kind = Plain.judge(image, frame, load<u32>(entry, LENGTHS), tuple);
      if (kind == TRACKED && isTunnel(image, tuple)) {
        kind = NOT_EXPRESS;
        const dst = load<u32>(tuple, TUPLE_DST);
        if (dst != ours && isLocal(image, dst)) ours = dst;
        const port = load<u32>(tuple, TUPLE_PORTS) & 0xffff;
        const header = dst == ours ? opens(image, frame, port) : 0;
        const udp = frame + ETH_LEN + IP4_LEN;
        const device = header == 0 ? INTERFACE_NODE : tunnelIn(image, port, Vxlan.at(udp + UDP_LEN).vni);
        if (device != INTERFACE_NODE) {
          frame = udp + UDP_LEN + header;
          store<u32>(entry, device, INS);
          kind = Plain.judge(image, frame, Udp.at(udp).length - UDP_LEN - header, tuple);
        }
      }
    }
    if (kind != NOT_EXPRESS) {
      store<u32>(entry, load<u32>(tuple, TUPLE_DST), KEYS);
      store<u32>(entry, <u32>(frame + ETH_LEN), HEADERS);
      store<u32>(entry, ETH_LEN + load16(frame + ETH_LEN + IP4_TOTAL_LENGTH), LENGTHS);
    } else {
      v128.store(tuple, i32x4.splat(0));
      store<u32>(entry, 0, KEYS);
    }
    store<u32>(entry, 0, FLOWS);
    fits |= u64(kind != NOT_EXPRESS) << i;
    knows |= u64(kind == TRACKED) << i;
  }
  store<u64>(scratch, knows, KNOWN);
  return fits;
}

import { NEXT_HOP_FLAG_BRIDGE, NEXT_HOP_KIND_DIRECT } from "../abi/entry";
import { ETH_LEN } from "../abi/wire";
import { hashTuple } from "../hash";
import { Image } from "../image";
import { address, nextOuterId, putOuter } from "../stage/encap";
import { State } from "../state";
import { FLOW_FLAG_IPVS } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { advance } from "../table/flow/state";
import { HOP_FLAGS, HOP_KIND, HOP_LEAVE, HOP_MTU, HOP_OUT } from "../table/nexthop/layout";
import { nextHopAt } from "../table/nexthop/lookup";
import { Ip4 } from "../wire/ip4";
import { FLOWS, FRAMES, HEADERS, HOPS, INS, KEYS, LENGTHS, OUTS, TUPLES } from "./layout";
import { isSteady, translationOf } from "./resolve";
import { age, rewrite } from "./rewrite";

const NO_ROUTE: u32 = 0xffffffff;

/** Whether a connection is still what it was when the burst began: another packet may have closed or opened it since. */
export function isStill(state: State, scratch: usize, i: u32): bool {
  const flow = load<u32>(scratch + (i << 2), FLOWS);
  if (flow == 0) return true;
  const connection = connectionAt(state, flow >> 1);
  const tuple = scratch + TUPLES + (i << 4);
  const own = (flow & 1) == 0;
  return (
    isSteady(connection, state.now) &&
    load<u32>(tuple) == (own ? connection.src : connection.replySrc) &&
    load<u32>(tuple, 4) == (own ? connection.dst : connection.replyDst) &&
    load<u32>(tuple, 8) == (own ? connection.ports : connection.replyPorts) &&
    load<u32>(tuple, 12) == connection.protocol &&
    load<u32>(translationOf(connection, flow)) == load<u32>(scratch + (i << 2), KEYS)
  );
}

/**
 * Sends packet i on: its tuple, TTL, MACs and outer headers, and its connection's timer. False, with nothing changed,
 * where something about the way out is still to be decided.
 */
export function forward(image: Image, state: State, batch: usize, scratch: usize, i: u32): bool {
  const entry = scratch + (i << 2);
  const number = load<u32>(entry, HOPS);
  if (number == NO_ROUTE) return false;
  const hop = nextHopAt(image, number);
  const kind = load<u32>(hop, HOP_KIND);
  const length = load<u32>(entry, LENGTHS);
  if (kind < NEXT_HOP_KIND_DIRECT || length - ETH_LEN > <u32>load<u16>(hop, HOP_MTU)) return false;
  const ip = <usize>load<u32>(entry, HEADERS);
  const frame = ip - ETH_LEN;
  const isSwitched =
    load<u32>(hop, HOP_OUT) == load<u32>(entry, INS) &&
    (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0;
  const tuple = scratch + TUPLES + (i << 4);
  const protocol = load<u32>(tuple, 12);
  const flow = load<u32>(entry, FLOWS);
  let src = load<u32>(tuple);
  let ports = load<u32>(tuple, 8);
  if (flow != 0) {
    const connection = connectionAt(state, flow >> 1);
    const to = translationOf(connection, flow);
    advance(connection, flow & 1, 0, state.now);
    // What IPVS gave its destination is sent on as by a router (stage/leave.ts).
    const isScheduled = (connection.flags & FLOW_FLAG_IPVS) != 0 && load<u32>(to) != load<u32>(tuple, 4);
    rewrite(ip, protocol, to, isScheduled || !isSwitched);
    src = load<u32>(to, 4);
    ports = rotl<u32>(load<u32>(to, 8), 16);
  } else if (!isSwitched) age(ip);
  const dst = load<u32>(entry, KEYS);
  address(frame, hop, dst);
  store<u32>(entry, load<u32>(hop, HOP_LEAVE), OUTS);
  if (kind == NEXT_HOP_KIND_DIRECT) {
    store<u32>(entry, <u32>(frame - batch), FRAMES);
    return true;
  }
  const tos = Ip4.at(ip).tos;
  const outer = putOuter(frame, hop, length, tos, nextOuterId(state), hashTuple(src, dst, ports, protocol));
  store<u32>(entry, <u32>(frame - batch) - outer, FRAMES);
  store<u32>(entry, length + outer, LENGTHS);
  return true;
}

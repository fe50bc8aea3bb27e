import { INTERFACE_NODE } from "../../assembly/abi/packet.js";
import {
  ETH_LEN,
  ETH_TYPE,
  ETH_TYPE_IP4,
  ETH_TYPE_IP6,
  IP4_LEN,
  IP4_SRC,
  IP6_LEN,
  IP6_SRC,
} from "../../assembly/abi/wire.js";
import type { Ip } from "../net/ip.js";
import type { Numbering } from "../trace/numbering.js";
import { halvesOf6 } from "./entries/words.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** The number of an interface; RangeError, which names the node's, for one that it does not have. */
export function namedInterface({ interfaces }: Numbering, name: string, node: string): number {
  const index = interfaces.findIndex((one) => one.name === name);
  if (index >= 0) return index + 1;
  const names = interfaces.map((one) => one.name).join(", ");
  throw new RangeError(`Node ${node} has no interface ${name}; it has ${names}.`);
}

/** An IPv6 address as look-ups take it. */
const KEY6_LEN = 16;

/** The number of the next hop to an address; 2^32 - 1 where there is no route. */
export function routedTo(
  address: Ip,
  {
    machine,
    memory,
    image,
  }: { readonly machine: Machine; readonly memory: LinearMemory; readonly image: number },
): number {
  if (typeof address === "number") return machine.routeLookup(image, address) >>> 0;
  return memory.borrow(KEY6_LEN, (key) => {
    memory.words(key, KEY6_LEN / 4).set(halvesOf6(address));
    return machine.route6Lookup(image, key) >>> 0;
  });
}

/** The source of a frame's packet; undefined for what is neither IPv4 nor IPv6, or tagged. */
function sourceOf(frame: Uint8Array): Ip | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const type = frame.length < ETH_LEN ? 0 : view.getUint16(ETH_TYPE);
  if (type === ETH_TYPE_IP4 && frame.length >= ETH_LEN + IP4_LEN) return view.getUint32(ETH_LEN + IP4_SRC);
  if (type !== ETH_TYPE_IP6 || frame.length < ETH_LEN + IP6_LEN) return undefined;
  return (view.getBigUint64(ETH_LEN + IP6_SRC) << 64n) | view.getBigUint64(ETH_LEN + IP6_SRC + 8);
}

/**
 * The number of the interface that a frame's source is routed by (`routed`: its next hop's number), 0 where that is the
 * node itself; the uplink's for what is not IP or has no route.
 */
export function interfaceBehind(
  { interfaces, hops }: Numbering,
  frame: Uint8Array,
  routed: (source: Ip) => number,
): number {
  const source = sourceOf(frame);
  const hop = source === undefined ? undefined : hops[routed(source)];
  if (hop === undefined) return interfaces.findIndex(({ kind }) => kind === "uplink") + 1;
  return hop.kind === "local" ? INTERFACE_NODE : interfaces.findIndex(({ name }) => name === hop.dev) + 1;
}

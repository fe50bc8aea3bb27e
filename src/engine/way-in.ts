import { INTERFACE_NODE } from "../../assembly/abi/packet.js";
import { ETH_LEN, ETH_TYPE, ETH_TYPE_IP4, IP4_LEN, IP4_SRC } from "../../assembly/abi/wire.js";
import type { Numbering } from "../trace/numbering.js";

/** The number of an interface; RangeError, which names the node's, for one that it does not have. */
export function namedInterface({ interfaces }: Numbering, name: string, node: string): number {
  const index = interfaces.findIndex((one) => one.name === name);
  if (index >= 0) return index + 1;
  const names = interfaces.map((one) => one.name).join(", ");
  throw new RangeError(`Node ${node} has no interface ${name}; it has ${names}.`);
}

/**
 * The number of the interface that a frame's source is routed by (`routed`: its next hop's number), 0 where that is the
 * node itself; the uplink's for what is not IPv4 or has no route.
 */
export function interfaceBehind(
  { interfaces, hops }: Numbering,
  frame: Uint8Array,
  routed: (source: number) => number,
): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const uplink = interfaces.findIndex(({ kind }) => kind === "uplink") + 1;
  if (frame.length < ETH_LEN + IP4_LEN || view.getUint16(ETH_TYPE) !== ETH_TYPE_IP4) return uplink;
  const hop = hops[routed(view.getUint32(ETH_LEN + IP4_SRC))];
  if (hop === undefined) return uplink;
  return hop.kind === "local" ? INTERFACE_NODE : interfaces.findIndex(({ name }) => name === hop.dev) + 1;
}

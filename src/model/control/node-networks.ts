import type { Ip } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import { prefixOf } from "../../net/prefix.js";
import type { Node } from "../node.js";

/** Finds the Node in whose podCIDRs an address lies; podCIDRs do not overlap. */
export function nodeNetworks(nodes: readonly Node[]): (ip: Ip) => string | undefined {
  const byLength = new Map<number, IpMap<string>>();
  for (const { name, podCIDRs } of nodes) {
    for (const { address, length } of podCIDRs) {
      const names = byLength.get(length);
      if (names === undefined) byLength.set(length, new IpMap([[address, name]]));
      else names.set(address, name);
    }
  }
  return (ip) => {
    for (const [length, names] of byLength) {
      if (typeof ip === "number" && length > 32) continue;
      const name = names.get(prefixOf(ip, length).address);
      if (name !== undefined) return name;
    }
    return undefined;
  };
}

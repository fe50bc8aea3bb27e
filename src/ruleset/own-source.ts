import { familyOf, type Ip } from "../net/ip.js";
import { prefixContains, prefixOf } from "../net/prefix.js";
import type { Interface, InterfaceAddress } from "./routes.js";
import type { Ruleset } from "./ruleset.js";

function isBeside({ address, length }: InterfaceAddress, dst: Ip): boolean {
  return familyOf(address) === familyOf(dst) && prefixContains(prefixOf(address, length), dst);
}

/** The address of an interface by which the node is at home at `dst`; of a loopback's IPv4 network all is. */
function homeOf({ addresses, kind }: Interface, dst: Ip): InterfaceAddress | undefined {
  const own = addresses.find(({ address }) => address === dst);
  if (own !== undefined || kind !== "loopback" || typeof dst === "bigint") return own;
  return addresses.find((one) => isBeside(one, dst));
}

/**
 * The source that a kernel gives what it sends to one of its own addresses, where nobody says another: that address, or of
 * IPv4 the first that the interface has in the same network (fib_add_ifaddr: the local route's preferred source). Undefined
 * for addresses that are not the node's.
 */
export function ownSource({ interfaces }: Pick<Ruleset, "interfaces">, dst: Ip): Ip | undefined {
  for (const device of interfaces) {
    const home = homeOf(device, dst);
    if (home === undefined) continue;
    if (typeof dst === "bigint") return dst;
    return device.addresses.find((one) => one.length === home.length && isBeside(one, dst))?.address;
  }
  return undefined;
}

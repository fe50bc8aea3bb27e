import type { Diagnostic } from "../diagnostics.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { hostPrefix } from "../net/prefix.js";
import { guessNetwork, type KnownNetwork, type Network, type SaidOfNetwork } from "./guessed-network.js";
import type { Iptables } from "./iptables.js";
import { familyOfService, type Ipvs, type VirtualServer } from "./ipvs.js";
import type { Interface } from "./routes.js";

/** The addresses of virtual servers, each once. */
export function virtualAddresses(servers: readonly VirtualServer[]): readonly Ip[] {
  return [...new Set(servers.flatMap(({ address }) => (address === undefined ? [] : [address])))];
}

/** The families that packets may be of: of rules, of virtual servers, and of real ones behind tunnels; both where nothing says. */
function familiesOf({ servers }: Ipvs, tables: readonly Iptables[]): readonly Family[] {
  const families = new Set(tables.map(({ family }) => family));
  for (const service of servers) {
    families.add(familyOfService(service));
    for (const { address } of service.servers) families.add(familyOf(address));
  }
  return families.size === 0 ? [4, 6] : [...families].sort();
}

/** Gives the loopback interface addresses that no interface has. */
function withOwn(interfaces: readonly Interface[], wanted: readonly Ip[]): readonly Interface[] {
  const held = new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const own = wanted.filter((address) => !held.has(address)).map(hostPrefix);
  return interfaces.map((device) =>
    device.kind === "loopback" ? { ...device, addresses: [...device.addresses, ...own] } : device,
  );
}

/** Virtual servers see what is for the node itself: others' packets pass them by. */
function strangers(wanted: readonly Ip[], interfaces: readonly Interface[]): readonly Diagnostic[] {
  const held = new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const count = wanted.filter((address) => !held.has(address)).length;
  if (count === 0) return [];
  const message = `has not the addresses of ${count} virtual servers (ip-addr): what is sent there passes IPVS by.`;
  return [{ severity: "warning", place: { object: "the node" }, message }];
}

/** A node's network as guessNetwork has it; where its addresses are not known, those of virtual servers are its own. */
export function guessDirector(
  ipvs: Ipvs | undefined,
  known: KnownNetwork,
  tables: readonly (Iptables | undefined)[],
  said: SaidOfNetwork,
): Network {
  const there = tables.filter((one) => one !== undefined);
  if (ipvs === undefined) return guessNetwork(known, there, said);
  const families = familiesOf(ipvs, there);
  const all = families.map((family) => there.find((one) => one.family === family) ?? { family, tables: [] });
  const network = guessNetwork(known, all, said);
  const wanted = virtualAddresses(ipvs.servers);
  if (known.addresses === undefined) return { ...network, interfaces: withOwn(network.interfaces, wanted) };
  return { ...network, diagnostics: [...network.diagnostics, ...strangers(wanted, network.interfaces)] };
}

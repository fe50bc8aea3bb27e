import type { Diagnostic } from "../diagnostics.js";
import { hostPrefix } from "../net/prefix.js";
import { serverKey } from "../ruleset/identity.js";
import { type Ipvs, serviceName, type VirtualServer } from "../ruleset/ipvs.js";
import type { Interface } from "../ruleset/routes.js";
import type { Ruleset } from "../ruleset/ruleset.js";

/** Virtual servers that a node's own ipvsadm-save told, and the file that messages name. */
export interface IpvsListing {
  readonly file: string;
  readonly ipvs: Ipvs;
}

/** A node with the virtual servers that its own listing tells, those of Services under their names. */
export function withListing(compiled: Ruleset, { ipvs: { servers } }: IpvsListing): Ruleset {
  const own = new Map(compiled.ipvs?.servers.map((server) => [serverKey(server), server.origin]));
  const named = servers.map((server) => ({ ...server, origin: own.get(serverKey(server)) ?? "" }));
  return withForeign(
    { ...compiled, names: compiled.names, ipvs: { ...compiled.ipvs, servers: named } },
    named,
  );
}

/** A node that has the addresses of virtual servers that no Service has, wherever it has them from. */
export function withForeign(ruleset: Ruleset, servers: readonly VirtualServer[]): Ruleset {
  const there = new Set(
    ruleset.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
  );
  const foreign = servers.flatMap(({ address, origin }) =>
    address === undefined || origin !== "" || there.has(address) ? [] : [address],
  );
  const addresses = [...new Set(foreign)].map(hostPrefix);
  const withThem = (device: Interface): Interface =>
    device.kind === "loopback" ? { ...device, addresses: [...device.addresses, ...addresses] } : device;
  return { ...ruleset, names: ruleset.names, interfaces: ruleset.interfaces.map(withThem) };
}

/** Where a listing is not of the cluster: Services that it does not hold, and marks, whose packets cannot be made up. */
export function listingWarnings(compiled: Ruleset, { file, ipvs }: IpvsListing): readonly Diagnostic[] {
  const warning = (message: string): Diagnostic => ({ severity: "warning", place: { file }, message });
  const there = new Set(ipvs.servers.map(serverKey));
  const missing = (compiled.ipvs?.servers ?? []).filter((server) => !there.has(serverKey(server)));
  const marked = ipvs.servers.filter(({ mark }) => mark !== undefined);
  const [first] = missing;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  return [
    ...(first === undefined
      ? []
      : [
          warning(
            `lacks ${serviceName(first)} of ${first.origin}${more}: give the listing of node ${compiled.node}, as it is now.`,
          ),
        ]),
    ...marked.map((server) =>
      warning(`${serviceName(server)} is not assessed: what gives packets that mark is not known.`),
    ),
  ];
}

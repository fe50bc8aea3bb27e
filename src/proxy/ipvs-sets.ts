import type { Diagnostic } from "../diagnostics.js";
import type { Collection, Fragment, Key } from "../fragment/front-end.js";
import type { Family, Ip } from "../net/ip.js";
import { printPrefix } from "../net/prefix.js";
import { type IpSet, type IpSetEntry, MAX_ELEMENTS } from "../ruleset/ipset.js";
import { serviceKey } from "./service-key.js";

/** kube-proxy's ipsets of IPv4 in its own order; each exists on every node, also empty. */
const SET_TYPE = {
  "KUBE-LOOP-BACK": "hash:ip,port,ip",
  "KUBE-CLUSTER-IP": "hash:ip,port",
  "KUBE-EXTERNAL-IP": "hash:ip,port",
  "KUBE-EXTERNAL-IP-LOCAL": "hash:ip,port",
  "KUBE-LOAD-BALANCER": "hash:ip,port",
  "KUBE-LOAD-BALANCER-FW": "hash:ip,port",
  "KUBE-LOAD-BALANCER-LOCAL": "hash:ip,port",
  "KUBE-LOAD-BALANCER-SOURCE-IP": "hash:ip,port,ip",
  "KUBE-LOAD-BALANCER-SOURCE-CIDR": "hash:ip,port,net",
  "KUBE-NODE-PORT-TCP": "bitmap:port",
  "KUBE-NODE-PORT-LOCAL-TCP": "bitmap:port",
  "KUBE-NODE-PORT-UDP": "bitmap:port",
  "KUBE-NODE-PORT-LOCAL-UDP": "bitmap:port",
  "KUBE-NODE-PORT-SCTP-HASH": "hash:ip,port",
  "KUBE-NODE-PORT-LOCAL-SCTP-HASH": "hash:ip,port",
  "KUBE-HEALTH-CHECK-NODE-PORT": "bitmap:port",
  "KUBE-IPVS-IPS": "hash:ip",
} as const satisfies Record<string, IpSet["type"]>;

/** What a set is for, by its name of IPv4. */
export type SetName = keyof typeof SET_TYPE;

export const SET_NAMES = Object.keys(SET_TYPE) as readonly SetName[];

/** The kernel takes no longer names (IPSET_MAXNAMELEN); kube-proxy cuts them. */
const NAME_LENGTH = 31;

/** The set's name in a family: `KUBE-6-CLUSTER-IP`. */
export function setName(set: SetName, family: Family): string {
  return family === 4 ? set : set.replace("KUBE-", "KUBE-6-").slice(0, NAME_LENGTH);
}

/** Elements by set; sets without one are absent. */
export type Elements = { [Name in SetName]?: IpSetEntry[] };

/** What one Service adds to the sets. */
export interface SetsFragment extends Fragment {
  readonly sets: Elements;
}

export function insert(elements: Elements, name: SetName, entry: IpSetEntry): void {
  const found = elements[name];
  if (found === undefined) elements[name] = [entry];
  else found.push(entry);
}

/** What tells the elements of a set apart. (Where there is an ip2 it is the same address as ip.) */
function keyOf({ ip, protocol = "TCP", port = 0, net }: IpSetEntry): Key {
  const key = serviceKey(ip, protocol, port);
  return net === undefined ? key : `${key} ${printPrefix(net)}`;
}

export function insertDummyAddresses(elements: Elements, addresses: readonly Ip[]): void {
  for (const ip of addresses) insert(elements, "KUBE-IPVS-IPS", { ip });
}

const NO_ENTRIES: readonly IpSetEntry[] = [];

/** One collection for each set, in the order of SET_NAMES. */
export function setCollections(family: Family): readonly Collection<SetsFragment, IpSetEntry>[] {
  return SET_NAMES.map((name) => {
    const set = setName(name, family);
    return {
      elementsOf: ({ sets }) => sets[name] ?? NO_ENTRIES,
      keyOf,
      set: (entry) => ({ kind: "ipset-added", set, entry }),
      removed: (entry) => ({ kind: "ipset-removed", set, entry }),
    };
  });
}

export function ipSet(set: SetName, family: Family, entries: readonly IpSetEntry[]): IpSet {
  const type = SET_TYPE[set];
  const name = setName(set, family);
  // Sets of ports alone know no family.
  return family === 6 && type !== "bitmap:port" ? { name, type, family, entries } : { name, type, entries };
}

/** A real node's kernel would refuse to fill these sets. Takes the sizes in the order of SET_NAMES. */
export function overfullWarnings(sizes: readonly number[], family: Family): readonly Diagnostic[] {
  return SET_NAMES.flatMap((set, index): readonly Diagnostic[] => {
    const size = sizes[index] ?? 0;
    if (size <= MAX_ELEMENTS) return [];
    const message = `holds ${size} elements; a real node's kernel refuses those past ${MAX_ELEMENTS} (maxelem).`;
    return [{ severity: "warning", place: { object: `ipset ${setName(set, family)}` }, message }];
  });
}

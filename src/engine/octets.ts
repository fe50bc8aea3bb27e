import {
  PART_ALL,
  PART_EXACT,
  PART_FIB,
  PART_FIB6,
  PART_NEXT_HOPS,
  PART_ROUTES,
  PART_RULES,
  PART_SERVERS,
} from "../../assembly/abi/image.js";
import type { Machine } from "./machine.js";
import type { TableOctets } from "./options.js";
import type { StateStore } from "./state.js";

/** Octets of the live tables of an image, by kind, with those of a state's parts. */
export function tableOctets(
  machine: Machine,
  image: number,
  { connections, fragments, positions, clients, sessions }: StateStore["parts"],
): TableOctets {
  const of = (part: number) => machine.imageOctets(image, part) >>> 0;
  return {
    all: of(PART_ALL) + connections + fragments + positions + clients + sessions,
    routes: of(PART_FIB),
    routes6: of(PART_FIB6),
    routeStore: of(PART_ROUTES),
    nextHops: of(PART_NEXT_HOPS),
    maps: of(PART_EXACT),
    rules: of(PART_RULES),
    servers: of(PART_SERVERS) + positions,
    connections,
    ipvsConnections: sessions,
    clients,
    fragments,
  };
}

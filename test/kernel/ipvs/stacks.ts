import type { Spaces } from "../judge/node-space.js";
import { type Call, within } from "../judge/shell.js";

/** Names of the namespaces where clients and real servers are programs with sockets. */
export interface Folk {
  readonly clients: string;
  readonly servers: string;
}

/** Ports that servers listen to: those of services and of real servers. */
export const SERVED_PORTS = [80, 443, 8_080, 8_443] as const;

const GATEWAY_MAC = "02:00:00:00:00:99";
const SERVERS_MAC = "02:00:00:00:01:00";

interface Side {
  readonly space: string;
  readonly device: string;
  readonly mac: string;
  /** Its own address and that of the director, with the director's MAC address. */
  readonly families: readonly (readonly [family: 4 | 6, own: string, director: string])[];
  readonly director: string;
  /** What it answers for. */
  readonly local: readonly string[];
}

const sidesOf = ({ clients, servers }: Folk): readonly Side[] => [
  {
    space: clients,
    device: "c0",
    mac: GATEWAY_MAC,
    families: [
      [4, "172.31.0.2/24", "172.31.0.1"],
      [6, "fd00:31::2/64", "fd00:31::1"],
    ],
    director: "02:00:00:00:00:01",
    local: ["172.20.0.0/16", "fd00:20::/32"],
  },
  {
    space: servers,
    device: "s0",
    mac: SERVERS_MAC,
    families: [
      [4, "10.244.0.2/24", "10.244.0.1"],
      [6, "fd00:244::2/64", "fd00:244::1"],
    ],
    director: "02:00:00:00:00:02",
    local: ["10.244.0.8/29", "10.244.0.16/29", "fd00:244::10/124"],
  },
];

const batch = (space: string, lines: readonly string[]): Call => ({
  program: "ip",
  words: ["-netns", space, "-batch", "-"],
  input: `${lines.join("\n")}\n`,
});

function settle(side: Side): Call[] {
  const { space, device, mac, families, director, local } = side;
  const addresses = families.flatMap(([family, own, gateway]) => [
    `addr add ${own} dev ${device}${family === 6 ? " nodad" : ""}`,
    `neigh replace ${gateway} lladdr ${director} nud permanent dev ${device}`,
    `route add default via ${gateway} dev ${device}`,
  ]);
  const words = ["-K", device, ..."tx off rx off gro off gso off tso off".split(" ")];
  return [
    batch(space, ["link set lo up", `link set ${device} address ${mac} arp on up`, ...addresses]),
    batch(
      space,
      local.map((prefix) => `route add local ${prefix} dev lo`),
    ),
    within(space, { program: "ethtool", words }),
  ];
}

/** Moves the far ends of a node's wires to namespaces with stacks, which answer for all clients and real servers. */
export function settling({ node, ends }: Spaces, folk: Folk, servers: readonly string[]): Call[] {
  const sides = sidesOf(folk);
  return [
    ...sides.map(({ space }) => ({ program: "ip", words: ["netns", "add", space] })),
    batch(
      ends,
      sides.map(({ space, device }) => `link set ${device} netns ${space}`),
    ),
    ...sides.flatMap(settle),
    batch(
      node,
      servers.map((address) => `neigh replace ${address} lladdr ${SERVERS_MAC} nud permanent dev s0`),
    ),
  ];
}

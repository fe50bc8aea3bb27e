import { hostPrefix, printPrefix } from "../../../src/net/prefix.js";
import type { Neighbour } from "../../../src/ruleset/neighbours.js";
import type { Interface, Route } from "../../../src/ruleset/routes.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { buildProgram } from "../judge/native.js";
import { fellNode, raising, type Spaces } from "../judge/node-space.js";
import { type Call, run, within } from "../judge/shell.js";
import { SERVER_COUNT, serverAddress, VIP_PREFIXES } from "./draw-services.js";
import { feedOrder, Player, readOrder, restoreOrder, setOrder, waitOrder } from "./player.js";
import { addressOf, type Scenario } from "./scenario.js";
import { type Folk, SERVED_PORTS, settling } from "./stacks.js";

/** The director's wires, to clients and to real servers. */
export const CLIENTS = "c0";
export const SERVERS = "s0";

const CLIENTS_MAC = 0x02_00_00_00_00_01;
const SERVERS_MAC = 0x02_00_00_00_00_02;
const GATEWAY_MAC = 0x02_00_00_00_00_99;
/** A real server's is this and its number. */
const SERVER_MAC = 0x02_00_00_00_01_00;

export const MAC_OF: Readonly<Record<string, number>> = { [CLIENTS]: CLIENTS_MAC, [SERVERS]: SERVERS_MAC };

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const FAMILIES = [4, 6] as const;

const at = (text: string, length: number) => ({ address: addressOf(text), length });

const INTERFACES: readonly Interface[] = [
  { name: "lo", kind: "loopback", mac: 0, mtu: 65_536, addresses: [at("127.0.0.1", 8), at("::1", 128)] },
  {
    name: CLIENTS,
    kind: "uplink",
    mac: CLIENTS_MAC,
    mtu: 1_500,
    addresses: [at("172.31.0.1", 24), at("fd00:31::1", 64)],
  },
  {
    name: SERVERS,
    kind: "uplink",
    mac: SERVERS_MAC,
    mtu: 1_500,
    addresses: [at("10.244.0.1", 16), at("fd00:244::1", 64)],
  },
];

const everywhere = (text: string): Route => {
  const via = addressOf(text);
  const nowhere = typeof via === "number" ? 0 : 0n;
  return { prefix: { address: nowhere, length: 0 }, dev: CLIENTS, via };
};

const GATEWAYS = ["172.31.0.2", "fd00:31::2"];

const NEIGHBOURS: readonly Neighbour[] = [
  ...GATEWAYS.map((text) => ({ address: addressOf(text), dev: CLIENTS, mac: GATEWAY_MAC })),
  ...FAMILIES.flatMap((family) =>
    range(SERVER_COUNT).map((index) => ({
      address: addressOf(serverAddress(family, index)),
      dev: SERVERS,
      mac: SERVER_MAC + index,
    })),
  ),
];

/** The director's node without its virtual servers. */
export const NODE: Ruleset = {
  node: "director",
  proxy: "ipvs",
  interfaces: INTERFACES,
  routes: GATEWAYS.map(everywhere),
  neighbours: NEIGHBOURS,
  fdb: [],
  names: new Map(),
  diagnostics: [],
};

/** The mark that packets to an address of the scenarios' services get. */
export function marksOf(scenarios: readonly Scenario[]): ReadonlyMap<string, number> {
  const changes = scenarios
    .flatMap(({ steps }) => steps)
    .flatMap((step) => (step.do === "change" ? step.changes : []));
  return new Map(
    changes.flatMap(({ service: { address, mark } }) =>
      mark === undefined ? [] : [[address, mark] as const],
    ),
  );
}

/** What gives packets of a family their marks, as iptables-save prints it; empty where no service asks for marks. */
export function markRules(family: 4 | 6, scenarios: readonly Scenario[]): string {
  const marks = [...marksOf(scenarios)].filter(([address]) => address.includes(":") === (family === 6));
  if (marks.length === 0) return "";
  const rules = marks.map(([address, mark]) => {
    return `-A PREROUTING -d ${printPrefix(hostPrefix(addressOf(address)))} -j MARK --set-xmark 0x${mark.toString(16)}/0xffffffff`;
  });
  return ["*mangle", ":PREROUTING ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
}

/** Beside marks rules without which connection tracking and translation would sleep. */
function rulesOf(family: 4 | 6, scenarios: readonly Scenario[]): Call {
  const nobody = family === 4 ? "127.0.0.9" : "::9";
  const waking = ["*nat", `-A POSTROUTING -s ${nobody} -j MASQUERADE`, "COMMIT", ""].join("\n");
  const program = family === 4 ? "iptables-legacy-restore" : "ip6tables-legacy-restore";
  return { program, words: [], input: markRules(family, scenarios) + waking };
}

const localVips: Call = {
  program: "ip",
  words: ["-batch", "-"],
  input: VIP_PREFIXES.map((prefix) => `route add local ${prefix} dev lo\n`).join(""),
};

const CONNECTIONS_FILE = "/proc/net/ip_vs_conn";
const EXPIRES = "net.ipv4.vs.expire_nodest_conn";
/** A virtual server that comes and goes, so that the kernel looks for connections without a server. */
const GUEST = "-A -t 10.96.0.250:9 -s rr\n-a -t 10.96.0.250:9 -r 10.244.0.250:9 -m\n-D -t 10.96.0.250:9\n";
const SETTLING_MS = 40;
const SWEEPS = 10;
/** As in a kernel that was left alone. */
const USUAL_TIMEOUTS = [900, 120, 300] as const;

/** A director's node in this kernel, on which scenarios are played one after another. */
export class Stand {
  readonly player: Player;
  #sockets: Player | undefined;
  readonly #spaces: Spaces;
  readonly #folk: Folk;

  /** Raises it for these scenarios, without their virtual servers. */
  static async raise(name: string, scenarios: readonly Scenario[], hasSockets: boolean): Promise<Stand> {
    const stand = new Stand(name, scenarios);
    // An order is answered when the player holds the ends of the wires, which then may move.
    await stand.player.order(waitOrder(0));
    if (hasSockets) stand.#sockets = stand.#settle();
    return stand;
  }

  private constructor(name: string, scenarios: readonly Scenario[]) {
    this.#spaces = { node: `${name}-node`, ends: `${name}-ends` };
    const { node, ends } = this.#spaces;
    const inside = [localVips, ...FAMILIES.map((family) => rulesOf(family, scenarios))];
    run([...raising(this.#spaces, NODE, []), ...inside.map((call) => within(node, call))]);
    this.player = new Player(buildProgram("../ipvs/player"), [node, ends, CLIENTS, SERVERS]);
    this.#folk = { clients: `${name}-clients`, servers: `${name}-servers` };
  }

  /** Clients and servers, where they have sockets. */
  get sockets(): Player | undefined {
    return this.#sockets;
  }

  #settle(): Player {
    const { clients, servers } = this.#folk;
    const addresses = FAMILIES.flatMap((family) =>
      range(SERVER_COUNT).map((index) => serverAddress(family, index)),
    );
    run(settling(this.#spaces, this.#folk, addresses));
    return new Player(buildProgram("../ipvs/sockets"), [clients, servers, ...SERVED_PORTS.map(String)]);
  }

  /** Makes it ready for a scenario; false where the one before has left something that does not go. */
  async clear({ sysctls, timeouts = USUAL_TIMEOUTS }: Scenario): Promise<boolean> {
    const { player } = this;
    await player.order(setOrder(EXPIRES, 1), restoreOrder("-C\n"));
    for (let sweep = 0; (await this.#connections()) > 0; sweep++) {
      if (sweep === SWEEPS) return false;
      await player.order(restoreOrder(GUEST), waitOrder(SETTLING_MS));
    }
    const settings = Object.entries(sysctls).map(([name, value]) => setOrder(name, value));
    const forgetting = feedOrder(["conntrack", "-F"]);
    const answers = await player.order(
      forgetting,
      restoreOrder(`--set ${timeouts.join(" ")}\n`),
      ...settings,
    );
    if (answers.some(({ status }) => status !== 0))
      throw new Error("A setting of the director cannot be made.");
    return true;
  }

  /** How many are left; the first line is a heading. */
  async #connections(): Promise<number> {
    const [read] = await this.player.order(readOrder(CONNECTIONS_FILE));
    return (read?.lines.length ?? 1) - 1;
  }

  fell(): void {
    this.player.close();
    this.sockets?.close();
    fellNode(this.#spaces);
    if (this.sockets !== undefined) fellNode({ node: this.#folk.clients, ends: this.#folk.servers });
  }
}

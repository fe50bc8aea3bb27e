import { compile } from "../../../src/compile.js";
import type { Neighbour } from "../../../src/ruleset/neighbours.js";
import type { ProxyMode, Ruleset } from "../../../src/ruleset/ruleset.js";
import { ip } from "../../proxy/cluster-of.js";
import { NODE_WAY } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { Dice } from "./dice.js";
import { drawNode, NODE_IP } from "./drawn-node.js";
import { type Backend, textsOf } from "./kernel-rules.js";
import { MachineSide } from "./machine-side.js";
import { Destinations, GUESTS, Ports, Sources } from "./parties.js";
import { Rig, type Sentinel } from "./rig.js";
import { enter } from "./segment.js";
import { Sitting } from "./sitting.js";
import { Tally } from "./tally.js";

export interface TrialSetup {
  readonly proxy: ProxyMode;
  readonly backend: Backend;
  readonly packets: number;
  readonly seed: number;
}

/** How one mode did. */
export interface Trial {
  readonly mode: string;
  readonly tally: Tally;
  readonly missed: number;
}

const SERVICES = 14;
/** Conversations to a cluster; then another one is drawn. */
const CONVERSATIONS = 5_000;
/** Some steps are never made, since what they would answer did not come. */
const SPARE = 1.3;

/** Beside each wire's end, one at the node itself. */
function sentinelsOf(ruleset: Ruleset): Sentinel[] {
  const macs = macsOf(ruleset);
  const from = { address: ip("198.18.0.1"), port: 4_000 };
  const towards = (at: string, to: string): Sentinel => ({
    at,
    make: (tag) =>
      enter({
        protocol: "UDP",
        way: "eth0",
        mac: macs.get("eth0") ?? 0,
        from: { ...from, port: 1_024 + Math.floor(Math.random() * 64_000) },
        to: { address: ip(to), port: 9 },
        tag,
        ttl: 64,
        tos: 0,
        payload: 0,
      }),
  });
  return [towards("eth0", "198.18.0.2"), towards("cni0", "10.244.1.100"), towards(NODE_WAY, NODE_IP)];
}

const macsOf = ({ interfaces }: Ruleset) => new Map(interfaces.map(({ name, mac }) => [name, mac]));

/** The node with a wire in the place of its bridge: what goes from Pod to Pod is routed, not switched. */
function routed(ruleset: Ruleset): Ruleset {
  const interfaces = ruleset.interfaces.map((device) =>
    device.kind === "bridge" ? { ...device, kind: "uplink" as const } : device,
  );
  return { ...ruleset, interfaces };
}

/** On-link hosts, with the addresses that the machine gives to hosts it has no entry of. */
function guestsOf(): Neighbour[] {
  return GUESTS.map((text) => ({ address: ip(text), dev: "eth0", mac: 0x0242 * 2 ** 32 + Number(ip(text)) }));
}

const SETTINGS = { "net.ipv4.conf.all.route_localnet": 1 };

async function slice(setup: TrialSetup, dice: Dice, tally: Tally, packets: number): Promise<number> {
  const { cluster, options } = drawNode(dice, SERVICES);
  const cni = { plugin: "flannel", backend: "host-gw" } as const;
  const ruleset = routed(compile(cluster, { ...options, proxy: setup.proxy, cni }));
  const settings = setup.proxy === "iptables" ? SETTINGS : {};
  const rig = await Rig.raise(
    { ruleset, texts: textsOf(ruleset, setup.backend), guests: guestsOf(), settings },
    sentinelsOf(ruleset),
  );
  try {
    const machine = await MachineSide.load(ruleset);
    const sitting = new Sitting(rig, machine, tally);
    const drawn = new Conversations(
      new Sources(cluster),
      new Destinations(cluster),
      new Ports(),
      macsOf(ruleset),
    );
    const conversations = [];
    for (let planned = 0; planned < packets && conversations.length < CONVERSATIONS; ) {
      const conversation = drawn.draw(dice);
      planned += conversation.steps.length;
      conversations.push(conversation);
    }
    await sitting.hold(conversations);
  } catch (cause) {
    await rig.fell();
    throw cause;
  }
  return await rig.fell();
}

/** Holds one mode's trial: so many packets, over as many clusters as they need. */
export async function hold(mode: string, setup: TrialSetup, say: (line: string) => void): Promise<Trial> {
  const tally = new Tally();
  let missed = 0;
  for (let index = 0; tally.packets < setup.packets; index++) {
    const dice = new Dice(setup.seed * 1_000 + index);
    missed += await slice(setup, dice, tally, (setup.packets - tally.packets) * SPARE);
    say(`${mode}: ${tally.packets} of ${setup.packets} packets, ${tally.differing} differ`);
  }
  return { mode, tally, missed };
}

import { describe, expect, it } from "vitest";
import {
  ETH_DST,
  ETH_LEN,
  ETH_SRC,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
} from "../../assembly/abi/wire.js";
import { type CompileOptions, compile } from "../../src/compile.js";
import type { End } from "../../src/diff/answer.js";
import { diffNodes } from "../../src/diff/diff.js";
import type { FlowDifference } from "../../src/diff/difference.js";
import type { Cluster } from "../../src/model/cluster.js";
import { familyOf, type Ip } from "../../src/net/ip.js";
import { internetChecksum } from "../../src/packet/checksum.js";
import { read32, read128, write } from "../../src/packet/octets.js";
import type { Neighbour } from "../../src/ruleset/neighbours.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { rowsCluster } from "../diff/rows-cluster.js";
import { type Entering, type Leaving, NODE_WAY, packetOf } from "./judge/conversation.js";
import { Dice } from "./judge/dice.js";
import { drawNode, IDLE_POD } from "./judge/drawn-node.js";
import { addressIn } from "./judge/in-family.js";
import { type Backend, loading } from "./judge/kernel-rules.js";
import { COMPLAINT_TOS, isKernels, placeOf, quoteOf } from "./judge/packet-octets.js";
import { Rig } from "./judge/rig.js";
import { FAR_MAC } from "./judge/segment.js";
import { expectKernel } from "./judge/shell.js";
import { endsOf } from "./judge/steps.js";
import { routed, sentinelsOf } from "./judge/trial.js";

function obstacleHere(): string | undefined {
  try {
    expectKernel();
    return undefined;
  } catch (error) {
    return `skipped: ${String(error)}`;
  }
}

const obstacle = obstacleHere();

/** Of a packet whose endpoint is drawn so many are sent, that all endpoints of a few are seen. */
const DRAWS = 40;
const MAC_LEN = 6;

/** From here on each packet has a source port of its own, so that none belongs to another's connection. */
const FIRST_PORT = 2_000;

/** A packet of a difference as it is sent to the kernel, under a number that tells it from others. */
function entering({ question, iface }: FlowDifference, tag: number, ruleset: Ruleset): Entering {
  const { target } = question;
  const [{ from }] = question.sent;
  const built = target.kind.build({ ...from, port: from.port === 0 ? 0 : FIRST_PORT + tag }, target);
  const mac = ruleset.interfaces.find(({ name }) => name === iface)?.mac ?? 0;
  write(built, ETH_DST, MAC_LEN, mac, "destination MAC");
  write(built, ETH_SRC, MAC_LEN, FAR_MAC, "source MAC");
  const packet = built.subarray(ETH_LEN);
  if (familyOf(from.address) === 6) {
    const tos = quoteOf(packet) === undefined ? 0 : COMPLAINT_TOS;
    write(packet, 0, 4, 6 * 2 ** 28 + tos * 2 ** 20 + tag, "flow label");
  } else {
    write(packet, IP4_ID, 2, tag, "id");
    write(packet, IP4_CHECKSUM, 2, 0, "checksum");
    write(packet, IP4_CHECKSUM, 2, internetChecksum(packet.subarray(0, IP4_LEN)), "checksum");
  }
  return { way: iface ?? NODE_WAY, frame: built };
}

/** A masqueraded packet of the node's own may keep its address, and by chance its port. */
const isOwn = ({ question }: FlowDifference) => question.source.asker === "the node";

/** What the machine says, in the words of what can be seen. */
function told(difference: FlowDifference, { how, destination, masquerade }: End): string {
  if (how === "dropped" || how === "rejected") return how;
  return `${how} ${destination?.address ?? "-"} ${destination?.port ?? "-"} ${!isOwn(difference) && masquerade}`;
}

/** Of an ICMP error too, which has no ports to tell. */
function addressesOf(packet: Uint8Array): readonly [Ip, Ip] {
  if (placeOf(packet)?.family === 6) return [read128(packet, 8), read128(packet, 24)];
  return [read32(packet, IP4_SRC), read32(packet, IP4_DST)];
}

/** What was seen of a packet. */
function seen(difference: FlowDifference, leaving: readonly Leaving[]): string {
  const { source, target } = difference.question;
  const [first] = leaving;
  if (first === undefined) return "dropped";
  const packet = packetOf(first);
  if (isKernels(packet)) return "rejected";
  const [src, dst] = addressesOf(packet);
  const port = endsOf(first)?.[1].port ?? 0;
  const isMoved = dst !== target.address || (target.port !== 0 && port !== target.port);
  const how = isMoved ? "endpoint" : first.way === NODE_WAY ? "node" : "passes";
  return `${how} ${isMoved ? `${dst} ${port}` : "- -"} ${!isOwn(difference) && src !== source.address}`;
}

const mostOf = ({ change, question }: FlowDifference) =>
  change === "endpoints" && question.sent[0].from.port !== 0 ? DRAWS : 1;

/** Those who send need neighbours, to be told of a refusal. */
function guestsOf(differences: readonly FlowDifference[], known: readonly Neighbour[]): Neighbour[] {
  const dev = "cni0";
  const pods = differences
    .filter(({ iface }) => iface === dev)
    .map(({ question }) => question.source.address);
  const silent = new Set(known.map(({ address }) => address));
  const idle = [...pods, addressIn(4, IDLE_POD), addressIn(6, IDLE_POD)];
  return [...new Set(idle)]
    .filter((address) => !silent.has(address))
    .map((address) => ({ address, dev, mac: FAR_MAC }));
}

/** All that one side's kernel makes of each difference's packets. */
async function kernelOf(
  ruleset: Ruleset,
  backend: Backend,
  differences: readonly FlowDifference[],
): Promise<readonly ReadonlySet<string>[]> {
  const guests = guestsOf(differences, ruleset.neighbours);
  const settings = ruleset.sysctls ?? {};
  const setup = { ruleset, texts: loading(ruleset, backend), guests, settings, hearing: "nflog" } as const;
  const rig = await Rig.raise(setup, sentinelsOf(ruleset, 4));
  try {
    const sent = differences.flatMap((one) => Array.from({ length: mostOf(one) }, () => one));
    const heard = await rig.exchange(sent.map((one, index) => entering(one, index + 1, ruleset)));
    const seenOf = new Map(differences.map((one) => [one, new Set<string>()]));
    for (const [index, one] of sent.entries()) seenOf.get(one)?.add(seen(one, heard.get(index + 1) ?? []));
    return [...seenOf.values()];
  } finally {
    await rig.fell();
  }
}

/** One side: how its kube-proxy runs, and which of iptables' implementations loads its rules. */
type Way = CompileOptions & { readonly backend: Backend };

/** Each difference that the kernel does not confirm, with what it made of the packet on both sides. */
async function unconfirmed(cluster: Cluster, ways: readonly [Way, Way]): Promise<readonly string[]> {
  const cni = { plugin: "flannel", backend: "host-gw" } as const;
  const [a, b] = ways.map(({ backend: _, ...options }) =>
    routed(compile(cluster, { ...options, cni, node: "worker-1" })),
  ) as [Ruleset, Ruleset];
  const all = await diffNodes({ cluster, ruleset: a }, { cluster, ruleset: b }, { allPackets: true });
  // That a rule accepts what would pass anyway is not to be seen.
  const differences = all.filter(
    ({ change, earlier }) => change !== "accepted by name" && earlier === undefined,
  );
  expect(differences.length).toBeGreaterThan(0);
  const kernels = [
    await kernelOf(a, ways[0].backend, differences),
    await kernelOf(b, ways[1].backend, differences),
  ] as const;
  return differences.flatMap((one, index) => {
    const sides = kernels.map((kernel) => [...(kernel[index] ?? [])].sort());
    const isTold = one.answers.every(({ ends }, side) => {
      const known = new Set(ends.map((end) => told(one, end)));
      return (sides[side] ?? []).every((text) => known.has(text));
    });
    if (isTold && `${sides[0]}` !== `${sides[1]}`) return [];
    const { source, target } = one.question;
    const packet = `${one.topic} ${source.asker} ${source.address} > ${target.place} ${target.address}:${target.port}`;
    const words = one.answers.map(({ ends }) => ends.map((end) => told(one, end)).join(" or "));
    return [`${packet} ${target.kind.name}: ${words.join(" | ")}; the kernel: ${sides.join(" | ")}`];
  });
}

const NFTABLES = { proxy: "nftables", backend: "nft" } as const;

describe.skipIf(obstacle !== undefined)(`what diff tells of two nodes ${obstacle ?? ""}`, () => {
  it.each(["legacy", "nft"] as const)(
    "is what the kernel does with every row, iptables %s",
    async (backend) => {
      expect(await unconfirmed(rowsCluster(), [{ proxy: "iptables", backend }, NFTABLES])).toEqual([]);
    },
  );

  it("is what the kernel does with nftables' old layout and its new one", async () => {
    const old = { ...NFTABLES, kubernetesVersion: "1.33" } as const;
    expect(await unconfirmed(rowsCluster(), [old, NFTABLES])).toEqual([]);
  });

  it.each(["legacy", "nft"] as const)(
    "is what it does with a drawn cluster, iptables %s",
    async (backend) => {
      const features = { families: [4, 6], hasAffinity: false, hasSctp: true } as const;
      const { cluster, options } = drawNode(new Dice(11), 8, features);
      const ways = [
        { ...options, proxy: "iptables", backend },
        { ...options, ...NFTABLES },
      ] as const;
      expect(await unconfirmed(cluster, ways)).toEqual([]);
    },
  );
});

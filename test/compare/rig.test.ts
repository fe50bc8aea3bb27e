import { expect, it } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { type Destination, destinationsOf, originOf } from "../../src/compare/destinations.js";
import { Rig } from "../../src/compare/rig.js";
import { BATCH_LEN, type Frames, firstFrame, trafficTo } from "../../src/compare/traffic.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import type { ProxyMode } from "../../src/ruleset/ruleset.js";

const cluster = Cluster.synthetic({ services: 20, endpoints: 2, seed: 1 });
const { node, sources } = originOf(cluster);
const destinations = destinationsOf(cluster) as [Destination, ...Destination[]];
const traffic = trafficTo(destinations, sources, 1);
const [opening, middle] = [traffic.uniform[0] as Frames, traffic.middle[0] as Frames];

async function rigOf(proxy: ProxyMode): Promise<Rig> {
  const ruleset = compile(cluster, { node, proxy });
  const engine = await Engine.load(ruleset, { seed: 1, checksums: "offload" });
  return new Rig(engine, firstFrame(opening));
}

it("opens a connection for every packet, however often the same are sent", async () => {
  const rig = await rigOf("nftables");
  rig.open(opening);
  const { walked } = rig;
  for (const frames of [opening, traffic.uniform[1] as Frames, opening]) {
    expect(rig.probe(frames)).toEqual(Array<boolean>(BATCH_LEN).fill(true));
    expect(rig.engine.connections).toBe(BATCH_LEN);
    expect(rig.walked).toBeGreaterThan(walked * 0.9);
  }
});

it("keeps known connections while others are opened and forgotten, and walks less for them", async () => {
  const rig = await rigOf("iptables");
  rig.open(opening);
  const walkedToOpen = rig.walked;
  rig.know([opening]);
  const walked: number[] = [];
  for (let time = 0; time < 2; time++) {
    rig.pass(middle);
    walked.push(rig.walked);
    rig.open(opening);
  }
  expect(walked[1]).toBe(walked[0]);
  expect(walked[0]).toBeLessThan(walkedToOpen / 2);
});

it("tells what does not get anywhere", async () => {
  const rig = await rigOf("ipvs");
  const nowhere = { ...destinations[0], port: destinations[0].port + 1 };
  const stray = trafficTo([nowhere], sources, 1);
  expect(rig.probe(stray.first)).not.toContain(true);
});

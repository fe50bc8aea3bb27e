import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import type { Family } from "../../../src/net/ip.js";
import { tcp, udp } from "../../../src/packet/build.js";
import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import type { ServiceFields } from "../cluster-of.js";
import {
  CLUSTER_IP,
  clusterIn,
  compilationOf,
  EVERYWHERE,
  EXTERNAL,
  EXTERNAL_LOCAL,
  endsOf,
  engineOf,
  FAMILIES,
  FAR,
  inFamily,
  listing,
  MODES,
  NEAR,
  OUTSIDER,
  POD,
  VIP,
  web,
} from "./first-packets.js";
import { subject } from "./subjects.js";

const EACH = MODES.flatMap((mode) => FAMILIES.map((family) => [mode, family] as const));
const EACH_OF_RULES = EACH.filter(([mode]) => mode !== "ipvs");

type Segment = NonNullable<Parameters<typeof tcp>[2]>;
const SYN: Segment = { seq: 100 };
const SYN_ACK: Segment = { flags: "SA", seq: 500, ack: 101 };
const ACK: Segment = { flags: "A", seq: 101, ack: 501 };

describe(subject(17), () => {
  const both = web({ clusterIPs: "10.96.0.1", ports: "http:80 dns:80/UDP" }, FAR).slice(
    "shop/web",
    "dns:8080/UDP",
    FAR,
  );

  /** A node on which a connection of each protocol has gone to an endpoint, which has left since. */
  async function abandoned(mode: ProxyMode, family: Family) {
    const compilation = compilationOf(mode, both, family);
    const engine = await engineOf(compilation.ruleset);
    const way = (port: number) =>
      [`${POD}:${port}`, CLUSTER_IP].map((at) => inFamily(family, at)) as [string, string];
    const overUdp = (port: number) => udp(...way(port));
    const overTcp = (port: number, segment: Segment = SYN) => tcp(...way(port), segment);
    const [client] = way(41000);
    const answer = tcp(inFamily(family, "10.244.2.22:8080"), client, SYN_ACK);
    for (const frame of [overTcp(41000), answer, overTcp(41000, ACK), overUdp(41000)])
      expect(engine.follow(frame).verdict).toBe("FORWARD");
    for (const { namespace, name, serviceName } of clusterIn(family, both).endpointSlices) {
      const change = { kind: "endpointslice-deleted", namespace, name } as const;
      if (serviceName === "web") engine.apply(compilation.apply(change));
    }
    const clean = () => engine.closeConnections(compilation.staleConnections(engine.listConnections()));
    return { engine, clean, overTcp, overUdp };
  }

  it.each(EACH)("%s, IPv%i", async (mode, family) => {
    const { engine, clean, overTcp, overUdp } = await abandoned(mode, family);
    for (let round = 0; round < 2; round++) {
      expect(endsOf(engine, overTcp(41000, ACK))).toBe("22");
      expect(endsOf(engine, overTcp(41001))).toBe("REJECT");
      clean();
    }
    expect(endsOf(engine, overUdp(41000))).toBe("REJECT");
  });

  it.each(EACH_OF_RULES)("%s, IPv%i: of UDP too, until kube-proxy cleans", async (mode, family) => {
    const { engine, overUdp } = await abandoned(mode, family);
    expect(endsOf(engine, overUdp(41000))).toBe("22");
    expect(endsOf(engine, overUdp(41001))).toBe("REJECT");
  });
});

const STICKY: ServiceFields = { ...EVERYWHERE, affinitySeconds: 60 };
const SECOND = 1000;

/** A node of a family, and what its clients ask of it. */
class Asked {
  constructor(
    readonly engine: Engine,
    readonly family: Family,
  ) {}

  #end(hostPort: string): string {
    return inFamily(this.family, hostPort);
  }

  /** Where a client's new connection may go. */
  ends(client: string, to: string, second: number): string {
    const frame = tcp(this.#end(`${client}:50000`), this.#end(to));
    return endsOf(this.engine, frame, second * SECOND).replaceAll(" masquerade", "");
  }

  /** Sends a segment. */
  send(from: string, to: string, second: number, segment: Segment = SYN): void {
    const frame = tcp(this.#end(from), this.#end(to), segment);
    expect(this.engine.follow(frame, { now: second * SECOND }).verdict).toBe("FORWARD");
  }
}

async function asked(mode: ProxyMode, family: Family, fields: ServiceFields): Promise<Asked> {
  const { ruleset } = compilationOf(mode, web(fields, NEAR, FAR), family);
  return new Asked(await engineOf(ruleset), family);
}

describe(subject(26), () => {
  it.each(EACH_OF_RULES)("%s, IPv%i: any address of the port", async (mode, family) => {
    const node = await asked(mode, family, STICKY);
    for (const to of [CLUSTER_IP, ...EXTERNAL]) expect(node.ends(OUTSIDER, to, 0)).toBe("21, 22");
    node.send(`${OUTSIDER}:41000`, CLUSTER_IP, 0);
    const kept = node.ends(OUTSIDER, CLUSTER_IP, 1);
    expect(kept).toMatch(/^2[12]$/);
    for (const to of EXTERNAL) expect(node.ends(OUTSIDER, to, 1)).toBe(kept);
    expect(node.ends("203.0.113.3", CLUSTER_IP, 1)).toBe("21, 22");
  });

  it.each(FAMILIES)("ipvs, IPv%i: each virtual server by itself", async (family) => {
    const servers = listing("ipvs", web(STICKY, NEAR, FAR), family).match(/^-A .*/gm) ?? [];
    // The node answers on two addresses.
    expect(servers.map((line) => line.endsWith(" -p 60"))).toEqual([true, true, true, true, true]);
    const node = await asked("ipvs", family, STICKY);
    node.send(`${OUTSIDER}:41000`, CLUSTER_IP, 0);
    expect(node.ends(OUTSIDER, CLUSTER_IP, 1)).toMatch(/^2[12]$/);
    for (const to of EXTERNAL) expect(node.ends(OUTSIDER, to, 1)).toBe("21, 22");
  });

  it.each(FAMILIES)("ipvs, IPv%i: for as long as the client is connected", async (family) => {
    const node = await asked("ipvs", family, STICKY);
    const client = `${POD}:41000`;
    node.send(client, CLUSTER_IP, 0);
    const kept = node.ends(POD, CLUSTER_IP, 0);
    node.send(kept === "21" ? "10.244.1.21:8080" : "10.244.2.22:8080", client, 1, SYN_ACK);
    node.send(client, CLUSTER_IP, 50, ACK);
    for (const second of [61, 600, 900]) expect(node.ends(POD, CLUSTER_IP, second)).toBe(kept);
    // IPVS forgets a connection that is silent for 15 minutes, and its client when the term was put off for the last time.
    expect(node.ends(POD, CLUSTER_IP, 50 + 900 + 61)).toBe("21, 22");
  });

  it.each(EACH)("%s, IPv%i: all modes hold a client, and no other", async (mode, family) => {
    const node = await asked(mode, family, STICKY);
    for (const [nth, to] of [CLUSTER_IP, ...EXTERNAL, CLUSTER_IP, ...EXTERNAL].entries()) {
      const [client, begin] = [`203.0.113.${nth + 1}`, nth * 200];
      expect(node.ends(client, to, begin)).toBe("21, 22");
      node.send(`${client}:41000`, to, begin);
      const kept = node.ends(client, to, begin + 1);
      expect(kept).toMatch(/^2[12]$/);
      node.send(`${client}:41001`, to, begin + 50);
      expect(node.ends(client, to, begin + 109)).toBe(kept);
    }
  });

  it.each(EACH_OF_RULES)("%s, IPv%i: a connection's later packets change nothing", async (mode, family) => {
    const node = await asked(mode, family, STICKY);
    const client = `${POD}:41000`;
    node.send(client, CLUSTER_IP, 0);
    const kept = node.ends(POD, CLUSTER_IP, 0);
    const endpoint = kept === "21" ? "10.244.1.21:8080" : "10.244.2.22:8080";
    node.send(endpoint, client, 1, SYN_ACK);
    node.send(client, CLUSTER_IP, 50, ACK);
    expect(node.ends(POD, CLUSTER_IP, 59)).toBe(kept);
    expect(node.ends(POD, CLUSTER_IP, 61)).toBe("21, 22");
  });

  it.each(EACH_OF_RULES)("%s, IPv%i: a new connection starts the time again", async (mode, family) => {
    const node = await asked(mode, family, STICKY);
    node.send(`${POD}:41000`, CLUSTER_IP, 0);
    const kept = node.ends(POD, CLUSTER_IP, 0);
    node.send(`${POD}:41001`, VIP, 50);
    expect(node.ends(POD, CLUSTER_IP, 109)).toBe(kept);
    expect(node.ends(POD, CLUSTER_IP, 111)).toBe("21, 22");
  });
});

describe(subject(27), () => {
  it.each(EACH_OF_RULES)("%s, IPv%i", async (mode, family) => {
    const node = await asked(mode, family, { ...EXTERNAL_LOCAL, affinitySeconds: 60 });
    const clients = Array.from({ length: 20 }, (_, index) => `203.0.113.${index + 1}`);
    for (const client of clients) node.send(`${client}:41000`, CLUSTER_IP, 0);
    const away = clients.find((client) => node.ends(client, CLUSTER_IP, 1) === "22") ?? "";
    // Through the load balancer an outsider has this node's endpoint alone, whichever it was led to before.
    expect(node.ends(away, VIP, 1)).toBe("21");
    node.send(`${away}:41001`, VIP, 1);
    // Now both have it on their lists, and the first in order is asked first.
    expect(node.ends(away, CLUSTER_IP, 2)).toBe("21");
  });

  it.each(EACH)("%s, IPv%i: an endpoint that has left keeps nobody", async (mode, family) => {
    const compilation = compilationOf(mode, web(STICKY, NEAR, FAR), family);
    const node = new Asked(await engineOf(compilation.ruleset), family);
    node.send(`${POD}:41000`, CLUSTER_IP, 0);
    const [left, stays] = node.ends(POD, CLUSTER_IP, 1) === "21" ? [FAR, "22"] : [NEAR, "21"];
    for (const endpointSlice of clusterIn(family, web(STICKY, left)).endpointSlices)
      node.engine.apply(compilation.apply({ kind: "endpointslice-set", endpointSlice }));
    expect(node.ends(POD, CLUSTER_IP, 2)).toBe(stays);
  });
});

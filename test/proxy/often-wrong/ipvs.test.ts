import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import type { Family } from "../../../src/net/ip.js";
import { tcp } from "../../../src/packet/build.js";
import type { Scheduler } from "../../../src/ruleset/ipvs.js";
import { printRuleset } from "../../../src/ruleset/ruleset.js";
import { ip4 } from "../../bare-node.js";
import { KernelServer, type SchedulerChoice } from "../../oracle/schedulers.js";
import {
  addressIn,
  CLUSTER_IP,
  compilationOf,
  EVERYWHERE,
  EXTERNAL,
  EXTERNAL_LOCAL,
  endOfSent,
  engineOf,
  FAMILIES,
  FAR,
  INTERNAL_LOCAL,
  inFamily,
  NEAR,
  OUTSIDER,
  POD,
  ways,
  web,
} from "./first-packets.js";
import { subject } from "./subjects.js";

describe(subject(29), () => {
  it("whoever asks has the local endpoints, and every one where there are none", async () => {
    for (const to of EXTERNAL) {
      for (const from of [OUTSIDER, POD]) {
        expect(await ways("ipvs", web(EXTERNAL_LOCAL, NEAR, FAR), from, to)).toBe("21");
        expect(await ways("ipvs", web(EXTERNAL_LOCAL, FAR), from, to)).toBe("22");
      }
    }
    expect(await ways("ipvs", web(INTERNAL_LOCAL, FAR), POD, CLUSTER_IP)).toBe("22");
  });

  it.each(FAMILIES)("IPv%i: KUBE-LOOP-BACK, ready or not", (family) => {
    const cluster = web(EVERYWHERE, `${NEAR} !ready`, FAR, "10.244.1.30");
    const sets = printRuleset(compilationOf("ipvs", cluster, family).ruleset, "ipset-save");
    const own = addressIn(family, "10.244.1.21");
    expect(sets.match(/(?<=^add KUBE-(6-)?LOOP-BACK ).*/gm)).toEqual([`${own},tcp:8080,${own}`]);
  });
});

describe(subject(30), () => {
  const ENDPOINTS = [21, 22, 23, 24, 25];
  /** Of the endpoints, in their order. */
  const WEIGHTS = [1, 5, 0, 2, 1];
  const ADDRESSES = Array.from({ length: 8 }, (_, index) => `192.0.2.${index + 1}`);

  /** An address as the kernel's schedulers see it: of IPv6 the exclusive or of its words. */
  const folded = (family: Family, text: string) =>
    family === 4 ? ip4(text) : (ip4(text) ^ 0xfd640000) >>> 0;

  async function weighed(scheduler: Scheduler, family: Family): Promise<Engine> {
    const cluster = web(
      { ...EVERYWHERE, externalIPs: ADDRESSES.join(" ") },
      ...ENDPOINTS.map((last) => `10.244.1.${last}@worker-1`),
    );
    const { ruleset } = compilationOf("ipvs", cluster, family, { ipvsScheduler: scheduler });
    const servers = (ruleset.ipvs?.servers ?? []).map((server) => ({
      ...server,
      servers: server.servers.map((one, index) => ({ ...one, weight: WEIGHTS[index] ?? 0 })),
    }));
    return engineOf({ ...ruleset, ipvs: { servers } });
  }

  function listOf(choice: SchedulerChoice, family: Family): KernelServer {
    const list = new KernelServer(choice);
    for (const [index, last] of ENDPOINTS.entries())
      list.add(folded(family, `10.244.1.${last}`), 8080, WEIGHTS[index] ?? 0);
    return list;
  }

  const CHOICES: readonly SchedulerChoice[] = [
    { name: "rr" },
    { name: "sh" },
    { name: "dh" },
    // kube-proxy has it hash the client's port too.
    { name: "mh", flags: ["mh-port"] },
  ];

  it.each(CHOICES.flatMap((choice) => FAMILIES.map((family) => [choice.name, family, choice] as const)))(
    "%s, IPv%i: as the kernel's lists give it",
    async (name, family, choice) => {
      const engine = await weighed(name as Scheduler, family);
      const found = new Map<string, number>();
      for (const dst of ADDRESSES) {
        const list = listOf(choice, family);
        for (let index = 0; index < 8; index++) {
          const [src, sport] = [`203.0.113.${1 + index}`, 42000 + index];
          const ports = ((sport << 16) | 80) >>> 0;
          const real = list.pick({ src: folded(family, src), dst: folded(family, dst), ports, protocol: 6 });
          const frame = tcp(inFamily(family, `${src}:${sport}`), inFamily(family, `${dst}:80`));
          const end = endOfSent(engine, frame);
          expect(end).toBe(real === undefined ? "REJECT" : `${real.address & 0xff} masquerade`);
          found.set(end, (found.get(end) ?? 0) + 1);
        }
      }
      // Weight 5 is taken as often as weight 1, and weight 0 never.
      if (name === "rr") expect([...found.values()]).toEqual([16, 16, 16, 16]);
      expect(found.size).toBeGreaterThan(2);
    },
  );

  it("one that counts connections, by its name alone: every weight is 1, and it has no flags", () => {
    const cluster = web(EVERYWHERE, NEAR);
    for (const ipvsScheduler of ["lc", "wlc", "sed"] as const) {
      const { ipvs } = compilationOf("ipvs", cluster, 4, { ipvsScheduler }).ruleset;
      for (const { scheduler, flags, servers } of ipvs?.servers ?? [])
        expect([scheduler, flags, ...servers.map(({ weight }) => weight)]).toEqual([
          ipvsScheduler,
          undefined,
          1,
        ]);
      expect(ipvs?.servers).not.toHaveLength(0);
    }
  });

  it.each(FAMILIES)("persistence, without a warning, IPv%i", (family) => {
    const { diagnostics, ipvs } = compilationOf(
      "ipvs",
      web({ ...EVERYWHERE, affinitySeconds: 60 }, NEAR),
      family,
    ).ruleset;
    expect(diagnostics.filter(({ place }) => place.field === "spec.sessionAffinity")).toEqual([]);
    expect(new Set(ipvs?.servers.map(({ persistence }) => persistence))).toEqual(new Set([60]));
  });
});

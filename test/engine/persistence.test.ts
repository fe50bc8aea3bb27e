import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { tcp, udp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import {
  addressIn,
  clusterIn,
  compilationOf,
  engineOf,
  FAMILIES,
  inFamily,
  web,
} from "../proxy/often-wrong/first-packets.js";

const SECOND = 1000;
const ENDPOINTS = [21, 22, 23, 24].map((octet) => `10.244.1.${octet}@worker-1`);
const FIELDS = { clusterIPs: "10.96.0.1", ports: "http:80 dns:80/UDP" };
const sticky = (endpoints: readonly string[], affinitySeconds: number) =>
  web({ ...FIELDS, affinitySeconds }, ...endpoints).slice("shop/web", "dns:8080/UDP", ...endpoints);

const EACH = (["TCP", "UDP"] as const).flatMap((protocol) =>
  FAMILIES.map((family) => [protocol, family] as const),
);

describe.each(EACH)("session affinity in mode ipvs, %s, IPv%i", (protocol, family) => {
  /** Longer than IPVS waits for a client of UDP, or for an answer of TCP's. */
  const TERM = 600;
  const compilation = (endpoints = ENDPOINTS) => compilationOf("ipvs", sticky(endpoints, TERM), family);
  const octets = new Map([21, 22, 23, 24].map((octet) => [addressIn(family, `10.244.1.${octet}`), octet]));

  function frameOf(client: string, port: number): Uint8Array {
    const [from, to] = [inFamily(family, `${client}:${port}`), inFamily(family, "10.96.0.1:80")];
    return protocol === "TCP" ? tcp(from, to) : udp(from, to);
  }

  /** Last octet of the endpoint that a new connection of a client's is led to. */
  function endOf(engine: Engine, client: string, port: number, second: number): number | undefined {
    const { frame } = engine.follow(frameOf(client, port), { now: second * SECOND });
    const text = printPacket(frame);
    return [...octets].find(([address]) => text.includes(` > ${address}.8080`))?.[1];
  }

  it("leads a client where it went, and others elsewhere", async () => {
    const engine = await engineOf(compilation().ruleset);
    const went = [2, 3, 4, 5].map((client) =>
      [0, 1, 2].map((nth) => endOf(engine, `203.0.113.${client}`, 41000 + nth, nth)),
    );
    for (const ends of went) expect(new Set(ends).size).toBe(1);
    // The scheduler takes turns, and is not asked for who comes again.
    expect(went.map(([end]) => end).sort()).toEqual([21, 22, 23, 24]);
  });

  it("schedules anew when the time since the latest connection is over", async () => {
    const engine = await engineOf(compilation().ruleset);
    const first = endOf(engine, "203.0.113.2", 41000, 0);
    expect(endOf(engine, "203.0.113.2", 41001, TERM - 1)).toBe(first);
    expect(endOf(engine, "203.0.113.2", 41002, 2 * TERM - 2)).toBe(first);
    expect(endOf(engine, "203.0.113.2", 41003, 3 * TERM - 1)).not.toBe(first);
  });

  it("tells one outcome of who comes again, and all of who does not", async () => {
    const engine = await engineOf(compilation().ruleset);
    const count = (client: string, port: number) =>
      engine.explore(frameOf(client, port), { now: SECOND }).length;
    expect(count("203.0.113.2", 41000)).toBe(4);
    endOf(engine, "203.0.113.2", 41000, 1);
    expect(count("203.0.113.2", 41001)).toBe(1);
    expect(count("203.0.113.3", 41000)).toBe(4);
  });

  it("agrees with what runs in batches", async () => {
    const engine = await engineOf(compilation().ruleset);
    const first = endOf(engine, "203.0.113.2", 41000, 0);
    const batch = engine.batch(4);
    for (let nth = 0; nth < 4; nth++) {
      const frame = frameOf("203.0.113.2", 41001 + nth);
      batch.set(nth, frame, engine.interfaceNumber(frame));
    }
    engine.run(batch, SECOND, 4);
    const address = [...octets].find(([, octet]) => octet === first)?.[0];
    for (let nth = 0; nth < 4; nth++) expect(printPacket(batch.frame(nth))).toContain(` > ${address}.8080`);
  });

  it("leads a client elsewhere once its endpoint is gone, and keeps it there", async () => {
    const living = compilation();
    const engine = await engineOf(living.ruleset);
    const first = endOf(engine, "203.0.113.2", 41000, 0);
    const rest = ENDPOINTS.filter((endpoint) => !endpoint.startsWith(`10.244.1.${first}@`));
    for (const endpointSlice of clusterIn(family, sticky(rest, TERM)).endpointSlices)
      engine.apply(living.apply({ kind: "endpointslice-set", endpointSlice }));
    // One of TCP still has weight 0: kube-proxy sets expire_quiescent_template, so that its clients do not come back to it.
    const next = endOf(engine, "203.0.113.2", 41001, 1);
    expect(next).not.toBe(first);
    expect(next).toBeDefined();
    expect(endOf(engine, "203.0.113.2", 41002, TERM)).toBe(next);
  });
});

import { describe, expect, it } from "vitest";
import { HOOK_NAT, HOOK_POSTROUTING, TARGET_MASQUERADE } from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { tcp, udp } from "../../src/packet/build.js";
import { BareNode, ip4 } from "../bare-node.js";
import { reverse, textOfDestination, textOfSource, tupleOf } from "../frame-tuple.js";

const SERVER = "192.0.2.1:53";

/** A router that masquerades everything as 172.18.0.2. */
async function nodeOf(randomFully: boolean, seed = 1): Promise<BareNode> {
  return (await BareNode.make({ connections: 4000, seed }))
    .route("0.0.0.0/0", { kind: "direct", out: 2, source: "172.18.0.2" })
    .chain(0, new RuleDraft().target(TARGET_MASQUERADE, randomFully ? 1 : 0, 0))
    .hook(HOOK_POSTROUTING, 0, HOOK_NAT);
}

function client(index: number): string {
  return `10.244.${index >> 8}.${index & 255}`;
}

describe("ports", () => {
  it("keeps the source port while it is free, and finds another of its like when it is not", async () => {
    const node = await nodeOf(false);
    for (const [port, first, last] of [
      [53, 1, 511],
      [1000, 600, 1023],
      [40000, 1024, 65535],
    ] as const) {
      const given = Array.from({ length: 20 }, (_, index) => {
        const { frame } = node.one(udp(`${client(index)}:${port}`, SERVER));
        expect(tupleOf(frame).src).toBe(ip4("172.18.0.2"));
        return tupleOf(frame).srcPort;
      });
      expect(given[0]).toBe(port);
      expect(new Set(given).size).toBe(20);
      expect(given.filter((one) => one < first || one > last)).toEqual([]);
    }
  });

  it("shares a port between destinations and between protocols", async () => {
    const node = await nodeOf(false);
    const ports = [
      udp("10.0.0.1:40000", SERVER),
      udp("10.0.0.2:40000", "192.0.2.1:54"),
      tcp("10.0.0.3:40000", SERVER),
    ];
    expect(node.run(ports).map(({ frame }) => tupleOf(frame).srcPort)).toEqual([40000, 40000, 40000]);
  });

  it("draws the port where the rule says random-fully, by the seed", async () => {
    const draws = async (seed: number) => {
      const node = await nodeOf(true, seed);
      const frames = Array.from({ length: 30 }, (_, index) => udp(`${client(index)}:40000`, SERVER));
      return node.run(frames).map(({ frame }) => tupleOf(frame).srcPort);
    };
    const first = await draws(1);
    expect(new Set(first).size).toBe(30);
    expect(await draws(1)).toEqual(first);
    expect(await draws(2)).not.toEqual(first);
  });

  it("gives up when every port of the class is taken, and again finds those that expire", async () => {
    const node = await nodeOf(false);
    const results = Array.from({ length: 600 }, (_, index) => node.one(udp(`${client(index)}:53`, SERVER)));
    const given = results
      .filter(({ verdict }) => verdict === "FORWARD")
      .map(({ frame }) => tupleOf(frame).srcPort);
    const refused = results.filter(({ verdict }) => verdict === "DROP");
    expect(new Set(given).size).toBe(given.length);
    expect(given.length).toBeGreaterThan(450);
    expect(given.length).toBeLessThanOrEqual(511);
    expect(refused.map(({ reason }) => reason)).toEqual(refused.map(() => "NO_PORT"));
    expect(node.one(udp(`${client(600)}:53`, SERVER), 1, 30_000)).toMatchObject({ verdict: "FORWARD" });
  });

  it("brings each reply to the client that it belongs to", async () => {
    const node = await nodeOf(true);
    for (let index = 0; index < 50; index++) {
      const from = `${client(index)}:40000`;
      const sent = tupleOf(node.one(udp(from, SERVER)).frame);
      const answer = reverse(sent);
      const back = tupleOf(node.one(udp(textOfSource(answer), textOfDestination(answer)), 2).frame);
      expect([textOfSource(back), textOfDestination(back)]).toEqual([SERVER, from]);
    }
  });
});

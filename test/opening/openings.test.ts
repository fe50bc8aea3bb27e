import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as server from "../../assembly/abi/server.js";
import * as setting from "../../assembly/abi/setting.js";
import type { Build } from "../../src/engine/wasm.js";
import { tcp, udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { type Directed, IpvsNode } from "../ipvs/ipvs-node.js";
import { Tally } from "../tally.js";

const [TCP, UDP] = [6, 17];
const VIP = "10.96.0.10";
const CODES = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14] as const;
const FLAGS = [0, server.SCHEDULER_FLAG_PORT, server.SCHEDULER_FLAG_FALLBACK] as const;

interface Service {
  readonly code: number;
  readonly flags: number;
  readonly kind: "plain" | "limited" | "direct" | "persistent" | "other port";
  readonly weights: readonly number[];
}

interface Sent {
  readonly service: number;
  readonly client: number;
  readonly port: number;
  readonly isTcp: boolean;
  readonly flags: string;
  /** It comes from where a server is, to where a client is. */
  readonly isAnswer: boolean;
}

interface Case {
  readonly services: readonly Service[];
  readonly conntrack: number;
  readonly room: number;
  readonly bursts: readonly { readonly after: number; readonly packets: readonly Sent[] }[];
}

const services: fc.Arbitrary<Service> = fc.record({
  code: fc.constantFrom(...CODES),
  flags: fc.constantFrom(...FLAGS),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("plain" as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "limited" as const,
        "direct" as const,
        "persistent" as const,
        "other port" as const,
      ),
    },
  ),
  weights: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
});

const packets: fc.Arbitrary<Sent> = fc.record({
  service: fc.nat(3),
  client: fc.nat(5),
  port: fc.oneof(
    fc.integer({ min: 1000, max: 1003 }),
    fc.integer({ min: 1000, max: 60_000 }),
    fc.constantFrom(0, 20),
  ),
  isTcp: fc.boolean(),
  flags: fc.constantFrom("S", "S", "S", "S", "A", "FA", "R", "SA", "SF"),
  isAnswer: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

const cases: fc.Arbitrary<Case> = fc.record({
  services: fc.array(services, { minLength: 2, maxLength: 4 }),
  conntrack: fc.nat(1),
  room: fc.constantFrom(40, 1000),
  bursts: fc.array(
    fc.record({
      after: fc.constantFrom(0, 1, 59_999, 60_000, 100_000, 300_000),
      packets: fc.array(packets, { minLength: 1, maxLength: 140, size: "max" }),
    }),
    { minLength: 2, maxLength: 6 },
  ),
});

/** Two services have the same servers each, so that two sessions may have the same answers. */
const serverAt = (service: number, index: number) => `10.244.${service % 2}.${index + 1}`;

/** One client is the virtual address itself, and what answers it looks like a request. */
const clientAt = (client: number, port: number) =>
  client === 0 ? `${VIP}:${80 + (port % 4)}` : `192.0.2.${client}:${port}`;

async function nodeOf({ services, conntrack, room }: Case, build: Build): Promise<IpvsNode> {
  const node = await IpvsNode.make({ connections: 16, sessions: room, build });
  node.settings({ [setting.SETTING_VS_CONNTRACK]: conntrack });
  for (const [number, { code, flags, kind, weights }] of services.entries()) {
    const hashes = code === server.SCHEDULER_SH || code === server.SCHEDULER_MH;
    const port = 80 + number;
    const settings = {
      scheduler: hashes ? code | flags : code,
      port: kind === "other port" ? 0 : port,
      ...(kind === "persistent" ? { persistence: 100 } : {}),
    };
    const servers = weights.map((weight, index) => ({
      address: serverAt(number, index),
      port: kind === "direct" ? port : index === 0 ? 0 : 8080,
      weight,
      upper: kind === "limited" ? 2 : 0,
      forward: kind === "direct" && index === 0 ? server.FORWARD_DIRECT : server.FORWARD_MASQUERADE,
    }));
    node.set(number, settings, servers);
    for (const protocol of [TCP, UDP]) node.listen(number, VIP, protocol, port);
  }
  return node;
}

function frameOf({ service, client, port, isTcp, flags, isAnswer }: Sent): Uint8Array {
  const there = clientAt(client, port);
  const [from, to] = isAnswer
    ? [`${serverAt(service, port % 3)}:${port % 3 === 0 ? 80 + service : 8080}`, there]
    : [there, `${VIP}:${80 + service}`];
  return isTcp ? tcp(from, to, { flags }) : udp(from, to, { payload: new Uint8Array(18) });
}

function stateOf(node: IpvsNode): unknown {
  return [node.sessions, node.counters.destinations, node.count];
}

describe("a burst's new connections", () => {
  it("are those of packets one at a time, on whatever way those go", async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const whole = await nodeOf(one, "run");
        const single = await nodeOf(one, "run");
        const slow = await nodeOf(one, "trace");
        let now = 1000;
        for (const { after, packets } of one.bursts) {
          now += after;
          const frames = packets.map(frameOf);
          const got = whole.send(frames, now);
          const expected: Directed[] = frames.flatMap((frame) => slow.send([frame], now));
          expect(got).toEqual(expected);
          expect(frames.flatMap((frame) => single.send([frame], now))).toEqual(expected);
          expect(stateOf(whole)).toEqual(stateOf(slow));
          expect(stateOf(single)).toEqual(stateOf(slow));
          for (const { verdict, reason } of got) tally.count(verdict === "FORWARD" ? verdict : reason);
        }
        whole.wait(now + 10 ** 9);
        expect(whole.count).toBe(0);
      }),
      { numRuns: 40 },
    );
    tally.expectEach(["FORWARD", "NO_DESTINATION", "NO_CONNECTION", "FLOW_TABLE_FULL"], 20);
  }, 240_000);

  it("are told from others with the same answers, in one burst too", async () => {
    const node = await IpvsNode.make({ connections: 64 });
    for (const [number, port] of [80, 81].entries())
      node
        .set(number, { port }, [{ address: "10.244.0.1", port: 8080, weight: 1 }])
        .listen(number, VIP, TCP, port);
    const syn = (port: number) => tcp("192.0.2.1:1000", `${VIP}:${port}`, { flags: "S" });
    const answer = tcp("10.244.0.1:8080", "192.0.2.1:1000", { flags: "SA" });
    const sent = node.send([syn(80), answer, syn(81), answer], 0);
    expect(sent.map(({ session }) => session)).toEqual([1, 1, 2, 2]);
    expect(sent.map(({ frame }) => describePacket(frame).srcPort)).toEqual([1000, 80, 1000, 81]);
  });
});

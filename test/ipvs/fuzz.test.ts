import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORWARD_DIRECT, FORWARD_MASQUERADE, FORWARD_TUNNEL } from "../../assembly/abi/server.js";
import * as setting from "../../assembly/abi/setting.js";
import { CHUNKS, sctp, tcp, udp } from "../../src/packet/build.js";
import { IpvsNode } from "./ipvs-node.js";

const VIPS = { 4: "10.96.0.10", 6: "[fd00::10]" } as const;
const CLIENTS = { 4: "192.0.2.1", 6: "[2001:db8::1]" } as const;
const SERVERS = { 4: ["10.244.1.1", "10.244.1.2"], 6: ["fd01::1", "fd01::2"] } as const;
const BUILDERS = [
  (from: string, to: string, said: number) => tcp(from, to, { flags: ["S", "A", "FA", "R"][said & 3] ?? "" }),
  (from: string, to: string) => udp(from, to),
  (from: string, to: string, said: number) =>
    sctp(from, to, { chunk: CHUNKS[said % CHUNKS.length] ?? "DATA" }),
];
const SETTINGS = Object.entries(setting).filter(([name]) => name.startsWith("SETTING_VS_"));

const frames = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  kind: fc.nat(2),
  service: fc.nat(3),
  client: fc.nat(3),
  said: fc.nat(20),
  isAnswer: fc.boolean(),
  /** Octets that are changed, of the packet behind its frame's header. */
  changes: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
  cut: fc.option(fc.nat(90)),
});
type Drawn = typeof frames extends fc.Arbitrary<infer T> ? T : never;

function frameOf({ family, kind, service, client, said, isAnswer, changes, cut }: Drawn): Uint8Array {
  const [from, to] = [`${CLIENTS[family]}:${1000 + client}`, `${VIPS[family]}:${80 + service}`];
  const server = SERVERS[family][0] ?? "";
  const back = `${family === 6 ? `[${server}]` : server}:8080`;
  const build = BUILDERS[kind] as (typeof BUILDERS)[0];
  const frame = isAnswer ? build(back, from, said) : build(from, to, said);
  for (const [at, value] of changes) if (14 + at < frame.length) frame[14 + at] = value;
  return cut === null ? frame : frame.slice(0, Math.max(14, Math.min(frame.length, cut)));
}

const steps = fc.oneof(
  { weight: 8, arbitrary: fc.array(frames, { minLength: 1, maxLength: 70 }) },
  {
    weight: 2,
    arbitrary: fc.record({ setting: fc.nat(SETTINGS.length - 1), value: fc.oneof(fc.nat(4), fc.nat()) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      service: fc.nat(3),
      servers: fc.nat(2),
      weight: fc.nat(2),
      upper: fc.nat(3),
      word: fc.nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      after: fc.oneof(fc.nat(1000), fc.nat(2 ** 40), fc.double({ min: 0, noNaN: true })),
    }),
  },
);

describe("IPVS' connections", () => {
  it("survive any octets, settings and times, and leave nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 40 }), async (list) => {
        const node = await IpvsNode.make({ connections: 20, sessions: 12 });
        const put = (service: number, servers: number, weight: number, upper: number, word: number) => {
          const family = service < 2 ? 4 : 6;
          const forward = [FORWARD_MASQUERADE, FORWARD_DIRECT, FORWARD_TUNNEL][word % 3] ?? 0;
          node.set(
            service,
            {
              port: [80 + service, 0, 21][(word >> 2) % 3] ?? 0,
              mark: (word >> 4) & 1,
              isOnePacket: (word & 32) !== 0,
              netmask: word % 200,
              ...((word & 64) === 0 ? {} : { persistence: word >>> 8 }),
            },
            SERVERS[family]
              .slice(0, servers)
              .map((address) => ({ address, port: word & 128 ? 0 : 8080, weight, upper, forward })),
          );
          for (const protocol of [6, 17, 132])
            node.listen(service, VIPS[family].replace(/[[\]]/g, ""), protocol, 80 + service);
        };
        for (let service = 0; service < 4; service++) put(service, 2, 1, 0, service * 64);
        let now = 0;
        for (const step of list) {
          if (Array.isArray(step)) node.send(step.map(frameOf), now);
          else if ("setting" in step) node.settings({ [SETTINGS[step.setting]?.[1] ?? 0]: step.value });
          else if ("servers" in step) put(step.service, step.servers, step.weight, step.upper, step.word);
          else {
            now = Math.min(Number.MAX_SAFE_INTEGER, now + step.after);
            node.wait(now);
          }
          const records = node.sessions.reduce((sum, { family }) => sum + (family === 6 ? 2 : 1), 0);
          expect(records).toBeLessThanOrEqual(12);
          expect(node.sessions).toHaveLength(node.count);
        }
        const { machine, address, state } = node.image;
        machine.sessionsClear(address, state);
        expect(node.count).toBe(0);
        for (const { active, inactive, persistent } of node.counters.destinations)
          expect([active, inactive, persistent]).toEqual([0, 0, 0]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as setting from "../../assembly/abi/setting.js";
import { udp } from "../../src/packet/build.js";
import { Tally } from "../tally.js";
import { IpvsNode } from "./ipvs-node.js";

const VIP = "10.96.0.10";
const UDP = 17;
const SECOND = 1000;

/** Spans of all sizes, near powers of 64 too (milliseconds, or seconds). */
const spans = fc.oneof(
  fc.nat(3),
  fc.nat(200),
  fc.nat(100_000),
  fc
    .record({ power: fc.nat(5), off: fc.integer({ min: -1, max: 1 }) })
    .map(({ power, off }) => Math.max(0, 64 ** power + off)),
);

const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      client: fc.nat(30),
      timeout: spans.map((seconds) => Math.min(2 ** 31, seconds + 1)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ after: spans }) },
);

describe("IPVS' timers", () => {
  it("end each connection at its millisecond, and none before", async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2 ** 40),
        fc.array(steps, { minLength: 20, maxLength: 150 }),
        async (start, list) => {
          const node = (await IpvsNode.make({ connections: 64 }))
            .set(0, { port: 53 }, [{ address: "10.244.1.1", port: 53, weight: 1 }])
            .listen(0, VIP, UDP, 53);
          const expires = new Map<number, number>();
          let now = start;
          for (const step of list) {
            if ("after" in step) now += step.after;
            else {
              node.settings({ [setting.SETTING_VS_TIMEOUT_UDP]: step.timeout });
              node.one(udp(`192.0.2.1:${1000 + step.client}`, `${VIP}:53`), now);
              const old = expires.get(step.client);
              const next = now + step.timeout * SECOND;
              if (old !== undefined && old > now) tally.count(next < old ? "shorter" : "longer");
              expires.set(step.client, next);
            }
            node.wait(now);
            const live = [...expires].filter(([, end]) => end > now);
            if (live.length < expires.size) tally.count("over");
            const left = node.sessions.map(({ client, timeout }) => [client.port - 1000, timeout]);
            expect(left.sort()).toEqual(
              live.map(([client, end]) => [client, Math.min(2 ** 32 - 1, end - now)]).sort(),
            );
            expect(node.counters.destinations[0]?.inactive).toBe(live.length);
          }
        },
      ),
      { numRuns: 60 },
    );
    tally.expectEach(["shorter", "longer", "over"], 20);
  }, 60_000);

  it("take no longer for a year than for what ends in it", async () => {
    const node = (await IpvsNode.make({ connections: 64 }))
      .set(0, { port: 53, persistence: 2 ** 31 }, [{ address: "10.244.1.1", port: 53, weight: 1 }])
      .listen(0, VIP, UDP, 53);
    node.one(udp("192.0.2.1:1000", `${VIP}:53`), 0);
    node.wait(299_999);
    expect(node.count).toBe(2);
    node.wait(300_000);
    expect(node.sessions.map(({ timeout }) => timeout)).toEqual([2 ** 32 - 1]);
    node.wait((2 ** 31 - 1) * SECOND);
    expect(node.sessions.map(({ timeout }) => timeout)).toEqual([SECOND]);
    node.wait(2 ** 31 * SECOND);
    expect(node.count).toBe(0);
  });

  it("put a template off by a minute while a connection keeps it, and give it a minute from then on", async () => {
    const node = (await IpvsNode.make({ connections: 64 }))
      .settings({ [setting.SETTING_VS_TIMEOUT_UDP]: 100 })
      .set(0, { port: 53, persistence: 30 }, [{ address: "10.244.1.1", port: 53, weight: 1 }])
      .listen(0, VIP, UDP, 53);
    const template = () => node.sessions.find(({ isTemplate }) => isTemplate)?.timeout;
    node.one(udp("192.0.2.1:1000", `${VIP}:53`), 0);
    expect(template()).toBe(30_000);
    node.wait(30_000);
    expect(template()).toBe(60_000);
    node.wait(90_000);
    expect(template()).toBe(60_000);
    node.one(udp("192.0.2.1:1001", `${VIP}:53`), 95_000);
    expect(template()).toBe(60_000);
    node.wait(195_000);
    expect([node.count, template()]).toEqual([1, 20_000]);
    node.wait(215_000);
    expect(node.count).toBe(0);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CTSTATE_NEW, MATCH_CTSTATE, MATCH_UNDECIDED, TARGET_DROP } from "../../assembly/abi/entry.js";
import { UNDECIDED_ALWAYS } from "../../assembly/abi/rule.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { icmpEcho, tcp } from "../../src/packet/build.js";
import { Tally } from "../tally.js";
import { type Arrival, arrival } from "./arrivals.js";
import { BALANCED, CHANCE, CHOICES, NODE, nodeOf, POD_PORT, PODS, UPLINK, VIP } from "./node.js";
import { drawnRule, lastRule } from "./rules.js";
import { opened, opening, PAUSE, runAll } from "./runs.js";

describe("the express way", () => {
  it("is not for a connection that an earlier packet of the burst closed", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const packet = (flags: string, ttl = 64): Arrival => {
      return {
        octets: tcp(`${PODS[0]}:4000`, `${VIP}:80`, { flags, ttl }),
        inNumber: POD_PORT,
        headroom: 128,
      };
    };
    // A SYN after a RST closes the old connection, and is dropped itself.
    const bursts = [opening, [packet("R"), packet("A"), packet("S", 1), packet("A")]];
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const numbers = results.slice(opening.length, -1).map((one) => one.split(" ")[6]);
    expect([numbers[0], numbers[1]]).toEqual([numbers[0], numbers[0]]);
    expect(numbers[3]).not.toBe("0");
  });

  it("is not for a connection that an earlier packet opened anew to another server", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const sent = (flags: string): Arrival => ({
      octets: tcp(`${PODS[0]}:4000`, `${CHANCE}:80`, { flags }),
      inNumber: POD_PORT,
      headroom: 128,
    });
    // Only one of them is asked.
    const answers = CHOICES.map((server) => ({
      octets: tcp(`${server}:8080`, `${PODS[0]}:4000`, { flags: "SA" }),
      inNumber: UPLINK,
      headroom: 128,
    }));
    const burst = [sent("A"), sent("R"), sent("S"), ...answers, sent("A")];
    const bursts = [[sent("S"), ...answers], ...Array.from({ length: 8 }, () => burst)];
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const serverOf = (index: number) =>
      results[index]?.includes(Buffer.from([10, 244, 2, 10]).toString("hex"));
    const moved = Array.from({ length: 8 }, (_, index) => 3 + index * 6).filter(
      (first) => serverOf(first) !== serverOf(first + 5),
    );
    expect(moved.length).toBeGreaterThan(0);
  });

  it("is not for what meets a rule that cannot be told, though what stands behind in it would say no", async () => {
    const untold = new RuleDraft()
      .match(MATCH_UNDECIDED, false, UNDECIDED_ALWAYS)
      .match(MATCH_CTSTATE, false, CTSTATE_NEW)
      .target(TARGET_DROP);
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [[], [untold]] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    // IPVS opens a connection past FORWARD, which its answers pass.
    const octets = tcp("10.244.1.3:8080", `${PODS[0]}:4000`, { flags: "A" });
    const further: Arrival = { octets, inNumber: UPLINK, headroom: 128 };
    const bursts = [...opened(BALANCED, "TCP"), further].map((one) => [one]);
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const verdicts = results.slice(0, -1).map((one) => one.split(" ").slice(0, 2).join(" "));
    expect(verdicts).toEqual(["FORWARD NONE", "PUNT UNDECIDED", "FORWARD NONE", "PUNT UNDECIDED"]);
  });

  it("is not for what comes in frames to many, nor from outside with the node's own source", async () => {
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
    const sent = (from: string, to: string, flags: string, inNumber: number): Arrival => ({
      octets: tcp(from, to, { flags }),
      inNumber,
      headroom: 128,
    });
    const [pod, far, own] = [`${PODS[0]}:4000`, "198.51.100.9:80", `${NODE}:80`];
    const toMany = {
      ...sent(pod, far, "A", POD_PORT),
      octets: tcp(pod, far, { flags: "A" }).fill(255, 0, 6),
    };
    const bursts = [
      [sent(pod, far, "S", POD_PORT), sent(far, pod, "SA", UPLINK), sent(pod, far, "A", POD_PORT), toMany],
      [sent(pod, own, "S", POD_PORT), sent(own, pod, "SA", 0), sent(pod, own, "A", POD_PORT)],
      [sent(own, pod, "A", UPLINK)],
      [sent(own, pod, "A", 0)],
    ];
    const results = runAll(run, bursts, false);
    expect(results).toEqual(runAll(trace, bursts, false));
    const verdicts = results.slice(0, -1).map((one) => one.split(" ").slice(0, 2).join(" "));
    const [passed, arrived] = ["FORWARD NONE", "LOCAL NONE"];
    expect(verdicts).toEqual([
      ...[passed, passed, passed, "DROP MULTICAST"],
      ...[arrived, passed, arrived, "DROP MARTIAN", passed],
    ]);
  });

  it("is not for a connection that is over, whatever the clock's halves say", async () => {
    const stranger = [{ octets: icmpEcho(PODS[0], NODE), inNumber: POD_PORT, headroom: 128 }];
    const setting = { verify: true, noUdpChecksum: false, connections: 64, chains: [] };
    for (const epoch of [2 ** 31, 2 ** 32, 2 ** 33].map((turn) => turn - 3.5 * PAUSE)) {
      // UDP's are over after three pauses, TCP's are not.
      for (const quiet of [1, 2, 3, 4]) {
        const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
        const bursts = [
          opening,
          ...Array.from({ length: quiet - 1 }, () => stranger),
          opening.filter((_, i) => i % 4 > 1),
        ];
        expect(runAll(run, bursts, false, epoch)).toEqual(runAll(trace, bursts, false, epoch));
      }
    }
  });

  it("leaves the same octets everywhere as the way of all packets", async () => {
    const tally = new Tally();
    const setting = fc.record({
      verify: fc.boolean(),
      noUdpChecksum: fc.boolean(),
      options: fc.constantFrom(undefined, undefined, 0, 28),
      connections: fc.constantFrom(4, 64, 1024),
      moves: fc.boolean(),
      // The timers' lower halves pass 2^31 and 2^32.
      epoch: fc.constantFrom(0, 2 ** 31 - PAUSE, 2 ** 32 - PAUSE, 2 ** 33),
      chains: fc.oneof(
        fc.constant([]),
        fc
          .tuple(fc.array(drawnRule, { maxLength: 1 }), fc.array(drawnRule, { minLength: 1, maxLength: 2 }))
          .map(([input, output]) => [[], [], [], [], input, output]),
        fc.tuple(
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(drawnRule, { maxLength: 6 }),
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(lastRule, { maxLength: 4 }),
          fc.array(drawnRule, { maxLength: 2 }),
          fc.array(drawnRule, { maxLength: 2 }),
        ),
      ),
    });
    // Often several of a kind one after another.
    const some = fc
      .tuple(arrival, fc.constantFrom(1, 1, 1, 3, 8))
      .map(([one, times]) => Array(times).fill(one));
    const burst = fc
      .array(some, { minLength: 1, maxLength: 60, size: "max" })
      .map((drawn) => drawn.flat() as Arrival[]);
    const bursts = fc.array(burst, { minLength: 1, maxLength: 3 });
    const property = fc.asyncProperty(setting, bursts, async (drawn, packets) => {
      const [run, trace] = [await nodeOf("run", drawn), await nodeOf("trace", drawn)];
      const all = [opening, ...packets];
      const results = runAll(run, all, drawn.moves, drawn.epoch);
      expect(results).toEqual(runAll(trace, all, drawn.moves, drawn.epoch));
      for (const result of results) {
        const [name = ""] = result.split(" ");
        tally.count(name);
      }
    });
    await fc.assert(property, { numRuns: 200 });
    tally.expectEach(["FORWARD", "LOCAL", "DROP", "PUNT"], 100);
  });
});

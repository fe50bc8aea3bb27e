import { describe, expect, it } from "vitest";
import {
  HOOK_FORWARD,
  HOOK_INPUT,
  MATCH_IN,
  MATCH_WITHIN,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_NONE,
} from "../../assembly/abi/entry.js";
import { FIELD_TTL } from "../../assembly/abi/rule.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { tcp } from "../../src/packet/build.js";
import { type BareNode, ip4 } from "../bare-node.js";
import type { Arrival } from "./arrivals.js";
import { BALANCED, nodeOf, POD_PORT, PODS, UPLINK, VIP } from "./node.js";
import { HOOKS } from "./rules.js";
import { opened, runAll } from "./runs.js";

/** The chain of each hook, as nodeOf numbers them. */
const [FORWARD_CHAIN, INPUT_CHAIN] = [HOOK_FORWARD, HOOK_INPUT].map((hook) => 1 + HOOKS.indexOf(hook)) as [
  number,
  number,
];

const to = (address: string) => new RuleDraft().dst({ address: ip4(address), length: 32 }, false);

/** Rules that ask for more than a ctstate: what they make of a packet is not known from that alone. */
const asking = (): RuleDraft[] => [
  to("203.0.113.9").target(TARGET_NONE),
  to("203.0.113.8").target(TARGET_DROP),
];

const sent = (target: string, inNumber: number, ttl = 64): Arrival => ({
  octets: tcp(`${PODS[0]}:4000`, `${target}:80`, { flags: "A", ttl }),
  inNumber,
  headroom: 128,
});

interface Setting {
  /** Before burst `step`. */
  readonly change: (node: BareNode, step: number) => void;
  readonly connections: number;
}

/** The same bursts on a node whose packets may go the express way, and on one whose may not; columns of the former. */
async function bothRun(
  chains: readonly (readonly RuleDraft[])[],
  bursts: readonly (readonly Arrival[])[],
  { change = () => {}, connections = 64 }: Partial<Setting> = {},
): Promise<string[][]> {
  const setting = { verify: true, noUdpChecksum: false, connections, chains };
  const [run, trace] = [await nodeOf("run", setting), await nodeOf("trace", setting)];
  const results = runAll(run, bursts, false, 0, change);
  expect(results).toEqual(runAll(trace, bursts, false, 0, change));
  return results.slice(0, -1).map((one) => one.split(" "));
}

const verdicts = (results: readonly string[][]) => results.map(([verdict]) => verdict);

describe("packets whose connection's rules are known", () => {
  it("are those that come in by the same interface", async () => {
    const onlyPods = [
      new RuleDraft().match(MATCH_IN, false, POD_PORT).target(TARGET_ACCEPT),
      to("10.244.2.9").target(TARGET_DROP),
    ];
    const bursts = [
      ...opened(VIP, "TCP").map((one) => [one]),
      ...[POD_PORT, UPLINK, POD_PORT].map((inNumber) => [sent(VIP, inNumber)]),
      [sent(VIP, POD_PORT), sent(VIP, UPLINK), sent(VIP, POD_PORT)],
    ];
    const results = await bothRun([[], onlyPods], bursts);
    const expected = ["FORWARD", "DROP", "FORWARD"];
    expect(verdicts(results).slice(3)).toEqual([...expected, ...expected]);
  });

  it("are no more what they were when a packet from elsewhere came between, in the same burst too", async () => {
    const burst = [sent(VIP, UPLINK, 63), sent(VIP, POD_PORT), sent(VIP, POD_PORT)];
    const known = [sent(VIP, POD_PORT), sent(VIP, POD_PORT)];
    const opening = opened(VIP, "TCP").map((one) => [one]);
    const results = await bothRun([[], asking()], [...opening, known, burst]);
    expect(new Set(verdicts(results))).toEqual(new Set(["FORWARD"]));
  });

  it("are so until the rules change", async () => {
    const bursts = [...opened(VIP, "TCP"), ...[1, 2, 3].map(() => sent(VIP, POD_PORT))].map((one) => [one]);
    const change = (node: BareNode, step: number) => {
      if (step === 5) node.chain(FORWARD_CHAIN, to("10.244.2.9").target(TARGET_DROP));
    };
    const results = await bothRun([[], asking()], bursts, { change });
    expect(verdicts(results)).toEqual([...Array(5).fill("FORWARD"), "DROP"]);
  });

  it("are IPVS' too, on its way through the node, until the rules there change", async () => {
    const bursts = [...opened(BALANCED, "TCP"), ...[1, 2, 3, 4].map(() => sent(BALANCED, POD_PORT))].map(
      (one) => [one],
    );
    const change = (node: BareNode, step: number) => {
      if (step === 6) node.chain(INPUT_CHAIN, to(BALANCED).target(TARGET_DROP));
    };
    const results = await bothRun([[], asking(), [], [], asking(), asking()], bursts, { change });
    expect(verdicts(results)).toEqual([...Array(6).fill("FORWARD"), "DROP"]);
    // Rules of INPUT and of OUTPUT.
    expect(new Set(results.slice(2, 6).map((one) => one[5]))).toEqual(new Set(["4"]));
  });

  it("are not those of a connection that had the record before", async () => {
    const far = "198.51.100.9";
    // What is asked of each packet's own is not known of the next one.
    const aged = to(far).match(MATCH_WITHIN, false, FIELD_TTL, 0, 62).target(TARGET_DROP);
    const forward = [to("10.244.2.9").target(TARGET_ACCEPT), aged];
    const reset = tcp(`${PODS[0]}:4000`, `${VIP}:80`, { flags: "R" });
    const first = [...opened(VIP, "TCP"), sent(VIP, POD_PORT), { ...sent(VIP, POD_PORT), octets: reset }];
    const second = [...opened(far, "TCP"), sent(far, POD_PORT), sent(far, POD_PORT, 62)];
    const results = await bothRun(
      [[], forward],
      [...first, ...second].map((one) => [one]),
      { connections: 1 },
    );
    expect(verdicts(results)).toEqual([...Array(9).fill("FORWARD"), "DROP"]);
  });
});

import type { PlainScheduler } from "./baseline/director.js";
import { type Director, machineDirector, plainDirector, RING, type SceneOptions } from "./opening-scene.js";
import { type Case, PLAIN, type Topic, WASM } from "./topic.js";

const SERVICES = 10_000;
/** Of a Service, as the goal for changes has them. */
const ENDPOINTS = 5;
/** The second is the first multiple of a call's packets beyond a million that time divides. */
const LIVE = [65_536, 1_024_000] as const;
const TURNS = ["rr", "wrr", "sh", "mh"] as const;
const LOADS = ["lc", "wlc", "sed", "nq"] as const;
const DESTINATIONS = [10, 100, 1000] as const;
/** Services of those that go by connections. */
const FEW_SERVICES = 100;
/** Hashes choose otherwise in the baseline, which has others. */
const HASHING: readonly PlainScheduler[] = ["sh", "mh"];

/** Runs both until as many connections end as begin; they must do the same then. */
function settle(
  name: string,
  { scheduler, live }: SceneOptions,
  [ours, theirs]: readonly [Director, Director],
): void {
  for (const director of [ours, theirs]) {
    for (let opened = 0; opened < live + 4 * RING; opened += RING) {
      director.prepare();
      director.run();
    }
    if (director.refused() !== 0 || director.live() !== live)
      throw new Error(`${name}: ${director.refused()} refused, ${director.live()} live`);
  }
  if (HASHING.includes(scheduler)) return;
  const plain = theirs.frames();
  const other = ours.frames().findIndex((frame, index) => frame.toString() !== plain[index]?.toString());
  if (other >= 0) throw new Error(`${name}: the baseline does otherwise with frame ${other}`);
}

async function caseOf(name: string, options: SceneOptions): Promise<Case> {
  const both = [await machineDirector(options), plainDirector(options)] as const;
  settle(name, options, both);
  const contenders = both.map((director, index) => ({
    name: index === 0 ? WASM : PLAIN,
    prepare: () => director.prepare(),
    run: () => director.run(),
  }));
  return { name, unit: "connection", count: RING, contenders };
}

async function* cases(): AsyncGenerator<Case> {
  for (const live of LIVE)
    for (const scheduler of TURNS) {
      const name = `${scheduler}, ${live.toLocaleString("en")} live`;
      yield caseOf(name, { scheduler, services: SERVICES, reals: ENDPOINTS, live });
    }
  for (const scheduler of LOADS)
    for (const reals of DESTINATIONS) {
      const options = { scheduler, services: FEW_SERVICES, reals, live: LIVE[0] };
      yield caseOf(`${scheduler} of ${reals.toLocaleString("en")}`, options);
    }
}

/** New TCP connections to 10,000 virtual servers of IPVS, each opened by a SYN and over a minute later; those that go by connections, to 100. */
export const openingTopic: Topic = { name: "opening", cases: async () => cases() };

import type { Cluster } from "../model/cluster.js";
import { syntheticCluster } from "../model/synthetic.js";
import type { SchedulerRow } from "../report/comparison.js";
import { costOf } from "../report/statistics.js";
import type { Scheduler, VirtualServer } from "../ruleset/ipvs.js";
import type { ProxyMode, Ruleset } from "../ruleset/ruleset.js";
import { type Destination, destinationsOf, type Origin, originOf } from "./destinations.js";
import { type Loaded, loadModes } from "./loading.js";
import { CONNECTIONS, type MeasureOptions } from "./measure.js";
import { Rig } from "./rig.js";
import { BATCH_LEN, FRAME_WORDS, type Frames, firstFrame, trafficTo } from "./traffic.js";

export interface SchedulerOptions extends Pick<MeasureOptions, "proxy" | "seed" | "rounds" | "onStep"> {
  /** Those beside which mode ipvs is measured, and ipvs itself. */
  readonly modes: readonly ProxyMode[];
  readonly schedulers: readonly Scheduler[];
}

/** Packets that are timed together: so few that another process seldom comes between, as they may take 10 µs each. */
const WINDOW_LEN = 128;
/** Windows before those that are timed: every one of 1,000 destinations has a connection then. */
const WINDOWS_BEFORE = 8;
/** A turn takes so long, and so many windows at least. */
const TURN_MS = 10;
const TURN_MIN = 12;
/** That many packets are enough for a turn. */
const BATCHES = 4;

/** One way of choosing an endpoint, with the ns per packet of each window, round by round. */
interface Contestant extends Loaded {
  readonly rig: Rig;
  readonly walked: number;
  readonly samples: number[][];
}

/**
 * One Service with so many endpoints, and as many Pods that ask it, which are another's, on one Node: no scheduler is the
 * cheaper for choosing who is near, or who asks.
 */
function subjectOf(destinations: number, seed: number): [Cluster, Destination, Origin] {
  const cluster = syntheticCluster({ services: 2, endpoints: destinations, nodes: 1, seed });
  const origin = originOf({ ...cluster, pods: cluster.pods.slice(destinations) });
  return [cluster, destinationsOf(cluster)[0] as Destination, origin];
}

/** ovf takes as many connections for a destination as that has weight, and then none: here each takes as many as there are. */
function roomForAll(ruleset: Ruleset): Ruleset {
  const { ipvs } = ruleset;
  if (ipvs === undefined) return ruleset;
  const widened = (server: VirtualServer): VirtualServer => {
    if (server.scheduler !== "ovf") return server;
    return { ...server, servers: server.servers.map((real) => ({ ...real, weight: CONNECTIONS })) };
  };
  return { ...ruleset, names: ruleset.names, ipvs: { ...ipvs, servers: ipvs.servers.map(widened) } };
}

/** Counts what the packets walk, before anything is timed. */
function prepare(loaded: Loaded, batches: readonly Frames[]): Contestant {
  const rig = new Rig(loaded.engine, firstFrame(batches[0] as Frames));
  let walked = 0;
  for (const frames of batches) {
    if (rig.probe(frames).includes(false))
      throw new Error(`${loaded.mode}: not every packet of the measurement opens a connection.`);
    walked += rig.walked;
  }
  return { ...loaded, rig, walked: walked / (batches.length * BATCH_LEN), samples: [] };
}

function windowsOf(batch: Frames): readonly Frames[] {
  const length = WINDOW_LEN * FRAME_WORDS;
  return Array.from({ length: BATCH_LEN / WINDOW_LEN }, (_, index) =>
    batch.subarray(index * length, (index + 1) * length),
  );
}

/** ns per packet of window after window, each beside the connections that those before it opened. */
function takeTurn(rig: Rig, windows: readonly Frames[]): number[] {
  rig.engine.clearConnections();
  for (const window of windows.slice(0, WINDOWS_BEFORE)) rig.openMore(window);
  const end = performance.now() + TURN_MS;
  const taken: number[] = [];
  for (const window of windows.slice(WINDOWS_BEFORE)) {
    if (taken.length >= TURN_MIN && performance.now() > end) break;
    taken.push(rig.openMore(window));
  }
  return taken;
}

/**
 * What a new connection to one Service of so many endpoints costs with each scheduler of IPVS, and in the other modes beside
 * them, which take turns. `onStep` is called as often as `measureSteps` says.
 */
export async function measureSchedulers(
  destinations: number,
  options: SchedulerOptions,
): Promise<readonly SchedulerRow[]> {
  const { modes, schedulers, proxy = {}, seed, rounds, onStep = () => {} } = options;
  const [cluster, destination, { node, sources }] = subjectOf(destinations, seed);
  const loading = {
    node,
    modes,
    ipvsSchedulers: schedulers,
    proxy,
    seed,
    connections: CONNECTIONS,
    times: 0,
  };
  const loaded = await loadModes(cluster, { ...loading, change: roomForAll });
  onStep();
  const batches = trafficTo([destination], sources, seed).uniform.slice(0, BATCHES);
  const contestants = loaded.map((one) => prepare(one, batches));
  const windows = batches.flatMap(windowsOf);
  onStep();
  for (let round = 0; round <= rounds; round++) {
    for (const { rig, samples } of contestants) {
      const taken = takeTurn(rig, windows);
      if (round > 0) samples.push(taken);
    }
    onStep();
  }
  return contestants.map((one) => rowOf(one, destinations, rounds));
}

function rowOf(
  { mode, scheduler, samples, walked }: Contestant,
  destinations: number,
  rounds: number,
): SchedulerRow {
  return {
    mode: scheduler === undefined ? mode : "ipvs",
    scheduler: scheduler ?? null,
    destinations,
    newConnection: costOf(samples),
    walked,
    rounds,
  };
}

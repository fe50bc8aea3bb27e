import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { ComparisonInput, ComparisonRow } from "../report/comparison.js";
import { costOf } from "../report/statistics.js";
import type { Scheduler } from "../ruleset/ipvs.js";
import type { ProxyMode } from "../ruleset/ruleset.js";
import { countServices, type Destination, destinationsOf, originOf } from "./destinations.js";
import { type Loaded, type LoadOptions, loadModes } from "./loading.js";
import { Rig } from "./rig.js";
import { BATCH_LEN, type Frames, firstFrame, probesOf, type Traffic, trafficTo } from "./traffic.js";

/** What is measured at one size. */
export interface Subject {
  readonly input: ComparisonInput;
  readonly cluster: Cluster;
}

export interface MeasureOptions {
  readonly modes: readonly ProxyMode[];
  /** Mode ipvs has a turn with each; default one turn with kube-proxy's own. */
  readonly ipvsSchedulers?: readonly Scheduler[];
  /** How kube-proxy runs, in every mode; default as kube-proxy does where nothing is said. */
  readonly proxy?: LoadOptions["proxy"];
  readonly seed: number;
  /** How often every mode has its turn; one more, before these, is not counted. */
  readonly rounds: number;
  /** Called `measureSteps` times. */
  readonly onStep?: () => void;
}

export interface Measured {
  readonly rows: readonly ComparisonRow[];
  /** The Node that was measured. */
  readonly node: string;
  /** Service ports that got no packets, since on this Node no endpoint answers for them. */
  readonly silent: readonly Destination[];
  /** What of the cluster is not modelled, in any mode; the same may be said several times. */
  readonly diagnostics: readonly Diagnostic[];
}

/** As the machine's default; more where that would not hold every flow. */
export const CONNECTIONS = 65_535;
/** A turn takes so long, and so many batches at least and at most. */
const TURN_MS = 40;
const TURN_MIN = 5;
const TURN_MAX = 200;

/** How often `onStep` is called for one subject. */
export function measureSteps({ rounds }: Pick<MeasureOptions, "rounds">): number {
  return rounds + 3;
}

/** One mode on its rig, with the samples taken so far: ns per packet of each batch, round by round. */
interface Contestant extends Loaded {
  readonly rig: Rig;
  readonly walked: number;
  readonly walkedEstablished: number;
  readonly samples: Readonly<Record<Kind, number[][]>>;
}

type Kind = "uniform" | "first" | "last" | "middle";
const KINDS: readonly Kind[] = ["uniform", "first", "last", "middle"];

/**
 * Measures one cluster in all modes on its first Node with Pods. Equal seeds give equal packets, and so the same
 * `walked`. InputError where the cluster has no Pod to send from or no Service that answers.
 */
export async function measure(subject: Subject, options: MeasureOptions): Promise<Measured> {
  const { cluster } = subject;
  const step = options.onStep ?? (() => {});
  const origin = originOf(cluster);
  const all = destinationsOf(cluster);
  const connections = Math.max(CONNECTIONS, all.length + BATCH_LEN);
  const loading = { proxy: {}, ...options, node: origin.node, connections, times: options.rounds };
  const loaded = await loadModes(cluster, loading);
  step();
  const probes = probesOf(all, origin.sources);
  const rigs = loaded.map(({ engine }) => new Rig(engine, firstFrame(probes[0] ?? new Uint32Array(15))));
  const answering = answeringOf(all, probes, rigs, origin.node);
  const traffic = trafficTo(answering, origin.sources, options.seed);
  const contestants = loaded.map((one, index) => prepare(one, rigs[index] as Rig, traffic));
  step();
  for (let round = 0; round <= options.rounds; round++) {
    playRound(contestants, traffic, round);
    step();
  }
  return {
    rows: contestants.map((one) => rowOf(one, subject, options.rounds)),
    node: origin.node,
    silent: withoutThose(all, answering),
    diagnostics: loaded.flatMap(({ engine }) => engine.ruleset.diagnostics),
  };
}

function withoutThose<T>(values: readonly T[], those: readonly T[]): readonly T[] {
  const left = new Set(values);
  for (const value of those) left.delete(value);
  return [...left];
}

/** The destinations that have an endpoint in every mode. */
function answeringOf(
  destinations: readonly Destination[],
  probes: readonly Frames[],
  rigs: readonly Rig[],
  node: string,
): readonly [Destination, ...Destination[]] {
  const answers = rigs.map((rig) => probes.flatMap((frames) => rig.probe(frames)));
  const [first, ...others] = destinations.filter((_, index) => answers.every((answer) => answer[index]));
  if (first !== undefined) return [first, ...others];
  const message =
    destinations.length === 0
      ? "the cluster has no Service with a ClusterIP (IPv4) and a port of TCP or UDP: there is nothing to compare."
      : `no Service of the cluster has an endpoint that Node ${node} reaches: there is nothing to compare.`;
  throw new InputError([{ severity: "error", place: {}, message }]);
}

/** Counts what the packets walk, before anything is timed: from equal seeds, equal counts. */
function prepare(loaded: Loaded, rig: Rig, traffic: Traffic): Contestant {
  const mean = (run: (frames: Frames) => void, batches: readonly Frames[]) => {
    let walked = 0;
    for (const frames of batches) {
      run(frames);
      walked += rig.walked;
    }
    return walked / (batches.length * BATCH_LEN);
  };
  const walked = mean((frames) => rig.open(frames), traffic.uniform);
  rig.know(traffic.uniform);
  const walkedEstablished = mean((frames) => rig.pass(frames), traffic.middle);
  const samples = { uniform: [], first: [], last: [], middle: [] };
  return { ...loaded, rig, walked, walkedEstablished, samples };
}

/** Every mode's turn at every kind of packet. Round 0, in which code and caches warm up, does not count. */
function playRound(contestants: readonly Contestant[], traffic: Traffic, round: number): void {
  for (const kind of KINDS) {
    const batches: readonly Frames[] = [traffic[kind]].flat();
    for (const { rig, samples } of contestants) {
      const run = kind === "middle" ? (one: Frames) => rig.pass(one) : (one: Frames) => rig.open(one);
      const taken = takeTurn(run, batches, round * TURN_MIN);
      if (round > 0) samples[kind].push(taken);
    }
  }
}

/** ns per packet of batch after batch; the first, which finds the caches as another mode left them, is left out. */
function takeTurn(run: (frames: Frames) => number, batches: readonly Frames[], from: number): number[] {
  const batch = (index: number) => batches[(from + index) % batches.length] as Frames;
  const end = performance.now() + TURN_MS;
  const taken: number[] = [];
  run(batch(0));
  while (taken.length < TURN_MIN || (taken.length < TURN_MAX && performance.now() < end)) {
    taken.push(run(batch(taken.length + 1)));
  }
  return taken;
}

function rowOf(contestant: Contestant, { cluster }: Subject, rounds: number): ComparisonRow {
  const { mode, engine, samples, walked, walkedEstablished, compileMs } = contestant;
  const established = costOf(samples.middle);
  const octets = engine.octets();
  return {
    mode,
    ...countServices(cluster),
    newConnection: costOf(samples.uniform),
    newConnectionFirst: costOf(samples.first),
    newConnectionLast: costOf(samples.last),
    established,
    mpps: 1000 / established.p50,
    walked,
    walkedEstablished,
    tableBytes: octets.all - octets.connections - octets.ipvsConnections,
    compileMs,
    rounds,
  };
}

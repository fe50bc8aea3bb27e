import { type Comparison, compare, type Difference } from "./comparison.js";
import type { DirectorSide } from "./director-side.js";
import { drawScenario, drawSocketScenario, drawTimedScenario } from "./draw.js";
import { recordInUml } from "./kernel-side.js";
import { type Recording, talksOf } from "./recording.js";
import type { Change, Scenario, Step } from "./scenario.js";

export interface Asking {
  /** Scenarios are played until they have so many. */
  readonly connections: number;
  readonly seed: number;
  /** Only this one of them, which are counted from 1. */
  readonly scenario?: number;
}

/** What a real IPVS has said of a director. */
export interface Verdict {
  readonly kernel: string;
  readonly scenarios: number;
  /** Of them: what the kernel was too busy to play to the end. */
  readonly cut: number;
  readonly connections: number;
  readonly packets: number;
  readonly differences: readonly Difference[];
  /** What was not as it should be, a sentence each. */
  readonly faults: readonly string[];
}

type SideOf = (scenario: Scenario) => Promise<DirectorSide>;

/** Connections of one scenario, at most. */
const TALKS = 260;
const SOCKET_TALKS = 200;
/** Of as many scenarios. */
const KINDS = 8;
const [SOCKETS, TIMED] = [3, 7];
/** A kernel that was too busy for the whole of scenarios is asked others as well. */
const ROUNDS = 6;

/** Scenario number `index` of a seed. */
export function scenarioOf(seed: number, index: number): Scenario {
  if (index % KINDS === TIMED) return drawTimedScenario(seed, index);
  return index % KINDS === SOCKETS
    ? drawSocketScenario(seed, index, SOCKET_TALKS)
    : drawScenario(seed, index, TALKS);
}

/** The next scenarios, until they have so many connections. */
function nextScenarios(seed: number, from: number, connections: number): Scenario[] {
  const scenarios: Scenario[] = [];
  for (let left = connections; left > 0; left -= scenarios.at(-1)?.talks.length ?? 0)
    scenarios.push(scenarioOf(seed, from + scenarios.length));
  return scenarios;
}

const countOf = (recordings: readonly Recording[]) =>
  recordings.reduce((sum, recording) => sum + talksOf(recording), 0);

async function recordAll(
  { connections, seed, scenario }: Asking,
  say: (line: string) => void,
): Promise<readonly Recording[]> {
  if (scenario !== undefined) return recordInUml([scenarioOf(seed, scenario)], say);
  const recordings: Recording[] = [];
  let next = 1;
  for (let round = 0; round < ROUNDS && countOf(recordings) < connections; round++) {
    const scenarios = nextScenarios(seed, next, connections - countOf(recordings));
    next += scenarios.length;
    recordings.push(...(await recordInUml(scenarios, say)));
  }
  return recordings;
}

/** A director that was never told of the last server of the first service: its recording must be told from the kernel's. */
function withoutServer({ steps }: Recording["scenario"]): (change: Change) => boolean {
  const [first] = steps as readonly (Step & { readonly do: "change" })[];
  const last = first?.changes.findLast((change) => change.do === "addServer");
  return (change) => change !== last;
}

/** Whether a director that leaves out a change is found out. */
async function isNoticed(recording: Recording, sideOf: SideOf): Promise<boolean> {
  const side = await sideOf(recording.scenario);
  const isTold = withoutServer(recording.scenario);
  const deaf: DirectorSide = {
    change: (changes, now) => side.change(changes.filter(isTold), now),
    judge: (packet, now) => side.judge(packet, now),
    answer: (packet, now) => side.answer(packet, now),
    servers: (now) => side.servers(now),
    connections: (now) => side.connections(now),
    list: (option, now) => side.list(option, now),
  };
  return compare(recording, deaf).difference !== undefined;
}

function faultsOf(comparisons: readonly Comparison[], { connections }: Asking, noticed: boolean): string[] {
  const differing = comparisons.filter(({ difference }) => difference !== undefined).length;
  const count = comparisons.reduce((sum, one) => sum + one.connections, 0);
  return [
    ...(differing > 0
      ? [`director: ${differing} of ${comparisons.length} scenarios differ from the kernel's.`]
      : []),
    ...(count < connections
      ? [`director: the kernel was too busy: it made ${count} connections of ${connections}.`]
      : []),
    ...(noticed ? [] : ["director: a server that was left out was not noticed."]),
  ];
}

/** Asks IPVS in user-mode Linux what a director should do. Error where it does not come up. */
export async function askDirector(
  asking: Asking,
  sideOf: SideOf,
  say: (line: string) => void,
): Promise<Verdict> {
  const recordings = await recordAll(asking, say);
  const comparisons: Comparison[] = [];
  for (const recording of recordings) {
    const comparison = compare(recording, await sideOf(recording.scenario));
    const { name, seed } = recording.scenario;
    say(
      `${name}, seed ${seed}: ${comparison.connections} connections, ${comparison.difference ? "differs" : "equal"}`,
    );
    comparisons.push(comparison);
  }
  const [longest] = recordings.toSorted((one, other) => other.happenings.length - one.happenings.length);
  const noticed = longest === undefined || (await isNoticed(longest, sideOf));
  const wanted = asking.scenario === undefined ? asking : { ...asking, connections: 1 };
  return {
    kernel: longest?.kernel ?? "",
    scenarios: recordings.length,
    cut: recordings.filter(({ cut }) => cut !== undefined).length,
    connections: countOf(recordings),
    packets: comparisons.reduce((sum, { packets }) => sum + packets, 0),
    differences: comparisons.flatMap(({ difference }) => difference ?? []),
    faults: faultsOf(comparisons, wanted, noticed),
  };
}

function printDifference({ scenario, step, done, kernel, machine }: Difference): string {
  const shown = (side: string, lines: readonly string[]) =>
    lines.map((line) => `    ${side}: ${line}\n`).join("");
  return `${scenario}, step ${step}: ${done}\n${shown("kernel", kernel)}${shown("machine", machine)}`;
}

/** The verdict for people. */
export function printVerdict(verdict: Verdict, most: number): string {
  const { kernel, scenarios, cut, connections, packets, differences } = verdict;
  const shortened = cut === 0 ? "" : `, ${cut} of them cut short`;
  const counted = `${connections} connections, ${packets} packets, ${scenarios} scenarios${shortened}`;
  const parted = differences.length === 0 ? "no difference" : `${differences.length} scenarios differ`;
  return [
    ...differences.slice(0, most).map(printDifference),
    `director: IPVS of Linux ${kernel}: ${counted}: ${parted}\n`,
  ].join("");
}

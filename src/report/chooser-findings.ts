import type { Course } from "./analysis.js";
import { type Chooser, type Climb, choosersOf, climbOf, destinationsOf, slopeIfGrowing } from "./choosers.js";
import type { Cost, SchedulerRow } from "./comparison.js";
import { inMode } from "./mode.js";
import { printCount, printMean, printRatio, printTime } from "./quantity.js";
import { areTooFew, ROUNDS_MIN, type Standing, standingOf } from "./sameness.js";
import { listed, ratio, rounds } from "./wording.js";

type Rows = readonly SchedulerRow[];

/** `1 destination`, `1,000 destinations`. */
function destinations(count: number): string {
  return `${printCount(count)} ${count === 1 ? "destination" : "destinations"}`;
}

/**
 * What the rows say of schedulers, in sentences: how their costs go with the destinations, what one more adds, and how they
 * stand to the modes without schedulers. Makes no claim about differences where there were too few rounds.
 */
export function schedulerFindings(rows: Rows): readonly string[] {
  if (rows.length === 0) return [];
  if (areTooFew(rows))
    return [
      `${rounds(rows)} cannot tell a difference from a disturbance: measure with ${ROUNDS_MIN} or more.`,
    ];
  const choosers = choosersOf(rows);
  const climbs = choosers.map(climbOf).filter((one) => one !== undefined);
  const modes = choosers.filter(({ isScheduler }) => !isScheduler);
  return [
    growthFinding(climbs),
    slopeFinding(choosers),
    ...modes.map((mode) => besideFinding(mode, rows)),
  ].filter((sentence) => sentence !== undefined);
}

/** `with rr and wrr and in nftables mode` */
function wheres(choosers: readonly Chooser[]): string {
  const schedulers = choosers.filter(({ isScheduler }) => isScheduler).map(({ label }) => label);
  const modes = choosers.filter(({ isScheduler }) => !isScheduler).map(({ mode }) => inMode(mode));
  const parts = [
    ...(schedulers.length === 0 ? [] : [`with ${listed(schedulers)}`]),
    ...(modes.length === 0 ? [] : [`in ${listed(modes)}`]),
  ];
  return parts.join(" and ");
}

const VERBS: readonly (readonly [Exclude<Course, "grows">, string])[] = [
  ["level", "stays level"],
  ["open", "may have changed or not"],
  ["falls", "falls"],
];

function growthFinding(climbs: readonly Climb[]): string | undefined {
  const [first] = climbs;
  if (first === undefined) return undefined;
  const { from, to } = first;
  const span = `From ${printCount(from.destinations)} to ${destinations(to.destinations)} (${printRatio(to.destinations / from.destinations)} as many)`;
  const those = (course: Course) => climbs.filter((climb) => climb.course === course);
  const times = (climb: Climb) => climb.to.newConnection.p50 / climb.from.newConnection.p50;
  const grown = [...those("grows")].sort((a, b) => times(b) - times(a));
  const growths = grown.map(
    (one) => `${ratio(one.to.newConnection, one.from.newConnection)} ${one.chooser.where}`,
  );
  const clauses = [
    ...(growths.length === 0 ? [] : [`grows ${listed(growths)}`]),
    ...VERBS.flatMap(([course, verb]) => {
      const some = those(course).map(({ chooser }) => chooser);
      return some.length === 0 ? [] : [`${verb} ${wheres(some)}`];
    }),
  ];
  return `${span} the cost of a new connection ${clauses.join("; it ")}.`;
}

function slopeFinding(choosers: readonly Chooser[]): string | undefined {
  const found = choosers.flatMap((chooser) => {
    const slope = slopeIfGrowing(chooser);
    return slope === undefined ? [] : [{ chooser, slope }];
  });
  if (found.length === 0) return undefined;
  const rising = [...found].sort((a, b) => a.slope - b.slope);
  const costs = rising.map(
    ({ chooser, slope }) => `${printTime(slope)} ${chooser.where}${walkWords(chooser)}`,
  );
  return `To a new connection each destination more adds ${listed(costs)}.`;
}

/** How many rules more a mode walks for each endpoint more. */
function walkWords({ rows }: Chooser): string {
  const [from, to] = [rows.at(0), rows.at(-1)];
  if (from === undefined || to === undefined || to.walked <= 1.2 * from.walked) return "";
  return ` (which walks ${printMean(to.walked)} rules among ${printCount(to.destinations)} and ${printMean(from.walked)} among ${printCount(from.destinations)})`;
}

interface Peer {
  readonly label: string;
  readonly cost: Cost;
}

/** How schedulers stand to a mode that has none, at the most destinations. */
function besideFinding(mode: Chooser, rows: Rows): string | undefined {
  const count = destinationsOf(rows).at(-1);
  const own = mode.rows.find((row) => row.destinations === count)?.newConnection;
  if (count === undefined || own === undefined) return undefined;
  const peers = choosersOf(rows)
    .filter(({ isScheduler }) => isScheduler)
    .flatMap(({ label, rows: [...each] }): readonly Peer[] => {
      const cost = each.find((row) => row.destinations === count)?.newConnection;
      return cost === undefined ? [] : [{ label, cost }];
    })
    .sort((a, b) => a.cost.p50 - b.cost.p50);
  if (peers.length === 0) return undefined;
  return `Among ${destinations(count)} a new connection costs ${printTime(own.p50)} in ${inMode(mode.mode)}: ${standing(peers, own, rounds(rows))}.`;
}

/** Who costs less, the same and more, and of whom the rounds cannot tell. */
function standing(peers: readonly Peer[], own: Cost, limit: string): string {
  const those = (standing: Standing) => peers.filter(({ cost }) => standingOf(cost, own) === standing);
  const less = those("differ").filter(({ cost }) => cost.p50 < own.p50);
  const more = those("differ").filter(({ cost }) => cost.p50 > own.p50);
  const [same, unknown] = [those("same"), those("unknown")];
  const told = (some: readonly Peer[]) =>
    listed(some.map(({ label, cost }) => `${label} (${printTime(cost.p50)})`));
  const clauses = [
    ...(less.length === 0 ? [] : [`less with ${told(less)}`]),
    ...(same.length === 0 ? [] : [`the same, as far as ${limit} can tell, with ${told(same)}`]),
    ...(more.length === 0 ? [] : [`more with ${told(more)}`]),
    ...(unknown.length === 0
      ? []
      : [`${limit} are too far apart to tell whether less or more with ${told(unknown)}`]),
  ];
  return clauses.join("; ");
}

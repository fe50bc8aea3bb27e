import { type Course, courseOf } from "./analysis.js";
import type { SchedulerRow } from "./comparison.js";
import { inMode, modeName, modeStyle } from "./mode.js";
import { slopeOf } from "./statistics.js";

type Rows = readonly SchedulerRow[];

/** Ways of choosing that have something in common. */
export interface Manner {
  /** Behind «schedulers that», or what has no schedulers. */
  readonly title: string;
  /** Number of its colour, marker and dash. */
  readonly style: number;
}

const RULES = { title: "Modes without schedulers" };
const MANNERS: readonly (Manner & { readonly schedulers: readonly string[] })[] = [
  { title: "Schedulers that take turns", style: 1, schedulers: ["rr", "wrr"] },
  { title: "Schedulers that hash addresses", style: 3, schedulers: ["sh", "dh", "mh"] },
  { title: "Schedulers that go by weight", style: 5, schedulers: ["fo", "ovf"] },
  {
    title: "Schedulers that count connections",
    style: 4,
    schedulers: ["lc", "wlc", "sed", "nq", "twos", "lblc", "lblcr"],
  },
];
const OTHERS: Manner = { title: "Other schedulers", style: 1 };

/** One way of choosing an endpoint: a mode that has no schedulers, or a scheduler of IPVS. */
export interface Chooser {
  /** As tables have it: `iptables`, `ipvs lc`. */
  readonly name: string;
  /** As charts have it: `iptables`, `lc`. */
  readonly label: string;
  /** In a sentence: `in iptables mode`, `with lc`. */
  readonly where: string;
  readonly mode: string;
  readonly isScheduler: boolean;
  readonly manner: Manner;
  /** Destinations ascending. */
  readonly rows: Rows;
}

function mannerOf(mode: string, scheduler: string | null): Manner {
  if (scheduler === null) return { ...RULES, style: modeStyle(mode, []) };
  return MANNERS.find(({ schedulers }) => schedulers.includes(scheduler)) ?? OTHERS;
}

function chooserOf(rows: readonly [SchedulerRow, ...SchedulerRow[]]): Chooser {
  const [{ mode, scheduler }] = rows;
  const isScheduler = scheduler !== null;
  return {
    name: isScheduler ? `${mode} ${scheduler}` : mode,
    label: scheduler ?? modeName(mode),
    where: isScheduler ? `with ${scheduler}` : `in ${inMode(mode)}`,
    mode,
    isScheduler,
    manner: mannerOf(mode, scheduler),
    rows: [...rows].sort((a, b) => a.destinations - b.destinations),
  };
}

const rankOf = ({ manner: { title } }: Chooser) =>
  [RULES, ...MANNERS, OTHERS].findIndex((one) => one.title === title);

/** Those of the rows: first the modes without schedulers, then schedulers of one manner together. */
export function choosersOf(rows: Rows): readonly Chooser[] {
  const found = new Map<string, [SchedulerRow, ...SchedulerRow[]]>();
  for (const row of rows) {
    const key = `${row.mode} ${row.scheduler}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [row]);
    else known.push(row);
  }
  return [...found.values()].map(chooserOf).sort((a, b) => rankOf(a) - rankOf(b));
}

/** The numbers of destinations measured, ascending. */
export function destinationsOf(rows: Rows): readonly number[] {
  return [...new Set(rows.map(({ destinations }) => destinations))].sort((a, b) => a - b);
}

/** From the fewest destinations to the most. */
export interface Climb {
  readonly chooser: Chooser;
  readonly from: SchedulerRow;
  readonly to: SchedulerRow;
  readonly course: Course;
  /** What a destination more adds, ns: the slope over all numbers of them. */
  readonly slope: number;
}

/** How the cost of a way of choosing goes; undefined where it was measured at one number of destinations. */
export function climbOf(chooser: Chooser): Climb | undefined {
  const { rows } = chooser;
  const [from, to] = [rows.at(0), rows.at(-1)];
  const slope = slopeOf(rows.map((row) => ({ x: row.destinations, y: row.newConnection.p50 })));
  if (from === undefined || to === undefined || slope === undefined) return undefined;
  return { chooser, from, to, course: courseOf(from.newConnection, to.newConnection), slope };
}

/** What a destination more adds, ns, where the cost grows with them; undefined elsewhere. */
export function slopeIfGrowing(chooser: Chooser): number | undefined {
  const climb = climbOf(chooser);
  return climb?.course === "grows" && climb.slope > 0 ? climb.slope : undefined;
}

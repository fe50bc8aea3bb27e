import { median, spreadOf } from "../../src/report/statistics.js";
import type { Case } from "./scenario.js";
import type { Variant } from "./side.js";

/** A line of the result: packetyard beside one peer. Times are ns for one key or packet. */
export interface Row {
  readonly work: string;
  readonly keys: string;
  readonly ours_ns: number;
  readonly peer: string;
  readonly peer_ns: number;
  /** ours_ns / peer_ns: below 1, packetyard is faster. */
  readonly ratio: number;
  readonly rounds: number;
  /** The lowest and the highest ratio of a round. */
  readonly spread: readonly [number, number];
  readonly goal?: number;
}

/** A row for which the machine lacks something. */
export interface MissingRow {
  readonly work: string;
  readonly keys: string;
  readonly lacks: string;
}

/** What one run of `bench:native` found: the content of its JSON file. */
export interface NativeReport {
  readonly machine: string;
  readonly rows: readonly Row[];
  readonly missing: readonly MissingRow[];
  /** Sentences about rows that were not measured. */
  readonly skipped: readonly string[];
}

/** A variant's times, one a round. */
export interface Timed extends Variant {
  readonly ns: readonly number[];
}

const PRECISION = 1000;
const rounded = (value: number) => Math.round(value * PRECISION) / PRECISION;

/** The name of the group whose best the goal is about: the others are told beside it. */
const BESIDE = ["prefetch", "one"];

/** A row for each group of peers: the best of it, by the median of its rounds, beside ours. */
export function rowsOf(one: Case, ours: readonly number[], peers: readonly Timed[]): readonly Row[] {
  const groups = [...new Set(peers.map(({ group }) => group))];
  return groups.map((group) => {
    const rivals = peers.filter((peer) => peer.group === group);
    const best = rivals.reduce((left, right) => (median(right.ns) < median(left.ns) ? right : left));
    const [oursNs, peerNs] = [rounded(median(ours)), rounded(median(best.ns))];
    const [low, high] = spreadOf(ours.map((ns, round) => ns / (best.ns[round] as number)));
    return {
      work: one.work,
      keys: one.keys,
      ours_ns: oursNs,
      peer: best.name,
      peer_ns: peerNs,
      ratio: rounded(oursNs / peerNs),
      rounds: ours.length,
      spread: [rounded(low), rounded(high)],
      ...(one.goal === undefined || BESIDE.includes(group) ? {} : { goal: one.goal }),
    };
  });
}

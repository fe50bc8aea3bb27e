import type { Scenario } from "./scenario.js";

/** A packet as octets in hexadecimal, at a wire of the director's node. */
export interface RecordedPacket {
  readonly way: string;
  readonly frame: string;
}

/** When something happened, and what could be seen of it; times are milliseconds. */
interface Moment {
  readonly step: number;
  readonly at: number;
  /** When /proc/net/ip_vs was read, a timer tick later where something was to end; undefined: other packets came first. */
  readonly looked?: number;
  /** What it held, where it was not as it was before. */
  readonly servers?: readonly string[];
}

/** What was done to a director in the kernel, and what it did. */
export type Happening = Moment &
  (
    | {
        readonly do: "packet";
        readonly packet: RecordedPacket;
        /** What it gave out at once. */
        readonly out: readonly RecordedPacket[];
      }
    /** Steps' changes, and what ipvsadm complained of. */
    | { readonly do: "change"; readonly said: readonly string[] }
    /** /proc/net/ip_vs_conn */
    | { readonly do: "look"; readonly connections: readonly string[] }
  );

export interface RecordedListing {
  readonly option: "thresholds" | "stats" | "persistent-conn";
  readonly at: number;
  readonly lines: readonly string[];
}

/** A scenario as a kernel played it. */
export interface Recording {
  /** Its release. */
  readonly kernel: string;
  readonly scenario: Scenario;
  readonly happenings: readonly Happening[];
  /** Of the end: `ipvsadm -Ln` with these options; none where it was not played to the end. */
  readonly listings: readonly RecordedListing[];
  /** Why it was not, if it was not: what is there is as good as it would be of a shorter scenario. */
  readonly cut?: string;
}

/** Talks of which packets were seen. */
export function talksOf({ scenario: { steps }, happenings }: Recording): number {
  const talks = happenings.flatMap(({ step }) => {
    const done = steps[step];
    return done !== undefined && "talk" in done ? [done.talk] : [];
  });
  return new Set(talks).size;
}

import type { Scenario } from "./scenario.js";

/** A packet as octets in hexadecimal, at a wire of the director's node. */
export interface RecordedPacket {
  readonly way: string;
  readonly frame: string;
}

/** What was done to a director in the kernel, and what it did. */
export type Happening =
  | {
      readonly do: "packet";
      readonly step: number;
      readonly at: number;
      readonly packet: RecordedPacket;
      /** What it gave out at once. */
      readonly out: readonly RecordedPacket[];
      /** /proc/net/ip_vs, where it is not as it was before. */
      readonly servers?: readonly string[];
      /** Other packets came before anybody could look at /proc/net/ip_vs. */
      readonly isPassing?: boolean;
    }
  | {
      readonly do: "change";
      readonly step: number;
      readonly at: number;
      /** What ipvsadm complained of. */
      readonly said: readonly string[];
      readonly servers?: readonly string[];
    }
  | {
      readonly do: "look";
      readonly step: number;
      readonly at: number;
      /** /proc/net/ip_vs_conn */
      readonly connections: readonly string[];
      readonly servers?: readonly string[];
    };

export interface RecordedListing {
  readonly option: "thresholds" | "stats" | "persistent-conn";
  readonly lines: readonly string[];
}

/** A scenario as a kernel played it. */
export interface Recording {
  /** Its release. */
  readonly kernel: string;
  readonly scenario: Scenario;
  readonly happenings: readonly Happening[];
  /** Of the end: `ipvsadm -Ln` with these options. */
  readonly listings: readonly RecordedListing[];
  /** A packet came at a moment at which it cannot be told what it has met. */
  readonly isDisturbed: boolean;
}

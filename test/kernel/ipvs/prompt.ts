import type { Scenario } from "./scenario.js";

/**
 * Timers of a kernel are late by an eighth of their time at most, and a machine's are not. So between packets of a
 * scenario no timer may run out but in the times in which nothing happens: this is how fast it has to be played.
 */

/** What is said to nobody is soon forgotten: an SCTP association that a client has asked for, after four seconds. */
const SCTP_MS = 3_900;
/** A connection that an ICMP error began, after three. */
const QUOTED_MS = 2_900;
/** A TCP connection that was reset, after ten. */
const OTHER_MS = 9_500;
/** Between waits, where connections live for two seconds and for four. */
const TIMED_MS = 700;
/** The kernel adds its statistics up every two seconds. */
export const STATISTICS_MS = 2_100;
/** The setting by which errors begin connections. */
export const SCHEDULES_ERRORS = "net.ipv4.vs.schedule_icmp";
/** So much longer than it should a wait may be. */
const SLACK_MS = 150;

function limitOf({ talks, timeouts, sysctls }: Scenario): number {
  if (timeouts !== undefined) return TIMED_MS;
  if (sysctls[SCHEDULES_ERRORS] === 1) return QUOTED_MS;
  return talks.some(({ protocol }) => protocol === "SCTP") ? SCTP_MS : OTHER_MS;
}

/** Says whether a scenario is played fast enough that no timer can have run out where it should not. */
export class Watch {
  readonly #limit: number;
  #began: number | undefined;

  constructor(scenario: Scenario) {
    this.#limit = limitOf(scenario);
  }

  /** Something has happened at a time (milliseconds): whether that is too late. */
  isLate(at: number): boolean {
    this.#began ??= at;
    return at - this.#began >= this.#limit;
  }

  /** A wait of so many milliseconds took so many: whether those are too many. */
  waited(milliseconds: number, took: number): boolean {
    this.#began = undefined;
    return took > milliseconds + SLACK_MS;
  }
}

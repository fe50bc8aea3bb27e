import type { Recording } from "./recording.js";
import type { Scenario } from "./scenario.js";

/**
 * Timers of a kernel are late by an eighth of their time at most, and a machine's are not. So between packets of a
 * scenario no timer may run out but in the times in which nothing happens: this is how fast it has to be played.
 */

/** What is said to nobody is soon forgotten: an SCTP association that a client has asked for, after four seconds. */
const SCTP_MS = 3_900;
/** A TCP connection that was reset, after ten. */
const OTHER_MS = 9_500;
/** Between waits, where connections live for two seconds and for four. */
const TIMED_MS = 700;

/** What was done without a wait took so long at most. */
function longest({ happenings, scenario }: Recording): number {
  let began = happenings[0]?.at ?? 0;
  let longest = 0;
  let last = 0;
  for (const { step, at } of happenings) {
    const hasWaited = scenario.steps.slice(last, step).some((between) => between.do === "wait");
    if (hasWaited) began = at;
    longest = Math.max(longest, at - began);
    last = step;
  }
  return longest;
}

function limitOf({ talks, timeouts }: Scenario): number {
  if (timeouts !== undefined) return TIMED_MS;
  return talks.some(({ protocol }) => protocol === "SCTP") ? SCTP_MS : OTHER_MS;
}

/** Whether no timer can have run out where it should not, and every packet has its place. */
export function isPrompt(recording: Recording): boolean {
  return !recording.isDisturbed && longest(recording) < limitOf(recording.scenario);
}

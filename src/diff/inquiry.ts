import type { Batch } from "../engine/batch.js";
import { Engine } from "../engine/engine.js";
import type { Outcome } from "../explore/outcome.js";
import { walkedRules } from "../explore/walked.js";
import { printHostPort } from "../net/port.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { chainNumbered } from "../trace/numbering.js";
import { type Answer, answerOf } from "./answer.js";
import type { Question } from "./question.js";

/** Of a question one is open at a time; each is asked on a copy of them all. */
const CONNECTIONS = 63;
/** Ways of one packet that are tried. */
const WAYS = 1 << 20;
/** Those that choose one and the same of the endpoints that others draw. */
const HASHING: readonly string[] = ["sh", "dh", "mh", "fo"];

/** One side as it is asked. */
export interface Respondent {
  /** 0 for A, 1 for B. */
  readonly index: 0 | 1;
  readonly ruleset: Ruleset;
  readonly engine: Engine;
  /** Of the engine, for one packet. */
  readonly slot: Batch;
  readonly hashes: boolean;
}

export async function respondentOf(ruleset: Ruleset, index: 0 | 1): Promise<Respondent> {
  const engine = await Engine.load(ruleset, { connections: CONNECTIONS, fragments: 0 });
  const hashes = ruleset.ipvs?.servers.some(({ scheduler }) => HASHING.includes(scheduler)) ?? false;
  return { index, ruleset, engine, slot: engine.batch(1), hashes };
}

/** Whether a rule of the table filter accepted the packet. */
function isAccepted({ records }: Outcome, { engine }: Respondent): boolean {
  return walkedRules(records, engine.numbering).some(
    ({ table, text }) => table.endsWith("filter") && / -j ACCEPT\b/.test(` ${text}`),
  );
}

/** The line of the last rule that a packet met, where it was read from a file. */
function lastLine({ records }: Outcome, { engine }: Respondent): number | undefined {
  const last = records.findLast(({ event }) => event === "RULE");
  const rule = last === undefined ? undefined : chainNumbered(engine.numbering, last.a).rules[last.b];
  return rule !== undefined && "line" in rule ? rule.line : undefined;
}

/** The interface that a question's packet comes in by. */
export function ifaceOf({ sent }: Question, { index, engine }: Respondent): string | undefined {
  const number = engine.interfaceNumber(sent[index].frame);
  return number === 0 ? undefined : engine.numbering.interfaces[number - 1]?.name;
}

/** What a side makes of a packet; `now` in milliseconds. */
export function ask({ sent, target }: Question, side: Respondent, now = 0): Answer {
  const outcomes = side.engine.explore(sent[side.index].frame, { now, limit: WAYS, lends: true });
  const isNamed =
    target.place === "healthCheckNodePort" && outcomes.every((outcome) => isAccepted(outcome, side));
  return answerOf(outcomes, {
    isNamed,
    isDamaged: target.kind.isDamaged,
    lineOf: (outcome) => lastLine(outcome, side),
  });
}

/** One way of a question's packet to an endpoint; undefined where there is none. */
export function wayToEndpoint(
  { sent }: Question,
  { index, engine }: Respondent,
  now: number,
): Outcome | undefined {
  const outcomes = engine.explore(sent[index].frame, { now, limit: WAYS });
  return outcomes.find(({ destination }) => destination !== undefined);
}

/** What leads a question's packet to each of its endpoints, `10.244.1.9:8080`, for engine.follow. */
export function choicesByEndpoint(
  { sent }: Question,
  { index, engine }: Respondent,
  now: number,
): ReadonlyMap<string, readonly number[]> {
  const outcomes = engine.explore(sent[index].frame, { now, limit: WAYS, lends: true });
  const through = outcomes.flatMap(({ destination, choices }) =>
    destination === undefined
      ? []
      : [[printHostPort(destination.address, destination.port), choices] as const],
  );
  return new Map(through);
}

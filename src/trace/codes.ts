import * as traceAbi from "../../assembly/abi/trace.js";
import * as verdictAbi from "../../assembly/abi/verdict.js";

/** The rest of every name in a module that begins with a prefix: the ABI's names are the only list. */
type NamesOf<M, P extends string> = { [K in keyof M]: K extends `${P}_${infer N}` ? N : never }[keyof M];

export type VerdictName = NamesOf<typeof verdictAbi, "VERDICT">;
export type DropReason = NamesOf<typeof verdictAbi, "DROP">;
export type EventName = NamesOf<typeof traceAbi, "EVENT">;

function namesByCode(module: Readonly<Record<string, number>>, prefix: string): ReadonlyMap<number, string> {
  const names = Object.entries(module).filter(([name]) => name.startsWith(prefix));
  return new Map(names.map(([name, code]) => [code, name.slice(prefix.length)]));
}

const VERDICTS = namesByCode(verdictAbi, "VERDICT_") as ReadonlyMap<number, VerdictName>;
const REASONS = namesByCode(verdictAbi, "DROP_") as ReadonlyMap<number, DropReason>;
const EVENTS = namesByCode(traceAbi, "EVENT_") as ReadonlyMap<number, EventName>;

/** Of a verdict column's word: the low octet. */
export function verdictName(word: number): VerdictName {
  return VERDICTS.get(word & 0xff) ?? "NONE";
}

/** Of a verdict column's word: the second octet. */
export function dropReason(word: number): DropReason {
  return REASONS.get((word >>> 8) & 0xff) ?? "NONE";
}

export function eventName(code: number): EventName | undefined {
  return EVENTS.get(code);
}

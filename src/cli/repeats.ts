import type { Command, Option } from "commander";
import { UsageError } from "./errors.js";

/** How often an option may have been given, to judge by what was made of it. */
function mostOf(command: Command, option: Option): number {
  if (option.isBoolean()) return Number.POSITIVE_INFINITY;
  const value: unknown = command.getOptionValue(option.attributeName());
  return Array.isArray(value) ? value.length : 1;
}

/** Refuses an option of one value that is given twice: which of the two is meant nobody can tell. */
export function refuseRepeats(command: Command): Command {
  const given = new Map<Option, number>();
  for (const option of command.options)
    command.on(`option:${option.name()}`, () => given.set(option, (given.get(option) ?? 0) + 1));
  return command.hook("preAction", () => {
    for (const [option, times] of given) {
      if (times <= mostOf(command, option)) continue;
      throw new UsageError(`--${option.name()} takes one value, and is given ${times} times: give it once.`);
    }
  });
}

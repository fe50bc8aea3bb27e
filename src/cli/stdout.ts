import { UsageError } from "./errors.js";

/** What `--write` calls stdout. */
export const STDOUT = "-";

/** Binary data in a terminal only breaks it: UsageError where `what` would be printed to one. */
export function refuseTerminal(what: string): void {
  if (process.stdout.isTTY !== true) return;
  throw new UsageError(`${what} is binary and not for a terminal: give --write FILE, or redirect it.`);
}

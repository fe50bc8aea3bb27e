import { CommanderError } from "commander";
import { InputError, printDiagnostic } from "../index.js";
import { printToStderr } from "./output.js";
import { paint } from "./paint.js";

/** The command line asks for what cannot be asked for; the message is one sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const EXIT_INPUT = 1;
const EXIT_USAGE = 2;

/** One sentence a line, each behind `error:`. */
function printErrors(messages: readonly string[]): void {
  const label = paint("red", "error:", process.stderr);
  printToStderr(messages.map((message) => `${label} ${message}\n`).join(""));
}

/**
 * Says on stderr what went wrong and gives the exit code: 1 where the input is bad, 2 where the command line is.
 * Commander has said its own errors already; anything not foreseen is a bug and shows its stack.
 */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof InputError) {
    printErrors(error.diagnostics.map(printDiagnostic));
    return EXIT_INPUT;
  }
  if (error instanceof UsageError) {
    printErrors([error.message]);
    return EXIT_USAGE;
  }
  printErrors(["this is a bug of packetyard; please report it with the input and these lines:"]);
  printToStderr(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT_INPUT;
}

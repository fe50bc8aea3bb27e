import { CommanderError } from "commander";
import { type Diagnostic, InputError, printDiagnostic } from "../index.js";
import { saysAll, shapeOf } from "./diagnostic-printer.js";
import { printToStderr } from "./output.js";
import { paint } from "./paint.js";

/** The command line asks for what cannot be asked for; the message is one sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Of errors that say one sentence so many are said. */
const TOLD = 10;
const EXIT_INPUT = 1;
const EXIT_USAGE = 2;

/** One sentence a line, each behind `error:`. */
function printErrors(messages: readonly string[]): void {
  const label = paint("red", "error:", process.stderr);
  printToStderr(messages.map((message) => `${label} ${message}\n`).join(""));
}

/** Of errors that say one sentence, as of every line of another kind of file, the first ones, and how many more there are. */
function fewOfEach(diagnostics: readonly Diagnostic[]): readonly string[] {
  const counts = new Map<string, { readonly message: string; count: number }>();
  const told = diagnostics.filter(({ message }) => {
    const kind = counts.get(shapeOf(message)) ?? { message, count: 0 };
    counts.set(shapeOf(message), kind);
    kind.count++;
    return saysAll() || kind.count <= TOLD;
  });
  const left = [...counts.values()].filter(({ count }) => !saysAll() && count > TOLD);
  return [
    ...told.map(printDiagnostic),
    ...left.map(({ message, count }) => `… and ${count - TOLD} more like it (-v shows all): ${message}`),
  ];
}

/**
 * Says on stderr what went wrong and gives the exit code: 1 where the input is bad, 2 where the command line is.
 * Commander has said its own errors already; anything not foreseen is a bug and shows its stack.
 */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof InputError) {
    printErrors(fewOfEach(error.diagnostics));
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

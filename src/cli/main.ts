#!/usr/bin/env node
import { Command } from "commander";
import { assessCommand } from "./commands/assess.js";
import { compareCommand } from "./commands/compare.js";
import { compileCommand } from "./commands/compile.js";
import { diffCommand } from "./commands/diff.js";
import { runCommand } from "./commands/run.js";
import { traceCommand } from "./commands/trace.js";
import { sayHiddenNotes, sayMoreLikeIt } from "./diagnostic-printer.js";
import { reportError, UsageError } from "./errors.js";
import { packageVersion } from "./package.js";
import { refuseRepeats } from "./repeats.js";
import { systemReason } from "./system-reason.js";

const EXIT_CODES = `
Exit codes: 0 when all went well, 1 when the input is bad, 2 when the command line is;
diff has its own, those of diff(1).
Data goes to stdout, what is said about it to stderr; NO_COLOR turns colours off.
`;

function buildProgram(): Command {
  const program = new Command("packetyard")
    .description("Compile a Kubernetes cluster for a node, and run packets through it.")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError("(see --help)")
    .addHelpText("after", EXIT_CODES);
  const commands = [
    compareCommand(),
    compileCommand(),
    traceCommand(),
    diffCommand(),
    assessCommand(),
    runCommand(),
  ];
  for (const command of commands) {
    program.addCommand(refuseRepeats(command.copyInheritedSettings(program)));
  }
  return program;
}

/** A reader that has seen enough (`| head`) closes the pipe: no error. A disk that is full is one: what is there is cut. */
function endOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  const code = reportError(new UsageError(`stdout: cannot be written: ${systemReason(error)}.`));
  process.exit(code);
}

process.stdout.on("error", endOutput);
process.stderr.on("error", () => process.exit(process.exitCode ?? 0));
try {
  await buildProgram().parseAsync();
  sayMoreLikeIt();
  sayHiddenNotes();
} catch (error) {
  sayMoreLikeIt();
  process.exitCode = reportError(error);
}

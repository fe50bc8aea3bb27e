import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./shell.js";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** Where one of this folder's files stands that is no TypeScript, also where the text runs compiled. */
export const fileBeside = (name: string): string => `${FOLDER.replace("/build/kernel/", "/")}${name}`;

const changedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Programs in C, by where they stand from here. */
export type NativeProgram = "sender" | "listener" | "../ipvs/player" | "../ipvs/sockets";

/** Compiles one of the programs in C, unless that was done since it was changed; its path. */
export function buildProgram(name: NativeProgram): string {
  const [source, program] = [fileBeside(`${name}.c`), `${FOLDER}${name}`];
  if (changedAt(program) < changedAt(source)) {
    run([{ program: "cc", words: ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source] }]);
  }
  return program;
}

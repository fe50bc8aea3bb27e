import { fileURLToPath } from "node:url";
import { call } from "./shell.js";

/** This folder, also where the text runs compiled. */
function sourceFolder(): string {
  const here = fileURLToPath(import.meta.url);
  return here.slice(0, here.lastIndexOf("/")).replace("/build/kernel/", "/");
}

/** Where one of this folder's files stands that is no TypeScript. */
export const fileBeside = (name: string): string => `${sourceFolder()}/${name}`;

/** Compiles one of the programs in C into a folder; its path. */
export function buildProgram(name: "sender" | "listener", folder: string): string {
  const program = `${folder}/${name}`;
  call("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, fileBeside(`${name}.c`)]);
  return program;
}

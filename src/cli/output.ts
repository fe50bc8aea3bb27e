import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../index.js";
import { printYaml } from "../io/print-yaml.js";
import { systemReason } from "./system-reason.js";

/** Data goes to stdout. */
export function printToStdout(data: string | Uint8Array): void {
  process.stdout.write(data);
}

/** What is said about the data goes to stderr. */
export function printToStderr(text: string): void {
  process.stderr.write(text);
}

/** Plain data for programs, as text. */
export function structured(value: unknown, format: "json" | "yaml"): string {
  return format === "json" ? `${JSON.stringify(value, undefined, 2)}\n` : printYaml(value);
}

/** Prints plain data for programs. */
export function printStructured(value: unknown, format: "json" | "yaml"): void {
  printToStdout(structured(value, format));
}

export function printNote(message: string): void {
  printToStderr(`note: ${message}\n`);
}

/** Where a path leads, links followed; undefined where nothing is yet. */
function existing(path: string): { readonly path: string; readonly isFile: boolean } | undefined {
  try {
    return { path: realpathSync(path), isFile: statSync(path).isFile() };
  } catch {
    return undefined;
  }
}

/** Whether two paths lead to one file that is there. */
export function isSameFile(one: string, other: string): boolean {
  const path = existing(one)?.path;
  return path !== undefined && path === existing(other)?.path;
}

/** InputError where the folder that a file is to stand in is missing. */
export function checkFolder(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  const message = `cannot be written: there is no folder ${folder}; make it first.`;
  throw new InputError([{ severity: "error", place: { file: path }, message }]);
}

function writeBeside(path: string, data: string | Uint8Array): void {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    const file = openSync(draft, "w");
    try {
      writeFileSync(file, data);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Writes a file whole or not at all: into a draft beside it, which then takes its name. What is no regular file
 * (a device, a pipe) is written to as it is. InputError that names the path where it cannot be written.
 */
export function writeWhole(path: string, data: string | Uint8Array): void {
  checkFolder(path);
  const old = existing(path);
  try {
    if (old !== undefined && !old.isFile) writeFileSync(path, data);
    else writeBeside(old?.path ?? path, data);
  } catch (error) {
    const message = `cannot be written: ${systemReason(error)}.`;
    throw new InputError([{ severity: "error", place: { file: path }, message }]);
  }
}

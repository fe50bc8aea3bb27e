import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAIN = resolve("dist/src/cli/main.js");

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the built command as a shell would, without a terminal. */
export function packetyard(args: readonly string[], input: string | Uint8Array = ""): Outcome {
  const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { stdout, stderr, code: status };
}

/** Lends an empty folder for the length of a call. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "packetyard-cli-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Everything in a folder, hidden files too. */
export function contentOf(folder: string): readonly string[] {
  return readdirSync(folder).sort();
}

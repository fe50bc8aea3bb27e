import { spawnSync } from "node:child_process";

/**
 * Runs a shell script in a network namespace of its own, which ends with it. Returns what it printed; throws
 * with what it complained of where it fails.
 */
export function inNamespace(script: string, input = ""): string {
  const done = spawnSync("unshare", ["--net", "sh", "-ec", script], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`«${script}» failed: ${done.stderr}`);
  return done.stdout;
}

/** Why the script cannot run here, for the name of a skipped test; undefined where it can. */
export function cannotRun(script: string): string | undefined {
  try {
    inNamespace(script);
    return undefined;
  } catch (error) {
    return `skipped, needs root and the tools: ${String(error).split("\n")[0]}`;
  }
}

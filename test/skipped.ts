import { it } from "vitest";

/** One skipped test in place of those over a folder's files where it has none: `it.each([])` would leave no trace. */
export function skipWithout(files: readonly unknown[], folder: string): void {
  if (files.length === 0) it.skip(`skipped: nothing to read in the folder ${folder}; set PACKETYARD_SHARED`);
}

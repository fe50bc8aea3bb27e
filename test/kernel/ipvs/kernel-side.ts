import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { runInUml } from "../judge/user-mode-linux.js";
import type { Recording } from "./recording.js";
import type { Scenario } from "./scenario.js";

/** Has user-mode Linux play scenarios, each to a director of its own. Error where one cannot be played. */
export async function recordInUml(
  scenarios: readonly Scenario[],
  say: (line: string) => void,
): Promise<readonly Recording[]> {
  const folder = mkdtempSync(`${tmpdir()}/packetyard-scenarios-`);
  try {
    const file = `${folder}/scenarios.json`;
    writeFileSync(file, JSON.stringify(scenarios));
    const program = fileURLToPath(new URL("./inside.js", import.meta.url));
    const { status, output } = await runInUml([process.execPath, program, file], say);
    if (status !== 0) throw new Error(`In user-mode Linux the scenarios ended with status ${status}.`);
    return output
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Recording);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

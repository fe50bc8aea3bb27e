import { readFileSync } from "node:fs";
import { play } from "./play.js";
import { isPrompt } from "./prompt.js";
import type { Scenario } from "./scenario.js";
import { Stand } from "./stand.js";

/**
 * Runs in user-mode Linux: plays the scenarios of a JSON file, and writes recordings to standard output, a line each. One
 * that the machine was too busy for is played again, and in the end left out.
 */

const TRIES = 4;

const scenarios = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as readonly Scenario[];
let stands = 0;
const raise = () => new Stand(`director-${stands++}`, scenarios);
let stand = raise();

/** What a kernel has forgotten of a scenario is not seen: one that is played again is played elsewhere. */
function raiseAgain(): void {
  stand.fell();
  stand = raise();
}

async function playPromptly(scenario: Scenario): Promise<void> {
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0 || !(await stand.clear(scenario))) raiseAgain();
    if (tried > 0) await stand.clear(scenario);
    const recording = await play(scenario, stand);
    if (!isPrompt(recording)) continue;
    process.stdout.write(`${JSON.stringify(recording)}\n`);
    return;
  }
}

for (const scenario of scenarios) await playPromptly(scenario);
stand.fell();

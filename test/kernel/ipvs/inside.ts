import { readFileSync } from "node:fs";
import { play } from "./play.js";
import { isPrompt } from "./prompt.js";
import type { Scenario } from "./scenario.js";
import { Stand } from "./stand.js";

/**
 * Runs in user-mode Linux: plays the scenarios of a JSON file, and writes recordings to standard output, a line each. One
 * that the machine was too busy for is played again, and in the end left out.
 */

const TRIES = 2;

const scenarios = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as readonly Scenario[];
let stands = 0;
const standing = new Map<boolean, Stand>();

/**
 * A stand of the kind that a scenario needs; a new one where what a kernel has not forgotten might be in its way, as
 * sockets that go on saying what was not answered.
 */
function standFor({ hasSockets = false }: Scenario, isNew: boolean): Stand {
  const known = standing.get(hasSockets);
  if (known !== undefined && !isNew && !hasSockets) return known;
  known?.fell();
  const stand = new Stand(`director-${stands++}`, scenarios, hasSockets);
  standing.set(hasSockets, stand);
  return stand;
}

async function readyFor(scenario: Scenario, isNew: boolean): Promise<Stand> {
  const stand = standFor(scenario, isNew);
  return (await stand.clear(scenario)) ? stand : readyFor(scenario, true);
}

async function playPromptly(scenario: Scenario): Promise<void> {
  for (let tried = 0; tried < TRIES; tried++) {
    const recording = await play(scenario, await readyFor(scenario, tried > 0));
    if (isPrompt(recording)) {
      process.stdout.write(`${JSON.stringify(recording)}\n`);
      return;
    }
    console.error(`${scenario.name}: the machine was too busy for it`);
  }
}

for (const scenario of scenarios) await playPromptly(scenario);
for (const stand of standing.values()) stand.fell();

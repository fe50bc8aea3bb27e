import { readFileSync } from "node:fs";
import { play } from "./play.js";
import type { Recording } from "./recording.js";
import type { Scenario } from "./scenario.js";
import { Stand } from "./stand.js";

/**
 * Runs in user-mode Linux: plays the scenarios of a JSON file, and writes recordings to standard output, a line each. One
 * that the machine was too busy for is played again, and in the end told as far as it went.
 */

const TRIES = 2;

const scenarios = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as readonly Scenario[];
let stands = 0;
const standing = new Map<boolean, Stand>();

/**
 * A stand of the kind that a scenario needs; a new one where what a kernel has not forgotten might be in its way, as
 * sockets that go on saying what was not answered.
 */
async function standFor({ hasSockets = false }: Scenario, isNew: boolean): Promise<Stand> {
  const known = standing.get(hasSockets);
  if (known !== undefined && !isNew && !hasSockets) return known;
  known?.fell();
  const stand = await Stand.raise(`director-${stands++}`, scenarios, hasSockets);
  standing.set(hasSockets, stand);
  return stand;
}

async function readyFor(scenario: Scenario, isNew: boolean): Promise<Stand> {
  const stand = await standFor(scenario, isNew);
  return (await stand.clear(scenario)) ? stand : readyFor(scenario, true);
}

/** Of two recordings the one that goes on for longer. */
const longerOf = (one: Recording | undefined, other: Recording): Recording =>
  one !== undefined && one.happenings.length >= other.happenings.length ? one : other;

const isEnough = ({ cut, happenings, scenario }: Recording) =>
  cut === undefined || 2 * happenings.length > scenario.steps.length;

async function playPromptly(scenario: Scenario): Promise<void> {
  let best: Recording | undefined;
  for (let tried = 0; tried < TRIES && (best === undefined || !isEnough(best)); tried++) {
    const recording = await play(scenario, await readyFor(scenario, tried > 0));
    if (recording.cut !== undefined) console.error(`${scenario.name} is cut short: ${recording.cut}`);
    best = longerOf(best, recording);
  }
  process.stdout.write(`${JSON.stringify(best)}\n`);
}

for (const scenario of scenarios) await playPromptly(scenario);
for (const stand of standing.values()) stand.fell();

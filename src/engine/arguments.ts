/** What callers hand to an engine is checked here, since the machine takes any number for an unsigned one. */

import { expectArgument, expectOptions, isObject } from "../arguments.js";
import type { EngineOptions } from "./options.js";
import type { StateOptions } from "./state.js";

const CONNECTIONS_DEFAULT = 65_535;
const CONNECTIONS_MAX = 4_194_303;
const FRAGMENTS_DEFAULT = 512 * 1024;
const FRAGMENTS_MAX = 2 ** 30;
const SEED_MAX = 2n ** 64n - 1n;

/** RangeError unless it is a whole number in the range. */
export function expectInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${name}: ${String(value)} is not a whole number from ${min} to ${max}.`);
}

/** TypeError unless it is octets. */
export function expectFrame(frame: unknown): asserts frame is Uint8Array {
  if (frame instanceof Uint8Array) return;
  throw new TypeError("A frame is a Uint8Array of its octets, as tcp(), udp() and frame() make it.");
}

/** TypeError unless it looks like a ruleset, or the octets of a saved engine. */
export function expectSource(source: unknown): void {
  if (source instanceof Uint8Array) return;
  const isRuleset = isObject(source) && Array.isArray(source.interfaces) && Array.isArray(source.routes);
  const give = "what compile() answers, or the Uint8Array of engine.save()";
  expectArgument(isRuleset, source, "what Engine.load() loads", give);
  const { sysctls = {} } = source as { readonly sysctls?: unknown };
  expectArgument(isObject(sysctls), sysctls, "sysctls", "numbers by the kernel's names of its settings");
}

/** TypeError unless it is a list of steps, each with its kind. */
export function expectSteps(change: unknown): void {
  if (!Array.isArray(change)) throw new TypeError("A change is a list of steps (RulesetChange).");
  const wrong = change.findIndex((step) => typeof step?.kind !== "string");
  if (wrong >= 0) throw new TypeError(`Step ${wrong + 1} of the change has no kind: see RulesetStep.`);
}

/** RangeError unless it is a time that the machine can keep. */
export function expectNow(now: number): void {
  if (typeof now === "number" && now >= 0 && now <= Number.MAX_SAFE_INTEGER) return;
  throw new RangeError(`now: ${String(now)} is not a number of milliseconds, 0 or more.`);
}

/** A seed as 64 bits; TypeError for what is no number, RangeError for one that is not whole or does not fit. */
function seedOf(seed: number | bigint): bigint {
  if (typeof seed !== "number" && typeof seed !== "bigint") {
    throw new TypeError(`seed: «${String(seed)}» is not a number or bigint.`);
  }
  const isWhole = typeof seed === "bigint" || Number.isSafeInteger(seed);
  if (isWhole && seed >= 0 && seed <= SEED_MAX) return BigInt(seed);
  throw new RangeError(
    `seed: ${seed} is not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, or a bigint of 64 bits.`,
  );
}

/** An option that is on or off; TypeError for anything else. */
export function expectFlag(name: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name}: «${String(value)}» is neither true nor false.`);
}

/** TypeError unless the choices of a way are a list. */
export function expectChoices(choices: unknown): void {
  const isRight = choices === undefined || Array.isArray(choices);
  expectArgument(isRight, choices, "choices", "those of an outcome that engine.explore() answers");
}

/** What an engine's options say of its state; RangeError and TypeError for what is out of range. */
export function stateOptionsOf(options: EngineOptions): StateOptions {
  expectOptions(options, "Engine.load()");
  const { seed = 1, connections = CONNECTIONS_DEFAULT, fragments = FRAGMENTS_DEFAULT } = options;
  const { ipvsConnections: sessions = connections } = options;
  expectInteger("connections", connections, 1, CONNECTIONS_MAX);
  expectInteger("ipvsConnections", sessions, 1, CONNECTIONS_MAX);
  expectInteger("fragments", fragments, 0, FRAGMENTS_MAX);
  const windows = expectFlag("windows", options.windows ?? false);
  return { seed: seedOf(seed), connections, sessions, fragments, windows };
}

/** Whether checksums are verified; TypeError for a word that is neither. */
export function isVerifying(checksums: "verify" | "offload"): boolean {
  if (checksums === "verify" || checksums === "offload") return checksums === "verify";
  throw new TypeError(`checksums: «${String(checksums)}» is neither verify nor offload.`);
}

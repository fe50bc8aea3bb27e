import type { Ruleset } from "../ruleset/ruleset.js";
import { conntrackSetting } from "../ruleset/sysctls.js";
import { expectSource, isVerifying, stateOptionsOf } from "./arguments.js";
import { readImageFile } from "./file.js";
import { ImageStore } from "./image.js";
import { LiveRuleset } from "./live/ruleset.js";
import { link, type Machine } from "./machine.js";
import { LinearMemory } from "./memory.js";
import type { EngineOptions } from "./options.js";
import { StateStore } from "./state.js";
import { type MachineModule, moduleOf } from "./wasm.js";

/** What an engine is made of. */
export interface EngineParts {
  readonly live: LiveRuleset;
  readonly machine: Machine;
  readonly module: MachineModule;
  /** The trace build. */
  readonly tracer: Machine;
  readonly memory: LinearMemory;
  readonly image: ImageStore;
  readonly state: StateStore;
  readonly options: EngineOptions;
}

/** The parts of an engine, from a ruleset or from what was saved. Errors are those of `Engine.load`. */
export async function loadParts(source: Ruleset | Uint8Array, options: EngineOptions): Promise<EngineParts> {
  expectSource(source);
  const own = stateOptionsOf(options);
  const { checksums = "verify" } = options;
  const isVerified = isVerifying(checksums);
  const saved = source instanceof Uint8Array ? readImageFile(source) : undefined;
  const live = new LiveRuleset(saved?.ruleset ?? (source as Ruleset), saved?.numbers);
  const entries = live.load();
  const memory = new LinearMemory(options.memory);
  const module = await moduleOf("run", options.wasm, memory.isShared);
  const machine = await link(module, memory.memory);
  const tracer = await link(await moduleOf("trace", options.wasm, memory.isShared), memory.memory);
  const image = new ImageStore(machine, memory);
  const state = new StateStore(machine, memory);
  if (saved !== undefined) {
    image.restore(saved.image);
    state.restore(saved.state, own.sessions);
  } else {
    const { sysctls = {} } = source as Ruleset;
    image.create(isVerified && conntrackSetting(sysctls, "checksum") !== 0);
    image.fill(entries);
    state.create(own, image.needsOfState(live.notesClients));
  }
  return { live, machine, module, tracer, memory, image, state, options };
}

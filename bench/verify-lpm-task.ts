import type { SharedPages } from "../src/engine/memory.js";
import type { MachineModule } from "../src/engine/wasm.js";

/** Shares of all IPv4 addresses: workers take one at a time. */
export const SHARES = 1 << 16;

/** What a worker needs to compare shares of the addresses: the image, the oracle's intervals, and a shared counter. */
export interface VerifyTask {
  readonly module: MachineModule;
  readonly memory: SharedPages;
  readonly image: number;
  /** Octets of its own. */
  readonly scratch: number;
  readonly starts: Uint32Array;
  readonly hops: Uint32Array;
  /** The next share that nobody took. */
  readonly next: Int32Array;
}

export interface VerifyResult {
  readonly compared: number;
  readonly wrong: readonly string[];
}

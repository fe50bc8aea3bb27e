import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A row to measure: what is done, over which keys. */
export interface Case {
  readonly work: string;
  readonly keys: string;
  /** Name of its key file in the scenario's folder. */
  readonly file: string;
  /** Octets of a packet's slot: ours, and the native loops', of which the best counts. */
  readonly strides?: { readonly ours: number; readonly native: readonly number[] };
  /** The ratio that is aimed at. */
  readonly goal?: number;
}

/** One set of tables, with everything that is measured over it. */
export interface Scenario {
  /** Name of its folder. */
  readonly name: string;
  /** What the harness and our own side know it by. */
  readonly subject: string;
  readonly cases: readonly Case[];
  /** Writes tables and keys. */
  readonly write: (folder: string) => void;
}

export type Words = Uint32Array | Uint8Array;

/** Writes files of a folder, words in this machine's (little-endian) order. */
export function writeAll(folder: string, files: Readonly<Record<string, Words>>): void {
  for (const [name, words] of Object.entries(files))
    writeFileSync(join(folder, name), new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
}

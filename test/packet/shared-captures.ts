import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SHARED } from "../shared-folder.js";

/** Where the captures are that come with ground truth; the tests over them are skipped where it is absent. */
export const CAPTURES = join(SHARED, "data", "pcap");
export const haveCaptures = existsSync(CAPTURES);

/** A frame as tshark saw it: fields to lists of values, outermost header first; frame.* are plain text. */
export type Truth = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface SharedCapture {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Absent when no expectation lies beside the capture. */
  readonly truth?: readonly Truth[];
}

export function readMaybeZipped(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return paths.sort().map((path) => join(folder, path));
}

function readTruth(capturePath: string): readonly Truth[] | undefined {
  const stem = `${capturePath.replace(/\.gz$/, "")}.expected.json`;
  const path = [stem, `${stem}.gz`].find(existsSync);
  if (path === undefined) return undefined;
  return (JSON.parse(new TextDecoder().decode(readMaybeZipped(path))) as { frames: Truth[] }).frames;
}

export function sharedCaptures(): SharedCapture[] {
  const paths = filesUnder(CAPTURES).filter((path) => /\.(pcap|pcapng)(\.gz)?$/.test(path));
  return paths.map((path) => {
    const truth = readTruth(path);
    return { path, bytes: readMaybeZipped(path), ...(truth === undefined ? {} : { truth }) };
  });
}

/** The outermost value of a field. */
export function outermost(truth: Truth, field: string): string | undefined {
  const value = truth[field];
  return typeof value === "string" ? value : value?.[0];
}

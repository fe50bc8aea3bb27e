import { readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Diagnostic, InputError } from "../index.js";
import { parseDocuments } from "../io/manifest-text.js";
import type { ManifestText } from "../io/manifests.js";
import { DiagnosticPrinter } from "./diagnostic-printer.js";
import { UsageError } from "./errors.js";
import { systemReason } from "./system-reason.js";

/** What `-f` calls stdin. */
export const STDIN = "-";
const STDIN_NAME = "stdin";
const STDIN_FILE = 0;
const PIECE_LEN = 1 << 16;
const RETRY_MS = 10;
/** What is read of a folder; a file that is named itself may be called anything. */
const MANIFEST = /\.(ya?ml|json)(\.gz)?$/;
const GZIP_MAGIC = [0x1f, 0x8b];

function errorAt(file: string, message: string): Diagnostic {
  return { severity: "error", place: { file }, message };
}

function refuse(file: string, message: string): InputError {
  return new InputError([errorAt(file, message)]);
}

function unzip(octets: Uint8Array, file: string): Uint8Array {
  if (!GZIP_MAGIC.every((octet, at) => octets[at] === octet)) return octets;
  try {
    return gunzipSync(octets);
  } catch {
    throw refuse(file, "is compressed by gzip, but cut or damaged: gunzip refuses it.");
  }
}

/**
 * UsageError where several options ask for stdin, which is read once; `-f -` twice is the same input. Paths by the
 * options that give them.
 */
export function checkStdin(asked: Readonly<Record<string, string | readonly string[] | undefined>>): void {
  const [first, second] = Object.entries(asked).flatMap(([option, given = []]) => {
    const asks = [given].flat().filter((path) => path === STDIN);
    return asks.slice(0, option === "-f" ? 1 : undefined).map(() => `${option} -`);
  });
  if (second === undefined) return;
  throw new UsageError(`${first} and ${second} both ask for stdin: give one of them as a file.`);
}

/** All of stdin. */
function readStdin(): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(PIECE_LEN);
    const length = readPiece(piece);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, length));
  }
}

/** A pipe that another program is still filling may have nothing to read just now. */
function readPiece(piece: Uint8Array): number {
  for (;;) {
    try {
      return readSync(STDIN_FILE, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** A file's octets, those of stdin for `-`; unpacked if gzip packed them. InputError names the path. */
export function readOctets(path: string): Uint8Array {
  const name = path === STDIN ? STDIN_NAME : path;
  let octets: Uint8Array;
  try {
    octets = path === STDIN ? readStdin() : readFileSync(path);
  } catch (error) {
    throw refuse(name, `cannot be read: ${systemReason(error)}.`);
  }
  return unzip(octets, name);
}

/** A text file, or stdin for `-`. InputError that names it where it cannot be read, or is no text. */
export function readText(path: string): { readonly file: string; readonly text: string } {
  const file = path === STDIN ? STDIN_NAME : path;
  const octets = readOctets(path);
  try {
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(octets) };
  } catch {
    throw refuse(file, "is not text in UTF-8, as YAML and JSON are.");
  }
}

/** The manifests of a folder and of all folders in it, in the order of their paths. */
function manifestsUnder(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const paths = names.filter((name) => MANIFEST.test(name)).map((name) => join(folder, name));
  const files = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? true).sort();
  if (files.length === 0) throw refuse(folder, "is a folder without a .yaml, .yml or .json file.");
  return files;
}

/** A file to read, and the folder that it was found in, if it was not named itself. */
interface Found {
  readonly path: string;
  readonly folder?: string;
}

function expand(path: string): readonly Found[] {
  if (path === STDIN) return [{ path }];
  if (/^https?:\/\//.test(path)) throw refuse(path, "is not fetched: download it, or pipe it into -f -.");
  try {
    return statSync(path).isDirectory()
      ? manifestsUnder(path).map((file) => ({ path: file, folder: path }))
      : [{ path }];
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw refuse(path, `cannot be read: ${systemReason(error)}.`);
  }
}

/** Whether it is YAML or JSON of something else: package.json, a chart's values. Parsed only where it names no kind. */
function isStray(text: ManifestText): boolean {
  if (/\bkind["']?\s*:/.test(text.text)) return false;
  const errors: Diagnostic[] = [];
  const documents = parseDocuments(text, errors);
  return errors.length === 0 && documents.length > 0;
}

/** A file's text, with the folder where it was come upon. */
interface FoundText {
  readonly folder: string | undefined;
  readonly text: ManifestText;
}

/** What lies in a folder beside the manifests is left out, with a warning; a folder must hold some, though. */
function withoutStrays(texts: readonly FoundText[]): readonly ManifestText[] {
  const strays = new Set(texts.filter(({ folder, text }) => folder !== undefined && isStray(text)));
  const barren = [...strays].find(({ folder }) =>
    texts.every((one) => one.folder !== folder || strays.has(one)),
  );
  if (barren?.folder !== undefined) {
    throw refuse(barren.folder, "holds no Kubernetes object: no document in it names a kind.");
  }
  const message = "is skipped: it names no kind, so it holds no Kubernetes object.";
  new DiagnosticPrinter().print(
    [...strays].map(({ text: { file = "" } }) => ({ severity: "warning", place: { file }, message })),
  );
  return texts.filter((one) => !strays.has(one)).map(({ text }) => text);
}

/**
 * Reads what `-f` names: files, folders with everything in them, and `-` for stdin; a file named twice is read
 * once. One InputError names every path that cannot be read.
 */
export function readManifests(paths: readonly string[]): readonly ManifestText[] {
  const errors: Diagnostic[] = [];
  const collect = <T>(read: () => readonly T[]): readonly T[] => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(...error.diagnostics);
      return [];
    }
  };
  const found = paths.flatMap((path) => collect(() => expand(path)));
  // A file that is named itself is taken at its word, even where its folder is named too.
  const named = new Set(found.filter(({ folder }) => folder === undefined).map(({ path }) => path));
  const folders = new Map(found.map(({ path, folder }) => [path, named.has(path) ? undefined : folder]));
  const texts = [...folders].flatMap(([path, folder]) => collect(() => [{ folder, text: readText(path) }]));
  if (errors.length > 0) throw new InputError(errors);
  return withoutStrays(texts);
}

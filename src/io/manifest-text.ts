import { Composer, type CST, type Document, LineCounter, Parser } from "yaml";
import type { Diagnostic, Place } from "../diagnostics.js";

/** The text of one file, or of stdin. */
export interface ManifestText {
  /** As the user knows it; it stands in front of every message about the text. */
  readonly file?: string;
  readonly text: string;
}

/** One document of a text as a plain value. */
export interface ManifestDocument {
  readonly value: unknown;
  readonly place: Place;
}

/** Documents of a YAML or JSON text; empty ones are left out. Errors of syntax are added, one for each document. */
export function parseDocuments(text: ManifestText, errors: Diagnostic[]): readonly ManifestDocument[] {
  const json = parseJson(text);
  return json === undefined ? parseYaml(text, errors) : [json];
}

function placeOf({ file }: ManifestText, document: number): Place {
  return file === undefined ? { document } : { file, document };
}

/** JSON is YAML too, but its own parser is a hundred times as fast. */
function parseJson(text: ManifestText): ManifestDocument | undefined {
  if (!/^\s*[{[]/.test(text.text)) return undefined;
  try {
    return { value: JSON.parse(text.text), place: placeOf(text, 1) };
  } catch {
    return undefined;
  }
}

/** Far deeper than any Kubernetes object goes, and shallow enough for the parser, which calls itself. */
const MAX_DEPTH = 200;
const YAML_OPTIONS = { prettyErrors: false, stringKeys: true, merge: true, logLevel: "error" } as const;

/** Document by document: the syntax trees of a large file, all at once, would take many times its memory. */
function parseYaml(text: ManifestText, errors: Diagnostic[]): readonly ManifestDocument[] {
  const lines = new LineCounter();
  const source = withoutByteOrderMark(text.text);
  const found: ManifestDocument[] = [];
  const faults: Diagnostic[] = [];
  let count = 0;
  const read = (documents: Iterable<Document.Parsed>) => {
    for (const document of documents) {
      count += 1;
      const place = placeOf(text, count);
      const value = readValue(document, place, lines, source, faults);
      if (value !== undefined && value !== null) found.push({ value, place });
    }
  };
  const composer = new Composer(YAML_OPTIONS);
  for (const token of new Parser(lines.addNewLine).parse(source)) {
    const deep = tooDeep(token);
    if (deep !== undefined) {
      const message = `line ${lines.linePos(deep).line} nests deeper than ${MAX_DEPTH} levels: no Kubernetes object does.`;
      errors.push({ severity: "error", place: text.file === undefined ? {} : { file: text.file }, message });
      return [];
    }
    read(composer.next(token));
  }
  read(composer.end());
  errors.push(...faults);
  return found;
}

/** The offset of the first collection that lies too deep; walks level by level, as a stack would overflow. */
function tooDeep(token: CST.Token): number | undefined {
  let level: CST.Token[] = token.type === "document" && token.value ? [token.value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return level[0]?.offset;
    level = collectionsWithin(level);
  }
  return undefined;
}

function collectionsWithin(level: readonly CST.Token[]): CST.Token[] {
  const found: CST.Token[] = [];
  for (const token of level) {
    if (!("items" in token)) continue;
    for (const { key, value } of token.items) {
      if (key && "items" in key) found.push(key);
      if (value && "items" in value) found.push(value);
    }
  }
  return found;
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function readValue(
  document: Document.Parsed,
  place: Place,
  lines: LineCounter,
  text: string,
  errors: Diagnostic[],
): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line;
    const message = `line ${line} is not YAML: ${sentence(error.message)}${templateHint(text)}`;
    errors.push({ severity: "error", place, message });
    return undefined;
  }
  try {
    return document.toJS();
  } catch (error) {
    const message = `is not YAML that can be read: ${sentence(error instanceof Error ? error.message : String(error))}`;
    errors.push({ severity: "error", place, message });
    return undefined;
  }
}

/** The parser's message, as one sentence. */
function sentence(message: string): string {
  const line = message.split("\n")[0] ?? "";
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

function templateHint(text: string): string {
  return /\{\{.*\}\}/.test(text)
    ? " It looks like a template: render it first (helm template, kustomize build)."
    : "";
}

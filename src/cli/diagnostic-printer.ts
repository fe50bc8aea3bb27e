import { type Diagnostic, printDiagnostic } from "../index.js";
import { printToStderr } from "./output.js";
import { paint } from "./paint.js";

/** Of one sentence about many objects so many are said; of the others how many they are. */
const TOLD = 3;

/** Warnings that say one sentence, each of something else. */
interface Kind {
  readonly label: string;
  readonly sentence: string;
  count: number;
}

/** Notes are for those who ask for them with -v; how many there are is said to all. */
let isVerbose = false;
const hiddenNotes = new Set<string>();
const kinds = new Map<string, Kind>();

/** From now on diagnostics of severity note are printed too, and every warning, however many are like it. */
export function showNotes(): void {
  isVerbose = true;
}

/** Whether everything is to be said. */
export function saysAll(): boolean {
  return isVerbose;
}

/** Says how many notes were not printed, if any. */
export function sayHiddenNotes(): void {
  const { size } = hiddenNotes;
  if (size > 0) printToStderr(size === 1 ? "1 note: -v shows it\n" : `${size} notes: -v shows them\n`);
}

/** Says how many warnings were not printed, as there were others like them. */
export function sayMoreLikeIt(): void {
  for (const { label, sentence, count } of kinds.values()) {
    if (!isVerbose && count > TOLD)
      printToStderr(`${label} … and ${count - TOLD} more like it (-v shows all): ${sentence}\n`);
  }
}

/** A sentence without what names its object: quoted words, and those with digits, as addresses and ports have them. */
export function shapeOf(message: string): string {
  return message.replaceAll(/«[^»]*»/g, "«»").replaceAll(/[^\s«»]*[0-9][^\s«»]*/g, "0");
}

/** Says diagnostics on stderr, each once however often it comes: nodes of one cluster repeat the cluster's. */
export class DiagnosticPrinter {
  readonly #said = new Set<string>();

  print(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      const text = printDiagnostic(diagnostic);
      if (this.#said.has(text)) continue;
      this.#said.add(text);
      const { severity, message } = diagnostic;
      if (severity === "note" && !isVerbose) {
        hiddenNotes.add(text);
        continue;
      }
      const label = severity === "note" ? "note:" : paint("yellow", `${severity}:`, process.stderr);
      const shape = `${label} ${shapeOf(message)}`;
      const kind = kinds.get(shape) ?? { label, sentence: message, count: 0 };
      kind.count++;
      kinds.set(shape, kind);
      if (isVerbose || kind.count <= TOLD) printToStderr(`${label} ${text}\n`);
    }
  }
}

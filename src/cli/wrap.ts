import type { WriteStream } from "node:tty";

/** Of what is no terminal: a file, or a pipe that somebody reads later. */
const COLUMNS = 120;

/** Columns that lines may fill: a terminal's own; 120 of anything else, and where a terminal does not say. */
export function columnsOf(stream: Pick<WriteStream, "isTTY" | "columns">): number {
  // Some terminals say that they have 0 columns.
  return (stream.isTTY === true && stream.columns) || COLUMNS;
}

/** Fills lines with parts, as long as they fit; a part that is longer than a line stands alone. */
function filled(parts: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= room)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines;
}

/**
 * A text behind a label, in lines of so many columns, all of which begin where the first does. Lines end behind a comma or a
 * semicolon where they can, and else between words; a word that is longer than a line stays whole.
 */
export function wrap(label: string, text: string, columns: number): string {
  const room = Math.max(1, columns - label.length);
  const phrases = text.split(/(?<=[,;]) /);
  const parts = phrases.flatMap((phrase) =>
    phrase.length <= room ? [phrase] : filled(phrase.split(" "), room),
  );
  return label + filled(parts, room).join(`\n${" ".repeat(label.length)}`);
}

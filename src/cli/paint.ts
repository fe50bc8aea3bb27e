import type { WriteStream } from "node:tty";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Paint = keyof typeof CODES;

type Stream = Pick<WriteStream, "isTTY">;

/** Colour is for people at terminals who did not refuse it (no-color.org). */
function takesColour(stream: Stream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

/** The text in a colour, where the stream takes one. */
export function paint(colour: Paint, text: string, stream: Stream = process.stdout): string {
  return takesColour(stream) ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** A bar that moves while something long is done. */
export interface Progress {
  /** `doing` says what is done from now on, in place of the count. */
  tick(count?: number, doing?: string): void;
  /** Takes the bar away. */
  stop(): void;
}

const SILENT: Progress = { tick: () => {}, stop: () => {} };
const BAR_WIDTH = 30;
const COLUMNS = 80;
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

function drawBar(text: string, done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${text}`;
}

/** Shows a bar on stderr for `total` steps; silent unless stderr is a terminal. */
export function progress(label: string, total: number): Progress {
  const { stderr } = process;
  if (stderr.isTTY !== true || process.env.TERM === "dumb") return SILENT;
  let done = 0;
  let doing: string | undefined;
  // What is done sooner needs no bar.
  let drawn = performance.now();
  const draw = () => {
    drawn = performance.now();
    const bar = drawBar(doing ?? `${label} ${done} of ${total}`, done, total);
    // Some terminals say that they have 0 columns.
    stderr.write(`${CLEAR_LINE}${bar.slice(0, (stderr.columns || COLUMNS) - 1)}`);
  };
  return {
    tick: (count = 1, text = doing) => {
      const isNew = text !== doing;
      done += count;
      doing = text;
      if (isNew || performance.now() - drawn >= REDRAW_MS) draw();
    },
    stop: () => void stderr.write(CLEAR_LINE),
  };
}

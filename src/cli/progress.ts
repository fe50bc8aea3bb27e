/** A bar that moves while something long is done. */
export interface Progress {
  tick(count?: number): void;
  /** Takes the bar away. */
  stop(): void;
}

const SILENT: Progress = { tick: () => {}, stop: () => {} };
const BAR_WIDTH = 30;
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

function drawBar(label: string, done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${label} ${done} of ${total}`;
}

/** Shows a bar on stderr for `total` steps; silent unless stderr is a terminal. */
export function progress(label: string, total: number): Progress {
  const { stderr } = process;
  if (stderr.isTTY !== true || process.env.TERM === "dumb") return SILENT;
  let done = 0;
  // What is done sooner needs no bar.
  let drawn = performance.now();
  const draw = () => {
    drawn = performance.now();
    stderr.write(`${CLEAR_LINE}${drawBar(label, done, total).slice(0, (stderr.columns ?? 80) - 1)}`);
  };
  return {
    tick: (count = 1) => {
      done += count;
      if (performance.now() - drawn >= REDRAW_MS) draw();
    },
    stop: () => void stderr.write(CLEAR_LINE),
  };
}

/** Pixels a character takes on average at the chart's 12 px, on the wide side: no font is measured here. */
export const CHARACTER_PX = 7;

/**
 * Moves labels apart so that neighbours are at least `gap` apart within [low, high], each as near to where it
 * is wanted as the others allow (least squares: neighbours that collide settle around their common mean).
 * Where there is no room the gap shrinks. Answers in the order asked; what is wanted higher is never put lower.
 */
export function placeLabels(
  wanted: readonly number[],
  gap: number,
  low: number,
  high: number,
): readonly number[] {
  const step = wanted.length > 1 ? Math.min(gap, (high - low) / (wanted.length - 1)) : gap;
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const settled = settle(order.map((index, rank) => (wanted[index] ?? 0) - rank * step));
  const top = high - (wanted.length - 1) * step;
  const placed = new Array<number>(wanted.length).fill(0);
  order.forEach((index, rank) => {
    placed[index] = Math.min(Math.max(settled[rank] ?? 0, low), Math.max(top, low)) + rank * step;
  });
  return placed;
}

/** The nearest nondecreasing sequence (pool adjacent violators). */
function settle(values: readonly number[]): readonly number[] {
  const pools: { mean: number; size: number }[] = [];
  for (const value of values) {
    let pool = { mean: value, size: 1 };
    for (let last = pools.at(-1); last !== undefined && last.mean > pool.mean; last = pools.at(-1)) {
      const size = last.size + pool.size;
      pool = { mean: (last.mean * last.size + pool.mean * pool.size) / size, size };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ mean, size }) => new Array<number>(size).fill(mean));
}

/** Text in lines of at most `width` pixels, broken between words; a longer word stands alone. */
export function wrapText(text: string, width: number, characterPx: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const line = lines.at(-1);
    if (line !== undefined && (line.length + 1 + word.length) * characterPx <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

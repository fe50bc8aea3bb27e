/** How many letters must be put in, taken out or changed to make one word of another (Levenshtein). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...a].entries()) {
    const line = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const changed = (above[column] ?? 0) + (letter === other ? 0 : 1);
      line.push(Math.min(changed, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1));
    }
    above = line;
  }
  return above.at(-1) ?? 0;
}

/** Letters of which one may be wrong. */
const LETTERS_A_SLIP = 4;
const TOLD = 3;

/** Those of the known names that a wrong one may have been meant for, three at most, the nearest first. */
export function nearNames(name: string, known: readonly string[]): readonly string[] {
  const most = Math.ceil(name.length / LETTERS_A_SLIP);
  return known
    .map((one) => ({ one, far: distance(name, one) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far)
    .slice(0, TOLD)
    .map(({ one }) => one);
}

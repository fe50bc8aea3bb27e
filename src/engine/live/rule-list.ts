/** Rules of one stretch: a change moves at most so many, however long the list is. */
const STRETCH = 256;

/** A list that is changed in the middle in bounded time, and read as an array when somebody asks. */
export class RuleList<R> {
  readonly #stretches: R[][];
  #length: number;
  #flat: readonly R[] | undefined;

  constructor(rules: readonly R[]) {
    this.#stretches = cut(rules);
    this.#length = rules.length;
    this.#flat = rules;
  }

  get length(): number {
    return this.#length;
  }

  /** All rules in their order: what was answered before does not change. */
  get flat(): readonly R[] {
    this.#flat ??= this.#stretches.flat();
    return this.#flat;
  }

  each(use: (rule: R) => void): void {
    for (const stretch of this.#stretches) for (const rule of stretch) use(rule);
  }

  /** Takes rules out and puts others in their place; those taken out. */
  splice(at: number, removed: number, rules: readonly R[]): readonly R[] {
    const stretches = this.#stretches;
    let from = 0;
    let start = 0;
    while (from + 1 < stretches.length && at > start + (stretches[from] as R[]).length)
      start += (stretches[from++] as R[]).length;
    let to = from;
    let end = start;
    while (to < stretches.length && (to === from || end < at + removed))
      end += (stretches[to++] as R[]).length;
    this.#length += rules.length - removed;
    this.#flat = undefined;
    const only = to === from + 1 ? stretches[from] : undefined;
    if (only !== undefined && only.length - removed + rules.length <= STRETCH)
      return only.splice(at - start, removed, ...rules);
    const old = stretches.slice(from, to).flat();
    const gone = old.slice(at - start, at - start + removed);
    const left = [...old.slice(0, at - start), ...rules, ...old.slice(at - start + removed)];
    stretches.splice(from, to - from, ...cut(left));
    return gone;
  }
}

/** Even pieces, half full where there are several, so that the next changes find room. */
function cut<R>(rules: readonly R[]): R[][] {
  if (rules.length <= STRETCH) return [rules.slice()];
  const length = Math.ceil(rules.length / Math.ceil(rules.length / (STRETCH / 2)));
  return Array.from({ length: Math.ceil(rules.length / length) }, (_, index) =>
    rules.slice(index * length, (index + 1) * length),
  );
}

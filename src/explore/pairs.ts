/** Results that are remembered at most; then all are forgotten. */
const MOST = 1 << 13;

/** What maps have in common, of objects that are remembered as long as they live and of numbers. */
interface Known<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

/** Remembers what a function makes of two arguments. */
export class Pairs<K, V> {
  #known: Known<K, Known<K, V>>;
  #count = 0;

  /** `empty` makes a map by such arguments. */
  constructor(private readonly empty: <T>() => Known<K, T>) {
    this.#known = empty();
  }

  of(a: K, b: K, make: (a: K, b: K) => V): V {
    const found = this.#known.get(a)?.get(b);
    if (found !== undefined) return found;
    const made = make(a, b);
    if (this.#count++ === MOST) {
      this.#known = this.empty();
      this.#count = 0;
    }
    let row = this.#known.get(a);
    if (row === undefined) {
      row = this.empty<V>();
      this.#known.set(a, row);
    }
    row.set(b, made);
    return made;
  }
}

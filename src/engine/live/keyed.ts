import type { Journal } from "./journal.js";
import { ShardedMap } from "./sharded-map.js";

/**
 * Items of which there is one a key, in an order that does not count: what is removed makes room for the last. The
 * list it begins with is nobody's to change and is copied, and indexed, at the first change or question.
 */
export class Keyed<T> {
  readonly #keyOf: (item: T) => string;
  readonly #journal: Journal;
  #items: readonly T[];
  /** The items, once they are our own. */
  #own: T[] | undefined;
  readonly #positions = new ShardedMap<number>();

  constructor(items: readonly T[], keyOf: (item: T) => string, journal: Journal) {
    this.#items = items;
    this.#keyOf = keyOf;
    this.#journal = journal;
  }

  get size(): number {
    return (this.#own ?? this.#items).length;
  }

  /** As they are now: what was answered before does not change. */
  get items(): readonly T[] {
    if (this.#items.length === 0 && this.#own !== undefined) this.#items = this.#own.slice();
    return this.#items;
  }

  get(key: string): T | undefined {
    const own = this.#index();
    const position = this.#positions.get(key);
    return position === undefined ? undefined : own[position];
  }

  /** Adds an item, or replaces that of its key; what it replaced. */
  set(item: T): T | undefined {
    const own = this.#index();
    const key = this.#keyOf(item);
    const position = this.#positions.get(key);
    this.#items = [];
    if (position === undefined) {
      this.#positions.set(key, own.push(item) - 1);
      this.#journal.note(() => {
        this.#items = [];
        own.pop();
        this.#positions.delete(key);
      });
      return undefined;
    }
    const old = own[position] as T;
    own[position] = item;
    this.#journal.note(() => {
      this.#items = [];
      own[position] = old;
    });
    return old;
  }

  /** Removes the item of a key, which is there. */
  remove(key: string): T | undefined {
    const own = this.#index();
    const position = this.#positions.get(key);
    if (position === undefined) return undefined;
    this.#items = [];
    const item = own[position] as T;
    const last = own.pop() as T;
    this.#positions.delete(key);
    if (position < own.length) this.#place(own, position, last);
    this.#journal.note(() => {
      this.#items = [];
      if (position < own.length) this.#place(own, own.length, last);
      else own.push(item);
      this.#place(own, position, item);
    });
    return item;
  }

  #place(own: T[], position: number, item: T): void {
    own[position] = item;
    this.#positions.set(this.#keyOf(item), position);
  }

  /** Of several items of one key the last counts, as it does to a kernel that is given them one by one. */
  #index(): T[] {
    if (this.#own !== undefined) return this.#own;
    const own: T[] = [];
    for (const item of this.#items) {
      const position = this.#positions.get(this.#keyOf(item)) ?? own.length;
      this.#place(own, position, item);
    }
    this.#positions.settle();
    this.#own = own;
    return own;
  }
}

import type { Journal } from "./journal.js";

interface ClientList {
  readonly number: number;
  references: number;
}

/** Lists of clients by key, with their numbers, as an image file keeps them; and the last number given out. */
export interface SavedLists {
  readonly last: number;
  readonly lists: readonly (readonly [key: string, number: number])[];
}

/** Of a list of recent's: those of one name are one, whichever table or family a rule is of. */
export function recentKey(name: string): string {
  return `recent ${name}`;
}

/**
 * What the machine calls the lists of clients that rules fill. A list lives as long as something names it, and its number
 * is not given out again: one that is made anew is empty.
 */
export class ClientLists {
  readonly #lists = new Map<string, ClientList>();
  readonly #saved: Map<string, number>;
  readonly #journal: Journal;
  #last: number;

  constructor(journal: Journal, saved: SavedLists = { last: 0, lists: [] }) {
    this.#journal = journal;
    this.#saved = new Map(saved.lists);
    this.#last = saved.last;
  }

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  get saved(): SavedLists {
    const lists = [...this.#lists].map(([key, { number }]) => [key, number] as const);
    return { last: this.#last, lists };
  }

  /** The number of a list that something more names. */
  refer(key: string): number {
    const list = this.#lists.get(key) ?? this.#make(key);
    list.references++;
    this.#journal.note(() => this.#leave(key, list));
    return list.number;
  }

  /** Something that named a list is gone. */
  release(key: string): void {
    const list = this.#lists.get(key);
    if (list === undefined) return;
    this.#leave(key, list);
    this.#journal.note(() => {
      this.#lists.set(key, list);
      list.references++;
    });
  }

  #make(key: string): ClientList {
    const number = this.#saved.get(key) ?? ++this.#last;
    this.#saved.delete(key);
    const list = { number, references: 0 };
    this.#lists.set(key, list);
    return list;
  }

  #leave(key: string, list: ClientList): void {
    if (--list.references === 0) this.#lists.delete(key);
  }
}

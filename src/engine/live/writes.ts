import { RuleColumns } from "../entries/rules.js";
import type { ImageStore } from "../image.js";

/** What a change will write to the image, once all of it is known to fit. */
export class Writes {
  /** The rules of this change, of all its chains. */
  readonly columns = new RuleColumns();
  #list: ((image: ImageStore) => void)[] = [];
  #octets = 0;
  /** The most that each table which doubles may grow by. */
  readonly #growth = new Map<object, number>();
  #staged = 0;

  /** Nothing is to be written yet. */
  begin(): void {
    this.columns.clear();
    this.#list = [];
    this.#octets = 0;
    this.#growth.clear();
    this.#staged = 0;
  }

  /** `octets`: the most that the image may grow by. */
  add(octets: number, write: (image: ImageStore) => void): void {
    this.#octets += octets;
    this.#list.push(write);
  }

  /** A table that doubles grows by so many octets at most, however often it is written. */
  grow(table: object, octets: number): void {
    this.#growth.set(table, Math.max(octets, this.#growth.get(table) ?? 0));
  }

  /** One write hands so many words over, beside rules. */
  stage(words: number): void {
    this.#staged = Math.max(this.#staged, words);
  }

  get octets(): number {
    let octets = this.#octets;
    for (const growth of this.#growth.values()) octets += growth;
    return octets;
  }

  /** Octets of the columns that one write hands over at most. */
  get staged(): number {
    const { rules, words } = this.columns;
    return 4 * (rules.length + words.length + this.#staged);
  }

  /** The writes in their order: to be done before the next change begins. */
  get list(): readonly ((image: ImageStore) => void)[] {
    return this.#list;
  }
}

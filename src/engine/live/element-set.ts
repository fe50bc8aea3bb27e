import { EXACT_ENTRY_LEN, EXACT6_ENTRY_LEN } from "../../../assembly/abi/entry.js";
import type { Family } from "../../net/ip.js";
import { Words } from "../entries/words.js";
import type { Journal } from "./journal.js";
import { Keyed } from "./keyed.js";
import type { Writes } from "./writes.js";

/** Words of a row, and what it takes of a table that doubles, perhaps more than once: a bucket has four keys, or two of IPv6. */
const ROWS = {
  4: { length: EXACT_ENTRY_LEN / 4, octets: 104 },
  6: { length: EXACT6_ENTRY_LEN / 4, octets: 208 },
} as const;
const OCTETS_AT_LEAST = 1024;

/** What a set or map is called, and the family of its keys. */
export interface SetFacts {
  readonly number: number;
  /** `ipset KUBE-CLUSTER-IP` */
  readonly title: string;
  readonly name: string;
  readonly family: Family;
}

/** A set or map: elements of which there is one a key, and an exact table of the image. */
export class ElementSet<T> {
  readonly elements: Keyed<T>;
  readonly #row: (typeof ROWS)[Family];
  /** Pushes the rows that an element has; of one that leaves, those that no other needs. */
  readonly #encode: (rows: Words, element: T, leaves: boolean) => void;
  /** How many rows stay, at most, of elements that have left. */
  readonly #left: () => number;
  readonly #writes: Writes;

  constructor(
    readonly facts: SetFacts,
    elements: readonly T[],
    readonly keyOf: (element: T) => string,
    { journal, writes }: { readonly journal: Journal; readonly writes: Writes },
    encode: (rows: Words, element: T, leaves: boolean) => void,
    left: () => number = () => 0,
  ) {
    this.#row = ROWS[facts.family];
    this.elements = new Keyed(elements, keyOf, journal);
    this.#encode = encode;
    this.#left = left;
    this.#writes = writes;
  }

  /** Rows of all elements. */
  get rows(): Uint32Array {
    const rows = new Words(Math.max(1, this.elements.size) * this.#row.length);
    for (const element of this.elements.items) this.#encode(rows, element, false);
    return rows.words;
  }

  /** Adds an element; TypeError if it is there. */
  add(element: T): void {
    if (this.elements.get(this.keyOf(element)) !== undefined)
      throw new TypeError(`the ${this.facts.title} is there already.`);
    this.set(element);
  }

  /** Adds or replaces an element; what it replaced. */
  set(element: T): T | undefined {
    const old = this.elements.set(element);
    const rows = this.#rowsOf(element, false);
    const { number, family } = this.facts;
    // Each of the elements has as many rows as this one.
    const rowCount = (this.elements.size * rows.length) / this.#row.length + this.#left();
    if (old === undefined) this.#writes.grow(this, OCTETS_AT_LEAST + rowCount * this.#row.octets);
    this.#writes.add(0, (image) => image.setElements(number, rows, family));
    return old;
  }

  /** Removes an element, which is answered; TypeError if it is not there. */
  remove(key: string): T {
    const old = this.elements.remove(key);
    if (old === undefined) throw new TypeError(`the ruleset has no such ${this.facts.title}.`);
    const rows = this.#rowsOf(old, true);
    const { number, family } = this.facts;
    this.#writes.add(0, (image) => image.removeElements(number, rows, family));
    return old;
  }

  #rowsOf(element: T, leaves: boolean): Uint32Array {
    const rows = new Words(2 * this.#row.length);
    this.#encode(rows, element, leaves);
    return rows.words;
  }
}

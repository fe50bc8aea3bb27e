import { EXACT_ENTRY_LEN } from "../../../assembly/abi/entry.js";
import { Words } from "../entries/words.js";
import type { Journal } from "./journal.js";
import { Keyed } from "./keyed.js";
import type { Writes } from "./writes.js";

const ROW = EXACT_ENTRY_LEN / 4;
/** A table that doubles, perhaps more than once, takes buckets of 64 octets for one entry and a quarter at least. */
const OCTETS_PER_ROW = 104;
const OCTETS_AT_LEAST = 1024;

/** A set or map: elements of which there is one a key, and an exact table of the image. */
export class ElementSet<T> {
  readonly elements: Keyed<T>;
  readonly #encode: (rows: Words, element: T) => void;
  readonly #writes: Writes;

  constructor(
    readonly number: number,
    /** `ipset KUBE-CLUSTER-IP` */
    readonly title: string,
    readonly name: string,
    elements: readonly T[],
    readonly keyOf: (element: T) => string,
    { journal, writes }: { readonly journal: Journal; readonly writes: Writes },
    encode: (rows: Words, element: T) => void,
  ) {
    this.elements = new Keyed(elements, keyOf, journal);
    this.#encode = encode;
    this.#writes = writes;
  }

  /** Rows of all elements. */
  get rows(): Uint32Array {
    const rows = new Words(Math.max(ROW, this.elements.size * ROW));
    for (const element of this.elements.items) this.#encode(rows, element);
    return rows.words;
  }

  /** Adds an element; TypeError if it is there. */
  add(element: T): void {
    if (this.elements.get(this.keyOf(element)) !== undefined)
      throw new TypeError(`the ${this.title} is there already.`);
    this.set(element);
  }

  /** Adds or replaces an element; what it replaced. */
  set(element: T): T | undefined {
    const old = this.elements.set(element);
    const rows = this.#rowsOf(element);
    const { number } = this;
    // Each of the elements has as many rows as this one.
    const rowCount = (this.elements.size * rows.length) / ROW;
    if (old === undefined) this.#writes.grow(this, OCTETS_AT_LEAST + rowCount * OCTETS_PER_ROW);
    this.#writes.add(0, (image) => image.setElements(number, rows));
    return old;
  }

  /** Removes an element, which is answered; TypeError if it is not there. */
  remove(key: string): T {
    const old = this.elements.remove(key);
    if (old === undefined) throw new TypeError(`the ruleset has no such ${this.title}.`);
    const rows = this.#rowsOf(old);
    const { number } = this;
    this.#writes.add(0, (image) => image.removeElements(number, rows));
    return old;
  }

  #rowsOf(element: T): Uint32Array {
    const rows = new Words(2 * ROW);
    this.#encode(rows, element);
    return rows.words;
  }
}

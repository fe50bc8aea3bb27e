import { RuleColumns } from "../entries/rules.js";
import type { ImageStore } from "../image.js";

/** What a change will write to the image, once all of it is known to fit. */
export class Writes {
  /** The rules of this change, of all its chains. */
  readonly columns = new RuleColumns();
  #list: ((image: ImageStore) => void)[] = [];
  #octets = 0;

  /** Nothing is to be written yet. */
  begin(): void {
    this.columns.clear();
    this.#list = [];
    this.#octets = 0;
  }

  /** `octets`: the most that the image may grow by. */
  add(octets: number, write: (image: ImageStore) => void): void {
    this.#octets += octets;
    this.#list.push(write);
  }

  get octets(): number {
    return this.#octets;
  }

  /** The writes in their order: to be done before the next change begins. */
  get list(): readonly ((image: ImageStore) => void)[] {
    return this.#list;
  }
}

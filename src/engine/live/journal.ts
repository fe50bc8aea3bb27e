/** What a change did, so that it can be taken back: a change is applied whole or not at all. */
export class Journal {
  #undo: (() => void)[] = [];
  #isOpen = false;

  /** Until then nothing is noted: what is loaded is not taken back. */
  open(): void {
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  note(undo: () => void): void {
    if (this.#isOpen) this.#undo.push(undo);
  }

  /** Takes everything back, the last deed first. */
  rollback(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
  }

  commit(): void {
    this.#undo = [];
  }
}

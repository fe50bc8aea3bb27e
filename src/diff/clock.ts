/** What both engines take for the time, in milliseconds: it runs on, since to them an earlier time is the latest so far. */
export class Clock {
  #now = 0;

  get now(): number {
    return this.#now;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

import type { Ip6 } from "../../src/net/ip.js";

/** An IPv6 tuple. Ports are src << 16 | dst. */
export interface Tuple6 {
  readonly src: Ip6;
  readonly dst: Ip6;
  readonly ports: number;
  readonly protocol: number;
}

export interface Connection6 {
  readonly original: Tuple6;
  /** As replies come. */
  readonly reply: Tuple6;
  readonly expires: number;
}

function same(a: Tuple6, b: Tuple6): boolean {
  return a.src === b.src && a.dst === b.dst && a.ports === b.ports && a.protocol === b.protocol;
}

/** IPv6 connections as a list that is looked through from its start, by the numbers that the machine gave them. */
export class Flow6Oracle {
  #live: (Connection6 & { readonly number: number })[] = [];

  get count(): number {
    return this.#live.length;
  }

  get numbers(): readonly number[] {
    return this.#live.map(({ number }) => number);
  }

  /** number << 1 | direction, 0 for none. */
  find(tuple: Tuple6): number {
    for (const { number, original, reply } of this.#live) {
      if (same(original, tuple)) return number * 2;
      if (same(reply, tuple)) return number * 2 + 1;
    }
    return 0;
  }

  /** Whether one of the connection's tuples is there. */
  holds({ original, reply }: Connection6): boolean {
    return this.find(original) !== 0 || this.find(reply) !== 0;
  }

  open(number: number, connection: Connection6): void {
    this.#live.push({ ...connection, number });
  }

  close(number: number): void {
    this.#live = this.#live.filter((one) => one.number !== number);
  }

  /** Closes what has expired; how many. */
  expire(now: number): number {
    const before = this.count;
    this.#live = this.#live.filter(({ expires }) => expires > now);
    return before - this.count;
  }
}

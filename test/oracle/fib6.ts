export interface Route6 {
  readonly address: bigint;
  readonly length: number;
  readonly hop: number;
}

/** The first `length` of 128 bits. */
export function mask6(length: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

/** Longest-prefix match by looking at every route there is. */
export class Fib6Oracle {
  readonly #routes = new Map<string, Route6>();

  insert(route: Route6): void {
    this.#routes.set(`${route.address}/${route.length}`, route);
  }

  remove(address: bigint, length: number): boolean {
    return this.#routes.delete(`${address}/${length}`);
  }

  get routes(): readonly Route6[] {
    return [...this.#routes.values()];
  }

  lookup(destination: bigint): Route6 | undefined {
    let best: Route6 | undefined;
    for (const route of this.#routes.values()) {
      const holds = (destination & mask6(route.length)) === route.address;
      if (holds && route.length >= (best?.length ?? 0)) best = route;
    }
    return best;
  }
}

import { maskOf } from "../../src/net/prefix.js";

export interface Route {
  readonly address: number;
  readonly length: number;
  readonly hop: number;
}

/** Longest-prefix match by looking at every route there is. */
export class Fib4Oracle {
  readonly #routes = new Map<string, Route>();

  insert(route: Route): void {
    this.#routes.set(`${route.address}/${route.length}`, route);
  }

  remove(address: number, length: number): boolean {
    return this.#routes.delete(`${address}/${length}`);
  }

  get routes(): readonly Route[] {
    return [...this.#routes.values()];
  }

  lookup(destination: number): Route | undefined {
    let best: Route | undefined;
    for (const route of this.#routes.values()) {
      const holds = (destination & maskOf(route.length)) >>> 0 === route.address;
      if (holds && route.length >= (best?.length ?? 0)) best = route;
    }
    return best;
  }
}

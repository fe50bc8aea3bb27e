import { STATUS_OK } from "../../assembly/abi/image.js";
import { BareImage } from "../bare-image.js";
import type { Route } from "../oracle/fib4.js";
import type { Route6 } from "../oracle/fib6.js";
import { rows4, rows6 } from "./route-rows.js";

/** An image whose routes may name next hops 0 … hops - 1, and calls for many routes and keys at once. */
export class RouteImage {
  private constructor(readonly bare: BareImage) {}

  static async make(capacity: number, hops: number): Promise<RouteImage> {
    const bare = await BareImage.make({ capacity });
    const set = (at: number) => bare.machine.nextHopSet(bare.address, hops - 1, at);
    if (bare.withWords(new Uint32Array(16), set) !== STATUS_OK)
      throw new Error(`no room for ${hops} next hops`);
    return new RouteImage(bare);
  }

  load4(routes: readonly Route[]): number {
    const { machine, address } = this.bare;
    return this.bare.withWords(rows4(routes), (at) => machine.routesInsert(address, at, routes.length));
  }

  load6(routes: readonly Route6[]): number {
    const { machine, address } = this.bare;
    return this.bare.withWords(rows6(routes), (at) => machine.routes6Insert(address, at, routes.length));
  }

  remove6(routes: readonly Route6[]): number {
    const { machine, address } = this.bare;
    return this.bare.withWords(rows6(routes), (at) => machine.routes6Remove(address, at, routes.length));
  }

  /** Next hops, 0xffffffff for none. */
  lookup4(keys: Uint32Array): Uint32Array {
    const { machine, address } = this.bare;
    return this.#answers(keys, keys.length, (at, results) =>
      machine.routeLookupMany(address, at, keys.length, results),
    );
  }

  /** `keys` as keys6 makes them. */
  lookup6(keys: Uint32Array): Uint32Array {
    const { machine, address } = this.bare;
    return this.#answers(keys, keys.length / 4, (at, results) =>
      machine.route6LookupMany(address, at, keys.length / 4, results),
    );
  }

  #answers(keys: Uint32Array, count: number, run: (at: number, results: number) => number): Uint32Array {
    return this.bare.memory.borrow((keys.length + count) * 4, (at) => {
      this.bare.memory.words(at, keys.length).set(keys);
      run(at, at + keys.length * 4);
      return this.bare.memory.words(at + keys.length * 4, count).slice();
    });
  }
}

import type { Interface } from "../../ruleset/routes.js";
import type { NumberedTable } from "../../trace/numbering.js";
import type { NumberedSet } from "../entries/scope.js";
import { LiveChain } from "./chain.js";

/** Interface 0 is the node itself; this one is nobody's. */
const INTERFACE_NONE = 0xffff;

/** The machine's numbers for chains, sets and interfaces, of all tables. */
export class Numbers {
  /** Chains by number; a number given back is undefined. */
  readonly chains: (LiveChain | undefined)[] = [];
  readonly #sets = new Map<string, NumberedSet>();
  readonly #interfaces = new Map<string, number>();
  readonly #free: number[] = [];

  constructor(readonly interfaces: readonly Interface[]) {
    for (const [index, { name }] of interfaces.entries()) this.#interfaces.set(name, index + 1);
  }

  /** `scope`: whose names they are. */
  addSet(scope: string, name: string, set: NumberedSet): void {
    this.#sets.set(`${scope} ${name}`, set);
  }

  setOf(scope: string, name: string): NumberedSet {
    const set = this.findSet(scope, name);
    if (set === undefined) throw new TypeError(`The ruleset has no set or map ${name}.`);
    return set;
  }

  findSet(scope: string, name: string): NumberedSet | undefined {
    return this.#sets.get(`${scope} ${name}`);
  }

  interfaceNumber(name: string): number {
    return this.#interfaces.get(name) ?? INTERFACE_NONE;
  }

  /** A chain of the least number that is free, or of the one said. */
  takeChain(table: NumberedTable, name: string, number = this.#free.pop() ?? this.chains.length): LiveChain {
    const chain = new LiveChain(number, table, name);
    this.chains[number] = chain;
    return chain;
  }

  giveChain(number: number): void {
    this.chains[number] = undefined;
    this.#free.push(number);
  }

  /** After numbers were given out in any order: those left out are free. */
  sweep(): void {
    for (let number = this.chains.length - 1; number >= 0; number--) {
      if (this.chains[number] === undefined) this.giveChain(number);
    }
  }
}

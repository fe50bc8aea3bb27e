/** Interface 0 is the node itself; this one is nobody's. */
const INTERFACE_NONE = 0xffff;

export interface NumberedSet {
  readonly number: number;
  /** An ipset's type, or `nft`. */
  readonly type: string;
}

/** The machine's numbers for what a ruleset calls by name. */
export class Numbers {
  readonly #chains = new Map<string, number>();
  readonly #sets = new Map<string, NumberedSet>();
  readonly #interfaces = new Map<string, number>();

  constructor(interfaces: readonly string[]) {
    for (const [index, name] of interfaces.entries()) this.#interfaces.set(name, index + 1);
  }

  addChain(table: string, name: string): number {
    const number = this.#chains.size;
    this.#chains.set(`${table} ${name}`, number);
    return number;
  }

  addSet(name: string, number: number, type: string): void {
    this.#sets.set(name, { number, type });
  }

  /** TypeError when the ruleset jumps to a chain that it does not have. */
  chainNumber(table: string, name: string): number {
    const number = this.#chains.get(`${table} ${name}`);
    if (number === undefined) throw new TypeError(`Table ${table} has no chain ${name} to jump to.`);
    return number;
  }

  setOf(name: string): NumberedSet {
    const set = this.#sets.get(name);
    if (set === undefined) throw new TypeError(`The ruleset has no set or map ${name}.`);
    return set;
  }

  /** An interface that the node does not have matches nothing. */
  interfaceNumber(name: string): number {
    return this.#interfaces.get(name) ?? INTERFACE_NONE;
  }
}

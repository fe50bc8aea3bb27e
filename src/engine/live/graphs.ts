import { Words } from "../entries/words.js";
import type { LiveChain } from "./chain.js";
import type { ChainGraph } from "./loops.js";

type Chains = readonly (LiveChain | undefined)[];

function describe(chain: LiveChain | undefined): string {
  return `Chain ${chain?.name} of table ${chain?.of.title}`;
}

/** All chains while they are loaded: hand-overs behind one another, noted and counted as references in one pass. */
export class LoadedGraph implements ChainGraph {
  readonly #chains: Chains;
  readonly #targets = new Words(1024);
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #marks: Uint8Array;

  constructor(chains: Chains) {
    this.#chains = chains;
    this.#starts = new Uint32Array(chains.length);
    this.#ends = new Uint32Array(chains.length);
    this.#marks = new Uint8Array(chains.length);
  }

  begin(chain: number): void {
    this.#starts[chain] = this.#targets.length;
  }

  /** A hand-over of a rule. */
  add(to: number): void {
    this.#targets.push1(to);
    const chain = this.#chains[to];
    if (chain !== undefined) chain.references++;
  }

  /** Those of a map that a rule asks: its elements were counted as they were loaded. */
  addMap(to: readonly number[]): void {
    this.#targets.append(to);
  }

  end(chain: number): void {
    this.#ends[chain] = this.#targets.length;
  }

  count(chain: number): number {
    return (this.#ends[chain] as number) - (this.#starts[chain] as number);
  }

  target(chain: number, index: number): number {
    return this.#targets.array[(this.#starts[chain] as number) + index] as number;
  }

  describe(chain: number): string {
    return describe(this.#chains[chain]);
  }

  mark(chain: number): number {
    return this.#marks[chain] as number;
  }

  setMark(chain: number, mark: number): void {
    this.#marks[chain] = mark;
  }
}

/** The few chains below a change. */
export class ChangedGraph implements ChainGraph {
  readonly #chains: Chains;
  readonly #next: (chain: number) => readonly number[];
  readonly #known = new Map<number, readonly number[]>();
  readonly #marks = new Map<number, number>();

  constructor(chains: Chains, next: (chain: number) => readonly number[]) {
    this.#chains = chains;
    this.#next = next;
  }

  count(chain: number): number {
    return this.#nextOf(chain).length;
  }

  target(chain: number, index: number): number {
    return this.#nextOf(chain)[index] as number;
  }

  describe(chain: number): string {
    return describe(this.#chains[chain]);
  }

  mark(chain: number): number {
    return this.#marks.get(chain) ?? 0;
  }

  setMark(chain: number, mark: number): void {
    this.#marks.set(chain, mark);
  }

  #nextOf(chain: number): readonly number[] {
    const next = this.#known.get(chain) ?? this.#next(chain);
    this.#known.set(chain, next);
    return next;
  }
}

/** A set or map by its exact table's number. */
export interface NumberedSet {
  readonly number: number;
  /** An ipset's type, or `nft`, or `dynamic` for a set that rules fill. */
  readonly type: string;
}

/** What the rules of one table may name, as the machine numbers it. */
export interface Scope {
  /** A chain of the same table; it need not be there yet. */
  chainNumber(name: string): number;
  /** TypeError for a set or map that the ruleset does not have. */
  setOf(name: string): NumberedSet;
  /** An interface that the node does not have has a number that matches nothing. */
  interfaceNumber(name: string): number;
}

import type { Family } from "../../net/ip.js";
import type { Interface } from "../../ruleset/routes.js";

/** A set or map by its exact table's number. */
export interface NumberedSet {
  readonly number: number;
  /** An ipset's type, or `nft`, or `dynamic` for a set that rules fill. */
  readonly type: string;
}

/** A set that rules fill, by its list's number: seconds that an address stays, and how many it holds. */
export interface NumberedClients extends NumberedSet {
  readonly type: "dynamic";
  readonly timeout: number;
  readonly size: number;
}

export function isClients(set: NumberedSet): set is NumberedClients {
  return set.type === "dynamic";
}

/** What the rules of one table may name, as the machine numbers it. */
export interface Scope {
  /** Of the packets that the rules see. */
  readonly family: Family;
  /** Interface n is interfaces[n - 1]. */
  readonly interfaces: readonly Interface[];
  /** A chain of the same table; it need not be there yet. */
  chainNumber(name: string): number;
  /** TypeError for a set or map that the ruleset does not have. */
  setOf(name: string): NumberedSet;
  /** The ipset of that name; undefined where the ruleset has none. */
  ipsetOf(name: string): NumberedSet | undefined;
  /** The number of a list of recent's, which a rule more names now. */
  listOf(name: string): number;
  /** An interface that the node does not have has a number that matches nothing. */
  interfaceNumber(name: string): number;
}

import type { Diagnostic } from "../diagnostics.js";
import type { Service } from "../model/service.js";
import type { ServiceObjects } from "../model/service-objects.js";
import type { RulesetStep } from "../ruleset/change.js";
import type { Rule } from "../ruleset/iptables.js";
import type { CountersOf } from "../ruleset/server-counters.js";

/** What one Service and its EndpointSlices add to a node's ruleset. */
export interface Fragment {
  readonly service: Service | undefined;
  /** Endpoints of all its ports, in any state. */
  readonly endpoints: number;
  /** What is told of this Service, whatever others there are; absent where nothing ever is. */
  readonly diagnostics?: readonly Diagnostic[];
}

export type Key = number | string;

/** A part of a ruleset whose elements have a key each and no order, and the steps that change it. */
export interface Collection<F, T = unknown> {
  elementsOf(fragment: F): readonly T[];
  keyOf(element: T): Key;
  /** Adds the element, or replaces that of the same key. */
  set(element: T): RulesetStep;
  removed(element: T): RulesetStep;
  /** What is told of a Service's element whose key another element holds; absent where nothing is lost by it. */
  clash?(service: Service, element: T, holder: T): Diagnostic | undefined;
}

/** A chain that holds rules of every Service, in the order of Services, from its first rule on. */
export interface SharedChain<F> {
  /** Of ip6tables; absent for iptables. */
  readonly family?: 6;
  readonly table: string;
  readonly chain: string;
  rulesOf(fragment: F): readonly Rule[];
}

/** Writes a part of a ruleset Service by Service. `Whole` is that part. */
export interface FrontEnd<F extends Fragment = Fragment, Whole = unknown> {
  /** Where a cluster of many endpoints is written differently: past how many, and what counts them. */
  readonly largeCluster?: { readonly endpoints: number; count(objects: ServiceObjects): number };
  /** `before` is what was written of the same Service: what is as it was may be taken from there. */
  write(objects: ServiceObjects, isLarge: boolean, before?: F): F;
  /** What stands for a moment between two fragments of a Service; undefined where one follows the other at once. */
  between?(before: F, after: F): F | undefined;
  /** What has become of a fragment by itself, going by its connections; the same where nothing has. */
  settle?(fragment: F, countersOf: CountersOf): F;
  /** Everything, of the fragments in the order of Services. */
  finish(fragments: readonly F[]): Whole;
  /** Chains that belong to one Service alone. */
  readonly ownChains?: Collection<F>;
  readonly sharedChains?: readonly SharedChain<F>[];
  /** Elements that several Services may claim: the first Service in order has them. */
  readonly collections: readonly Collection<F>[];
  /** What else changes where the collections grew or shrank from some sizes to others (in the order of `collections`). */
  consequences?(before: readonly number[], after: readonly number[]): readonly RulesetStep[];
}

/** Whether the cluster is a large one to this front end. Counts no further than it must. */
function isLargeFor({ largeCluster }: FrontEnd, all: Iterable<ServiceObjects>): boolean {
  if (largeCluster === undefined) return false;
  let endpoints = 0;
  for (const objects of all) {
    endpoints += largeCluster.count(objects);
    if (endpoints > largeCluster.endpoints) return true;
  }
  return false;
}

/** The fragments of all Services, in the order given. */
export function writeAll<F extends Fragment>(
  frontEnd: FrontEnd<F>,
  all: readonly ServiceObjects[],
): readonly F[] {
  const isLarge = isLargeFor(frontEnd, all);
  return all.map((objects) => frontEnd.write(objects, isLarge));
}

/** What a front end makes of a whole cluster at once. */
export function compileWith<F extends Fragment, Whole>(
  frontEnd: FrontEnd<F, Whole>,
  all: readonly ServiceObjects[],
): Whole {
  return frontEnd.finish(writeAll(frontEnd, all));
}

/** What the fragments have, one after another (flatMap takes several times as long for hundreds of thousands). */
export function inOrder<F, T>(fragments: readonly F[], of: (fragment: F) => readonly T[]): readonly T[] {
  const all: T[] = [];
  for (const fragment of fragments) for (const one of of(fragment)) all.push(one);
  return all;
}

/** A collection as the fragments leave it: of elements of one key the first stands. */
export function elementsOf<F extends Fragment, T>(
  { elementsOf, keyOf, clash }: Collection<F, T>,
  fragments: readonly F[],
): { readonly elements: readonly T[]; readonly clashes: readonly Diagnostic[] } {
  const standing = new Map<Key, T>();
  const clashes: Diagnostic[] = [];
  for (const fragment of fragments) {
    for (const element of elementsOf(fragment)) {
      const key = keyOf(element);
      const holder = standing.get(key);
      if (holder === undefined) standing.set(key, element);
      else if (fragment.service !== undefined) {
        const told = clash?.(fragment.service, element, holder);
        if (told !== undefined) clashes.push(told);
      }
    }
  }
  return { elements: [...standing.values()], clashes };
}

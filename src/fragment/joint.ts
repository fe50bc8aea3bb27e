import type { Collection, Fragment, FrontEnd } from "./front-end.js";

/** What one Service adds through two front ends. */
export interface JointFragment<A, B> extends Fragment {
  readonly first: A;
  readonly second: B;
}

/** A collection of a fragment's part. */
function within<Whole, Part>(
  collection: Collection<Part>,
  partOf: (fragment: Whole) => Part,
): Collection<Whole> {
  return { ...collection, elementsOf: (fragment) => collection.elementsOf(partOf(fragment)) };
}

/**
 * Two front ends as one. The first may have chains, warnings and a size past which clusters are large; the second
 * has collections alone.
 */
export function joint<A extends Fragment, B extends Fragment, WholeA, WholeB>(
  first: FrontEnd<A, WholeA>,
  second: Pick<FrontEnd<B, WholeB>, "write" | "finish" | "collections">,
): FrontEnd<JointFragment<A, B>, readonly [WholeA, WholeB]> {
  type Joint = JointFragment<A, B>;
  const firstOf = (fragment: Joint) => fragment.first;
  const { largeCluster, ownChains, sharedChains = [], consequences } = first;
  return {
    ...(largeCluster === undefined ? {} : { largeCluster }),
    write: (objects, isLarge, before) => {
      const made = first.write(objects, isLarge, before?.first);
      const { service, endpoints, diagnostics } = made;
      return { service, endpoints, diagnostics, first: made, second: second.write(objects, isLarge) };
    },
    finish: (fragments) => [
      first.finish(fragments.map(firstOf)),
      second.finish(fragments.map((fragment) => fragment.second)),
    ],
    ...(ownChains === undefined ? {} : { ownChains: within(ownChains, firstOf) }),
    sharedChains: sharedChains.map((chain) => ({
      ...chain,
      rulesOf: (fragment) => chain.rulesOf(fragment.first),
    })),
    // The first one's come first: its consequences take them by their place.
    collections: [
      ...first.collections.map((collection) => within(collection, firstOf)),
      ...second.collections.map((collection) => within(collection, (fragment: Joint) => fragment.second)),
    ],
    ...(consequences === undefined ? {} : { consequences }),
  };
}

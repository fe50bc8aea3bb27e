export interface OracleRoute {
  readonly address: bigint;
  readonly length: number;
  readonly hop: number;
}

/** Where each run of addresses with one answer begins, in order from 0, and its next hop (undefined: no route). */
export interface Intervals {
  readonly starts: readonly bigint[];
  readonly hops: readonly (number | undefined)[];
}

/**
 * Longest-prefix match as a list of intervals: routes sorted by their first address, shorter first, are swept with a
 * stack of those that still hold. Knows nothing of tries. Of equal prefixes the last counts.
 */
export function intervalsOf(routes: readonly OracleRoute[], bits: number): Intervals {
  const lastOf = (route: OracleRoute) => route.address + (1n << BigInt(bits - route.length)) - 1n;
  const sorted = routes.map((route, order) => ({ ...route, last: lastOf(route), order }));
  sorted.sort(
    (a, b) =>
      Number(a.address > b.address) - Number(a.address < b.address) ||
      a.length - b.length ||
      a.order - b.order,
  );
  const starts = [0n];
  const hops: (number | undefined)[] = [undefined];
  const begin = (at: bigint, hop: number | undefined) => {
    if (at >> BigInt(bits) !== 0n) return;
    if (starts.at(-1) === at) hops[hops.length - 1] = hop;
    else if (hops.at(-1) !== hop) {
      starts.push(at);
      hops.push(hop);
    }
  };
  const holding: typeof sorted = [];
  const closeBefore = (at: bigint) => {
    for (let top = holding.at(-1); top !== undefined && top.last < at; top = holding.at(-1)) {
      holding.pop();
      begin(top.last + 1n, holding.at(-1)?.hop);
    }
  };
  for (const route of sorted) {
    closeBefore(route.address);
    begin(route.address, route.hop);
    holding.push(route);
  }
  closeBefore(1n << BigInt(bits));
  return { starts, hops };
}

/** The answer at an address, by bisection. */
export function hopAt({ starts, hops }: Intervals, address: bigint): number | undefined {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as bigint) <= address) low = middle;
    else high = middle - 1;
  }
  return hops[low];
}

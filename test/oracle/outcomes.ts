/** Chains that choose at random, as plain data, and all that may come of them by going through every choice. */
export type Step =
  /** With a chance of threshold / 2^31 on to a chain, or to an end; otherwise the next step. */
  | { readonly kind: "chance"; readonly threshold: number; readonly to: To }
  | { readonly kind: "always"; readonly to: To };

/** A chain by its number, an end by its name, or back to where the chain was come from. */
export type To = { readonly chain: number } | { readonly end: string } | "return";

const ALL = 2n ** 31n;

/** Probability as [numerator, denominator], never reduced. */
export type Ratio = readonly [numerator: bigint, denominator: bigint];

type Ends = Map<string, Ratio>;

function add(ends: Ends, end: string, [n, d]: Ratio): void {
  const [m, e] = ends.get(end) ?? [0n, 1n];
  ends.set(end, [m * d + n * e, d * e]);
}

/** The rest of the way: from a step of a chain on, and then from where that chain was come from. */
type Rest = readonly (readonly [chain: number, step: number])[];

/** Where a packet that walks chain 0 ends, with what probability; `none` is the end of those that nothing sends on. */
export function endsOf(chains: readonly (readonly Step[])[], none: string): Ends {
  const ends: Ends = new Map();
  const follow = (to: To, [after, ...back]: Rest, ratio: Ratio) => {
    if (to === "return") go(back, ratio);
    else if ("end" in to) add(ends, to.end, ratio);
    else go([[to.chain, 0], ...(after === undefined ? [] : [after]), ...back], ratio);
  };
  const go = ([at, ...back]: Rest, [n, d]: Ratio) => {
    if (at === undefined) {
      add(ends, none, [n, d]);
      return;
    }
    const step = chains[at[0]]?.[at[1]];
    if (step === undefined) {
      go(back, [n, d]);
      return;
    }
    const rest: Rest = [[at[0], at[1] + 1], ...back];
    const hits = step.kind === "always" ? ALL : BigInt(step.threshold);
    if (hits > 0n) follow(step.to, rest, [n * hits, d * ALL]);
    if (hits < ALL) go(rest, [n * (ALL - hits), d * ALL]);
  };
  go([[0, 0]], [1n, 1n]);
  return ends;
}

import { type Crossover, crossoverOf, modesOf } from "./analysis.js";
import type { ComparisonRow } from "./comparison.js";
import { inMode } from "./mode.js";
import { printCount, printTime } from "./quantity.js";
import { services } from "./wording.js";

type Rows = readonly ComparisonRow[];

interface Found extends Crossover {
  readonly mode: string;
}

/** Crossings that lie within this factor of each other are told in one sentence. */
const CLOSE = 2;

/** From where on iptables mode is dearer than each other mode; modes of which the same is true share a sentence. */
export function crossoverFindings(rows: Rows): readonly string[] {
  const found = modesOf(rows)
    .filter((mode) => mode !== "iptables")
    .flatMap((mode): readonly Found[] => {
      const crossover = crossoverOf(rows, "iptables", mode);
      return crossover === undefined ? [] : [{ ...crossover, mode }];
    });
  return bundled(found).map(sentenceOf);
}

/** Neighbours in the order of the rows, as long as the same can be said of them. */
function bundled(found: readonly Found[]): readonly (readonly [Found, ...Found[]])[] {
  const bundles: [Found, ...Found[]][] = [];
  for (const one of found) {
    const fitting = bundles.find((bundle) => bundle.every((other) => isSame(one, other)));
    if (fitting === undefined) bundles.push([one]);
    else fitting.push(one);
  }
  return bundles;
}

function isSame(a: Found, b: Found): boolean {
  const [x, y] = [a.services ?? 1, b.services ?? 1];
  const spans = [a, b].map(({ smallest, largest }) => [smallest[0].services, largest[0].services].join());
  return a.kind === b.kind && spans[0] === spans[1] && Math.max(x, y) <= CLOSE * Math.min(x, y);
}

function sentenceOf(bundle: readonly [Found, ...Found[]]): string {
  const [{ kind, smallest, largest }] = bundle;
  const from = smallest[0].services;
  const others = bundle.map(({ mode }) => inMode(mode)).join(" or ");
  const theirs = bundle.map((one) => printTime(one.smallest[1].newConnection.p50)).join(" and ");
  const small = `${printTime(smallest[0].newConnection.p50)} against ${theirs}`;
  if (kind === "dearer")
    return `iptables mode is dearer than ${others} at every size measured, from ${services(from)} on (${small}).`;
  if (kind === "never")
    return `iptables mode is nowhere clearly dearer than ${others} between ${printCount(from)} and ${services(largest[0].services)}.`;
  return `Up to about ${crossing(bundle)} Services iptables mode is not clearly dearer than ${others} (at ${printCount(from)}: ${small}); beyond, it is.`;
}

/** `11`, `11 to 17`. */
function crossing(bundle: readonly Found[]): string {
  const sizes = bundle.map((one) => one.services ?? 0);
  const ends = [Math.min(...sizes), Math.max(...sizes)].map((size) =>
    printCount(Number(size.toPrecision(2))),
  );
  return [...new Set(ends)].join(" to ");
}

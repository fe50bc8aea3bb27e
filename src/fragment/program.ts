import type { ObjectName } from "../model/object-name.js";
import type { ServiceObjects } from "../model/service-objects.js";
import type { RulesetStep } from "../ruleset/change.js";
import { isSame } from "../ruleset/same.js";
import type { CountersOf } from "../ruleset/server-counters.js";
import { Claims, type Entry, type Rewrite, retold } from "./claims.js";
import { type Collection, type Fragment, type FrontEnd, type SharedChain, writeAll } from "./front-end.js";
import { Sequence } from "./sequence.js";

/** An entry that can be written again. */
interface Written<F> extends Entry<F> {
  objects: ServiceObjects;
}

/** How a Service is written: for a large cluster or not, and without what was written before. */
interface Manner {
  readonly isLarge: boolean;
  readonly anew: boolean;
}

/** What a front end has written, kept Service by Service: a change is told by the fragment that it concerns. */
export class Program<F extends Fragment, Whole> {
  readonly #frontEnd: FrontEnd<F, Whole>;
  readonly #entries: Sequence<Written<F>>;
  readonly #sharedChains: readonly SharedChain<F>[];
  readonly #claims: readonly Claims<F, unknown>[];
  #endpoints = 0;

  constructor(frontEnd: FrontEnd<F, Whole>, sorted: readonly ServiceObjects[]) {
    this.#frontEnd = frontEnd;
    this.#sharedChains = frontEnd.sharedChains ?? [];
    const fragments = writeAll(frontEnd, sorted);
    const entries = sorted.map((objects, index): Written<F> => {
      const { namespace, name } = objects;
      return { namespace, name, objects, fragment: fragments[index] as F };
    });
    const counts = this.#sharedChains.map(({ rulesOf }) => {
      return ({ fragment }: Written<F>) => rulesOf(fragment).length;
    });
    this.#entries = new Sequence(entries, counts);
    this.#claims = frontEnd.collections.map((collection) => new Claims(collection, entries));
    for (const { endpoints } of fragments) this.#endpoints += endpoints;
  }

  /** Everything, as it is now. */
  get whole(): Whole {
    return this.#frontEnd.finish(Array.from(this.#entries, ({ fragment }) => fragment));
  }

  /** The objects of all Services, as they are now. */
  get objects(): readonly ServiceObjects[] {
    return Array.from(this.#entries, ({ objects }) => objects);
  }

  /** The objects of one Service as they are now. */
  objectsOf({ namespace, name }: ObjectName): ServiceObjects {
    const found = this.#entries.find({ namespace, name });
    return found?.objects ?? { namespace, name, service: undefined, slices: [] };
  }

  /** Takes up what has become of one Service, and tells the steps. Neither object left: it is gone. */
  change(objects: ServiceObjects): readonly RulesetStep[] {
    const wasLarge = this.#isLarge;
    const { consequences } = this.#frontEnd;
    const sizes = consequences === undefined ? [] : this.#claims.map(({ size }) => size);
    const steps: RulesetStep[] = [];
    this.#rewrite(objects, { isLarge: wasLarge, anew: false }, steps);
    if (this.#isLarge !== wasLarge) {
      const anew = { isLarge: !wasLarge, anew: true };
      for (const entry of this.#entries) this.#rewrite(entry.objects, anew, steps);
    }
    if (consequences !== undefined && this.#claims.some(({ size }, index) => size !== sizes[index])) {
      const now = this.#claims.map(({ size }) => size);
      steps.push(...consequences(sizes, now));
    }
    return steps;
  }

  /** Takes up what has become of fragments by themselves, and tells the steps. */
  settle(countersOf: CountersOf): readonly RulesetStep[] {
    const { settle } = this.#frontEnd;
    const steps: RulesetStep[] = [];
    if (settle === undefined) return steps;
    for (const entry of this.#entries) {
      const after = settle(entry.fragment, countersOf);
      if (after !== entry.fragment) this.#replace(entry, after, steps);
    }
    return steps;
  }

  get #isLarge(): boolean {
    const { largeCluster } = this.#frontEnd;
    return largeCluster !== undefined && this.#endpoints > largeCluster.endpoints;
  }

  #rewrite(objects: ServiceObjects, { isLarge, anew }: Manner, steps: RulesetStep[]): void {
    const entry = this.#entryOf(objects, isLarge);
    const before = entry.fragment;
    const after = this.#frontEnd.write(objects, isLarge, anew ? undefined : before);
    const between = this.#frontEnd.between?.(before, after);
    if (between !== undefined) this.#replace(entry, between, steps);
    this.#replace(entry, after, steps);
    entry.objects = objects;
    if (objects.service === undefined && objects.slices.length === 0) this.#entries.remove(entry);
  }

  /** What is new comes first and what is gone leaves last, so that no rule leads astray between two steps. */
  #replace(entry: Written<F>, after: F, steps: RulesetStep[]): void {
    const before = entry.fragment;
    const rewrite: Rewrite<F> = { entry, before, after };
    const gone = this.#ownSteps(rewrite, steps);
    this.#splice(rewrite, steps);
    for (const claims of this.#claims) claims.change(rewrite, steps);
    steps.push(...gone, ...retold(before.diagnostics ?? [], after.diagnostics ?? []));
    this.#endpoints += after.endpoints - before.endpoints;
    this.#entries.recount(entry, () => {
      entry.fragment = after;
    });
  }

  #entryOf(objects: ServiceObjects, isLarge: boolean): Written<F> {
    const found = this.#entries.find(objects);
    if (found !== undefined) return found;
    const { namespace, name } = objects;
    const empty: ServiceObjects = { namespace, name, service: undefined, slices: [] };
    const made = { namespace, name, objects: empty, fragment: this.#frontEnd.write(empty, isLarge) };
    this.#entries.add(made);
    return made;
  }

  /** Tells the chains of the Service alone that come or change; returns the steps for those that go. */
  #ownSteps({ before, after }: Rewrite<F>, steps: RulesetStep[]): readonly RulesetStep[] {
    const { ownChains } = this.#frontEnd;
    return ownChains === undefined ? [] : ownSteps(ownChains, before, after, steps);
  }

  #splice({ entry, before, after }: Rewrite<F>, steps: RulesetStep[]): void {
    for (const [which, { rulesOf, ...place }] of this.#sharedChains.entries()) {
      const old = rulesOf(before);
      const rules = rulesOf(after);
      if (isSame(old, rules)) continue;
      const at = this.#entries.before(entry, which);
      steps.push({ kind: "rules-spliced", ...place, at, removed: old.length, rules });
    }
  }
}

function ownSteps<F>(
  ownChains: Collection<F>,
  before: F,
  after: F,
  steps: RulesetStep[],
): readonly RulesetStep[] {
  const left = new Map<unknown, unknown>();
  for (const chain of ownChains.elementsOf(before)) left.set(ownChains.keyOf(chain), chain);
  for (const chain of ownChains.elementsOf(after)) {
    const key = ownChains.keyOf(chain);
    if (!isSame(left.get(key), chain)) steps.push(ownChains.set(chain));
    left.delete(key);
  }
  return Array.from(left.values(), (chain) => ownChains.removed(chain));
}

import type { ServiceObjects } from "../model/service-objects.js";
import type { RulesetStep } from "../ruleset/change.js";
import { isSame } from "../ruleset/same.js";
import { Claims, type Entry, type Rewrite, retold } from "./claims.js";
import { type Collection, type Fragment, type FrontEnd, type SharedChain, writeAll } from "./front-end.js";
import { Sequence } from "./sequence.js";

/** An entry that can be written again. */
interface Written<F> extends Entry<F> {
  objects: ServiceObjects;
}

/** What one front end has written, kept Service by Service: a change is told by the fragments that it concerns. */
export class Program<F extends Fragment, Whole> {
  readonly #frontEnd: FrontEnd<F, Whole>;
  readonly #entries: Sequence<Written<F>>;
  readonly #claims: readonly Claims<F, unknown>[];
  #endpoints = 0;

  constructor(frontEnd: FrontEnd<F, Whole>, sorted: readonly ServiceObjects[]) {
    this.#frontEnd = frontEnd;
    const fragments = writeAll(frontEnd, sorted);
    const entries = sorted.map((objects, index): Written<F> => {
      const { namespace, name } = objects;
      return { namespace, name, objects, fragment: fragments[index] as F };
    });
    const counts = this.#sharedChains.map(
      ({ rulesOf }) =>
        ({ fragment }: Written<F>) =>
          rulesOf(fragment).length,
    );
    this.#entries = new Sequence(entries, counts);
    this.#claims = frontEnd.collections.map((collection) => new Claims(collection, entries));
    for (const { endpoints } of fragments) this.#endpoints += endpoints;
  }

  /** Everything, as it is now. */
  get whole(): Whole {
    return this.#frontEnd.finish(Array.from(this.#entries, ({ fragment }) => fragment));
  }

  get #sharedChains(): readonly SharedChain<F>[] {
    return this.#frontEnd.sharedChains ?? [];
  }

  /** Takes up what has become of one Service, and tells the steps. Neither object left: it is gone. */
  change(objects: ServiceObjects): readonly RulesetStep[] {
    const wasLarge = this.#isLarge;
    const sizes = this.#claims.map(({ size }) => size);
    const steps = this.#rewrite(objects, wasLarge);
    if (this.#isLarge !== wasLarge) {
      for (const entry of this.#entries) steps.push(...this.#rewrite(entry.objects, !wasLarge));
    }
    const now = this.#claims.map(({ size }) => size);
    return [...steps, ...(this.#frontEnd.consequences?.(sizes, now) ?? [])];
  }

  get #isLarge(): boolean {
    const { largeCluster } = this.#frontEnd;
    return largeCluster !== undefined && this.#endpoints > largeCluster.endpoints;
  }

  /** What is new comes first and what is gone leaves last, so that no rule leads astray between two steps. */
  #rewrite(objects: ServiceObjects, isLarge: boolean): RulesetStep[] {
    const entry = this.#entryOf(objects, isLarge);
    const before = entry.fragment;
    const after = this.#frontEnd.write(objects, isLarge);
    const rewrite: Rewrite<F> = { entry, before, after };
    const [made, gone] = ownSteps(this.#frontEnd.ownChains, before, after);
    const steps = [
      ...made,
      ...this.#splices(rewrite),
      ...this.#claims.flatMap((claims) => claims.change(rewrite)),
      ...gone,
      ...retold(before.diagnostics, after.diagnostics),
    ];
    this.#endpoints += after.endpoints - before.endpoints;
    this.#entries.recount(entry, () => {
      entry.fragment = after;
      entry.objects = objects;
    });
    if (objects.service === undefined && objects.slices.length === 0) this.#entries.remove(entry);
    return steps;
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

  #splices({ entry, before, after }: Rewrite<F>): readonly RulesetStep[] {
    return this.#sharedChains.flatMap(({ table, chain, rulesOf }, which): readonly RulesetStep[] => {
      const old = rulesOf(before);
      const rules = rulesOf(after);
      if (isSame(old, rules)) return [];
      const at = this.#entries.before(entry, which);
      return [{ kind: "rules-spliced", table, chain, at, removed: old.length, rules }];
    });
  }
}

/** The steps for parts of one Service alone: those that make or replace, and those that remove. */
function ownSteps<F>(
  collection: Collection<F> | undefined,
  before: F,
  after: F,
): readonly [readonly RulesetStep[], readonly RulesetStep[]] {
  if (collection === undefined) return [[], []];
  const left = new Map(collection.elementsOf(before).map((part) => [collection.keyOf(part), part]));
  const made: RulesetStep[] = [];
  for (const part of collection.elementsOf(after)) {
    const key = collection.keyOf(part);
    if (!isSame(left.get(key), part)) made.push(collection.set(part));
    left.delete(key);
  }
  return [made, Array.from(left.values(), (part) => collection.removed(part))];
}

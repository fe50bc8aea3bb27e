import type { Diagnostic } from "../diagnostics.js";
import type { ObjectName } from "../model/object-name.js";
import type { RulesetStep } from "../ruleset/change.js";
import { isSame } from "../ruleset/same.js";
import type { Collection, Fragment, Key } from "./front-end.js";
import { firstFrom } from "./sequence.js";

/** A Service's place among the others, and its fragment as it is now. */
export interface Entry<F> extends ObjectName {
  fragment: F;
}

/** One Service's fragment before and after a change. */
export interface Rewrite<F> {
  readonly entry: Entry<F>;
  readonly before: F;
  readonly after: F;
}

/** Elements by key; of several the first. */
function byKey<F, T>(collection: Collection<F, T>, fragment: F): ReadonlyMap<Key, T> {
  const found = new Map<Key, T>();
  for (const element of collection.elementsOf(fragment)) {
    const key = collection.keyOf(element);
    if (!found.has(key)) found.set(key, element);
  }
  return found;
}

/**
 * Who claims which key of a collection. The first claimant in the order of Services holds it; when that one leaves,
 * the next takes over.
 */
export class Claims<F extends Fragment, T> {
  readonly #collection: Collection<F, T>;
  /** Most keys have one claimant; of several each stands once, in order. */
  readonly #claimants = new Map<Key, Entry<F> | Entry<F>[]>();

  constructor(collection: Collection<F, T>, sorted: Iterable<Entry<F>>) {
    this.#collection = collection;
    for (const entry of sorted) {
      for (const element of collection.elementsOf(entry.fragment))
        this.#add(collection.keyOf(element), entry);
    }
  }

  /** How many elements the collection has. */
  get size(): number {
    return this.#claimants.size;
  }

  /** Takes one Service's change up and tells the steps of the collection and of what is told about it. */
  change(rewrite: Rewrite<F>, steps: RulesetStep[]): void {
    const { before, after } = rewrite;
    if (before.service === after.service && isSame(this.#elementsOf(before), this.#elementsOf(after))) return;
    const old = byKey(this.#collection, before);
    const made = byKey(this.#collection, after);
    for (const key of old.keys()) this.#changeKey(key, rewrite, old, made, steps);
    for (const key of made.keys()) if (!old.has(key)) this.#changeKey(key, rewrite, old, made, steps);
  }

  #changeKey(
    key: Key,
    rewrite: Rewrite<F>,
    old: ReadonlyMap<Key, T>,
    made: ReadonlyMap<Key, T>,
    steps: RulesetStep[],
  ): void {
    const held = this.#holderOf(key, rewrite.entry, old);
    if (!made.has(key)) this.#remove(key, rewrite.entry);
    else if (!old.has(key)) this.#add(key, rewrite.entry);
    const holds = this.#holderOf(key, rewrite.entry, made);
    if (holds === undefined) steps.push(this.#collection.removed(held as T));
    else if (!isSame(held, holds)) steps.push(this.#collection.set(holds));
    if (this.#collection.clash !== undefined) this.#retell(key, rewrite, held, holds, steps);
  }

  /** The element that stands for the key; of the Service that changes those given. */
  #holderOf(key: Key, changing: Entry<F>, own: ReadonlyMap<Key, T>): T | undefined {
    const claimants = this.#claimants.get(key);
    const first = Array.isArray(claimants) ? claimants[0] : claimants;
    if (first === undefined) return undefined;
    if (first === changing) return own.get(key);
    return this.#elementsOf(first.fragment).find((one) => this.#collection.keyOf(one) === key);
  }

  /** What is no longer told, and what is now, of elements that do not stand. */
  #retell(
    key: Key,
    { entry, before, after }: Rewrite<F>,
    held: T | undefined,
    holds: T | undefined,
    steps: RulesetStep[],
  ): void {
    steps.push(...retold(this.#clashes(key, before, held), this.#clashes(key, after, holds)));
    const claimants = this.#claimants.get(key);
    // What others lost depends on the holder alone.
    if (claimants === undefined || claimants === entry || isSame(held, holds)) return;
    for (const one of Array.isArray(claimants) ? claimants : [claimants]) {
      if (one === entry) continue;
      steps.push(...retold(this.#clashes(key, one.fragment, held), this.#clashes(key, one.fragment, holds)));
    }
  }

  #elementsOf(fragment: F): readonly T[] {
    return this.#collection.elementsOf(fragment);
  }

  #clashes(key: Key, fragment: F, holder: T | undefined): readonly Diagnostic[] {
    const { service } = fragment;
    if (service === undefined || holder === undefined) return [];
    return this.#elementsOf(fragment)
      .filter((element) => element !== holder && this.#collection.keyOf(element) === key)
      .map((element) => this.#collection.clash?.(service, element, holder))
      .filter((told) => told !== undefined);
  }

  #add(key: Key, entry: Entry<F>): void {
    const found = this.#claimants.get(key);
    if (found === undefined) this.#claimants.set(key, entry);
    else if (Array.isArray(found)) {
      const at = firstFrom(found, entry);
      if (found[at] !== entry) found.splice(at, 0, entry);
    } else if (found !== entry) {
      this.#claimants.set(key, firstFrom([found], entry) === 0 ? [entry, found] : [found, entry]);
    }
  }

  #remove(key: Key, entry: Entry<F>): void {
    const found = this.#claimants.get(key);
    if (!Array.isArray(found)) this.#claimants.delete(key);
    else if (found.length === 2) this.#claimants.set(key, found[found[0] === entry ? 1 : 0] as Entry<F>);
    else found.splice(firstFrom(found, entry), 1);
  }
}

/** Diagnostics that came and went; of equal ones as many as there are. */
export function retold(before: readonly Diagnostic[], after: readonly Diagnostic[]): readonly RulesetStep[] {
  if (before.length === 0 && after.length === 0) return [];
  const left = [...after];
  const steps: RulesetStep[] = [];
  for (const diagnostic of before) {
    const at = left.findIndex((one) => isSame(one, diagnostic));
    if (at < 0) steps.push({ kind: "diagnostic-removed", diagnostic });
    else left.splice(at, 1);
  }
  return [...steps, ...left.map((diagnostic) => ({ kind: "diagnostic-added" as const, diagnostic }))];
}

import type { Pod } from "../pod.js";

/** key → value → the Pods with that label, of one namespace. */
type LabelIndex = Map<string, Map<string, Pod[]>>;

const NONE: readonly Pod[] = [];

/**
 * Finds Pods by selector without walking all of them: the rarest label of the selector names the candidates, the
 * others are tested. Pods come out in the order they were given.
 */
export class Selection {
  private readonly namespaces = new Map<string, LabelIndex>();

  constructor(pods: readonly Pod[]) {
    for (const pod of pods) {
      const labels = getOrMake(this.namespaces, pod.namespace, (): LabelIndex => new Map());
      for (const [key, value] of pod.labels) {
        const values = getOrMake(labels, key, () => new Map<string, Pod[]>());
        getOrMake(values, value, (): Pod[] => []).push(pod);
      }
    }
  }

  /** Pods of the namespace that have every label of the selector, which has at least one. */
  select(namespace: string, selector: ReadonlyMap<string, string>): readonly Pod[] {
    const labels = this.namespaces.get(namespace);
    let rarest: readonly Pod[] | undefined;
    for (const [key, value] of selector) {
      const pods = labels?.get(key)?.get(value) ?? NONE;
      if (rarest === undefined || pods.length < rarest.length) rarest = pods;
    }
    const candidates = rarest ?? NONE;
    return selector.size === 1 ? candidates : candidates.filter((pod) => matches(pod, selector));
  }
}

function matches({ labels }: Pod, selector: ReadonlyMap<string, string>): boolean {
  for (const [key, value] of selector) if (labels.get(key) !== value) return false;
  return true;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

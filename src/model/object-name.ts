/** What tells objects of one kind apart. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** Orders by namespace, then name, octet by octet. */
export function compareNames(a: ObjectName, b: ObjectName): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Values by namespace and name. Two maps: neither look-up has to make a text first. */
export class ByName<T> {
  readonly #namespaces = new Map<string, Map<string, T>>();

  get(namespace: string, name: string): T | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  set(namespace: string, name: string, value: T): void {
    const found = this.#namespaces.get(namespace);
    if (found === undefined) this.#namespaces.set(namespace, new Map([[name, value]]));
    else found.set(name, value);
  }

  delete(namespace: string, name: string): void {
    const names = this.#namespaces.get(namespace);
    names?.delete(name);
    if (names?.size === 0) this.#namespaces.delete(namespace);
  }

  *values(): IterableIterator<T> {
    for (const names of this.#namespaces.values()) yield* names.values();
  }
}

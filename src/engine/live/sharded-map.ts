import { NameIndex } from "./name-index.js";

const SHARDS = 1024;

/** By the key's last letters, in which names that belong together differ. */
function shardOf(key: string): number {
  const end = key.length - 1;
  const last = key.charCodeAt(end) + 31 * key.charCodeAt(end - 1) + 961 * key.charCodeAt(end - 2);
  return last & (SHARDS - 1);
}

/**
 * A map that never stops its host: one of 100,000 keys would for milliseconds, when it grows. What is loaded stands
 * in one index, and what is added after `settle` in many small maps.
 */
export class ShardedMap<V> {
  readonly #loaded = new NameIndex<V>();
  readonly #shards: (Map<string, V> | undefined)[] = [];
  #isSettled = false;

  settle(): void {
    this.#isSettled = true;
  }

  get(key: string): V | undefined {
    return this.#loaded.get(key) ?? (this.#isSettled ? this.#shards[shardOf(key)]?.get(key) : undefined);
  }

  set(key: string, value: V): void {
    if (this.#isSettled && !this.#loaded.knows(key)) this.#shard(key).set(key, value);
    else this.#loaded.insert(key, value);
  }

  /** Sets what is not there; false, and the old value is lost, if it was. Asks once. */
  insert(key: string, value: V): boolean {
    return this.#loaded.insert(key, value);
  }

  delete(key: string): void {
    if (!this.#loaded.delete(key)) this.#shards[shardOf(key)]?.delete(key);
  }

  #shard(key: string): Map<string, V> {
    const index = shardOf(key);
    const shard = this.#shards[index] ?? new Map<string, V>();
    this.#shards[index] = shard;
    return shard;
  }
}

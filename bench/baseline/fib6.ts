const ROOT_BITS = 18;
const STRIDE = 6;
const BLOCK_SLOTS = 64;

const isNode = (entry: number) => entry !== 0 && (entry & 1) === 0;

/** Where the four words of an address stand, the highest first, in two halves of 64 bits each that are little-endian. */
const WORDS = [1, 0, 3, 2] as const;

/** The six bits of an address from a depth on; 0 behind the 128th. */
function slotOf(keys: Uint32Array, at: number, depth: number): number {
  const index = depth >>> 5;
  const word = keys[at + (WORDS[index] as number)] as number;
  const up = 32 - STRIDE - (depth & 31);
  if (up >= 0) return (word >>> up) & 63;
  const next = index === 3 ? 0 : (keys[at + (WORDS[index + 1] as number)] as number);
  return ((word << -up) | (next >>> (32 + up))) & 63;
}

/**
 * A trie of IPv6 routes in plain TypeScript, as the machine's is but for its lists: 18 bits at first, then six at a
 * time, a 32-bit slot each. A leaf is next hop << 1 | 1, a block the (even) number of its first slot. Routes are inserted shortest first,
 * never removed.
 */
export class Fib6 {
  #slots = new Int32Array(2 << ROOT_BITS);
  #top = 1 << ROOT_BITS;

  #descend(slot: number): number {
    const entry = this.#slots[slot] as number;
    if (isNode(entry)) return entry;
    if (this.#top + BLOCK_SLOTS > this.#slots.length) {
      const larger = new Int32Array(this.#slots.length * 2);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    const block = this.#top;
    this.#top += BLOCK_SLOTS;
    this.#slots.fill(entry, block, block + BLOCK_SLOTS);
    this.#slots[slot] = block;
    return block;
  }

  /** Adds a route; `key` is its address's four words. No shorter one may follow that holds it. */
  insert(key: Uint32Array, length: number, nextHop: number): void {
    let slot = (key[1] as number) >>> (32 - ROOT_BITS);
    let depth = ROOT_BITS;
    for (; length > depth; depth += STRIDE) slot = this.#descend(slot) + slotOf(key, 0, depth);
    const count = 1 << (depth - length);
    if (this.#slots.subarray(slot, slot + count).some(isNode))
      throw new RangeError("a longer prefix came before");
    this.#slots.fill((nextHop << 1) | 1, slot, slot + count);
  }

  /** Next hops of many addresses, four words each; 0xffffffff for none. */
  lookupMany(keys: Uint32Array, results: Uint32Array): void {
    const slots = this.#slots;
    for (let index = 0, at = 0; index < results.length; index++, at += 4) {
      let entry = slots[(keys[at + 1] as number) >>> (32 - ROOT_BITS)] as number;
      for (let depth = ROOT_BITS; isNode(entry); depth += STRIDE)
        entry = slots[entry + slotOf(keys, at, depth)] as number;
      results[index] = entry === 0 ? 0xffffffff : entry >>> 1;
    }
  }
}

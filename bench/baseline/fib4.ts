const ROOT_SLOTS = 1 << 16;
const BLOCK_SLOTS = 256;

const isNode = (entry: number) => entry !== 0 && (entry & 1) === 0;
const lengthOf = (leaf: number) => (leaf >>> 1) & 63;

/**
 * The machine's route trie in plain TypeScript: strides of 16, 8 and 8 bits, a 32-bit slot each. A leaf is
 * next hop << 7 | length << 1 | 1, a block the (even) number of its first slot. Addresses are taken as signed or
 * unsigned; routes are inserted, never removed.
 */
export class Fib4 {
  #slots = new Int32Array(ROOT_SLOTS * 2);
  #top = ROOT_SLOTS;

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

  #paint(from: number, count: number, leaf: number): void {
    for (let slot = from; slot < from + count; slot++) {
      const entry = this.#slots[slot] as number;
      if (isNode(entry)) this.#paint(entry, BLOCK_SLOTS, leaf);
      else if (entry === 0 || lengthOf(entry) <= lengthOf(leaf)) this.#slots[slot] = leaf;
    }
  }

  insert(address: number, length: number, nextHop: number): void {
    let slot = address >>> 16;
    let level = 16;
    for (; length > level; level += 8) {
      slot = this.#descend(slot) + ((address >>> (24 - level)) & 255);
    }
    this.#paint(slot, 1 << (level - length), (nextHop << 7) | (length << 1) | 1);
  }

  /** The leaf of the longest prefix that holds an address; 0 for none. */
  lookup(address: number): number {
    const slots = this.#slots;
    let entry = slots[address >>> 16] as number;
    if (isNode(entry)) {
      entry = slots[entry + ((address >>> 8) & 255)] as number;
      if (isNode(entry)) entry = slots[entry + (address & 255)] as number;
    }
    return entry;
  }

  /** Next hops of many addresses, 0xffffffff for none. */
  lookupMany(keys: Uint32Array, results: Uint32Array): void {
    for (let index = 0; index < keys.length; index++) {
      const leaf = this.lookup(keys[index] as number);
      results[index] = leaf === 0 ? 0xffffffff : leaf >>> 7;
    }
  }
}

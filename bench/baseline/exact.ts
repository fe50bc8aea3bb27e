/** A bucket: low[4] · high[4] · value[4] · overflow. */
const BUCKET_WORDS = 16;
const HIGH = 4;
const VALUE = 8;
const OVERFLOW = 12;

/** JavaScript multiplies 32 bits at a time, so this is not the machine's hash, but as short a one. */
export function hashPair(low: number, high: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The machine's exact-match table in plain TypeScript: buckets of four, an overflow count each. Values are not 0. */
export class ExactTable {
  #words = new Int32Array(4 * BUCKET_WORDS);
  #mask = 3;
  #count = 0;

  #place(low: number, high: number): number {
    const words = this.#words;
    for (let index = hashPair(low, high) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        const isKey = words[place] === low && words[place + HIGH] === high;
        if (isKey && words[place + VALUE] !== 0) return place;
      }
      if (words[bucket + OVERFLOW] === 0) return -1;
    }
  }

  #add(low: number, high: number, value: number): void {
    const words = this.#words;
    for (let index = hashPair(low, high) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        if (words[place + VALUE] !== 0) continue;
        words[place] = low;
        words[place + HIGH] = high;
        words[place + VALUE] = value;
        return;
      }
      words[bucket + OVERFLOW] = (words[bucket + OVERFLOW] as number) + 1;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let bucket = 0; bucket < old.length; bucket += BUCKET_WORDS) {
      for (let place = bucket; place < bucket + 4; place++) {
        const value = old[place + VALUE] as number;
        if (value !== 0) this.#add(old[place] as number, old[place + HIGH] as number, value);
      }
    }
  }

  set(low: number, high: number, value: number): void {
    const place = this.#place(low | 0, high | 0);
    if (place >= 0) {
      this.#words[place + VALUE] = value;
      return;
    }
    if ((this.#count + 1) * 2 > 5 * (this.#mask + 1)) this.#grow();
    this.#add(low | 0, high | 0, value | 0);
    this.#count++;
  }

  /** The value of a key, 0 for none; its words are taken as signed. */
  find(low: number, high: number): number {
    const place = this.#place(low, high);
    return place < 0 ? 0 : (this.#words[place + VALUE] as number);
  }

  /** Values of many keys, two words each. */
  findMany(keys: Uint32Array, results: Uint32Array): void {
    for (let index = 0; index < results.length; index++) {
      results[index] = this.find((keys[index * 2] as number) | 0, (keys[index * 2 + 1] as number) | 0);
    }
  }
}

/** What one would take without thinking of memory: a Map, its key both words in one number. */
export class ExactMap {
  readonly #values = new Map<number, number>();

  /** Protocol numbers fit 5 bits here (TCP 6, UDP 17): 32 + 5 + 16 bits are exact in a number. */
  #key(low: number, high: number): number {
    return low * 2 ** 21 + ((high >>> 16) & 31) * 2 ** 16 + (high & 0xffff);
  }

  set(low: number, high: number, value: number): void {
    this.#values.set(this.#key(low, high), value);
  }

  findMany(keys: Uint32Array, results: Uint32Array): void {
    for (let index = 0; index < results.length; index++) {
      const key = this.#key(keys[index * 2] as number, keys[index * 2 + 1] as number);
      results[index] = this.#values.get(key) ?? 0;
    }
  }
}

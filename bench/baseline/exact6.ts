/** Two addresses of four words · protocol and port[2] · value[2] · overflow. */
const BUCKET_WORDS = 16;
const PROTO_PORT = 8;
const VALUE = 10;
const OVERFLOW = 12;
const PLACES = 2;

/** Of five words of a key. */
function hashKey(rows: Uint32Array, at: number): number {
  let hash = Math.imul(rows[at] as number, 0x9e3779b1) ^ Math.imul(rows[at + 1] as number, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ (rows[at + 2] as number), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ (rows[at + 3] as number), 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16) ^ (rows[at + 4] as number), 0x165667b1);
  return hash ^ (hash >>> 16);
}

/**
 * The machine's exact-match table of IPv6 keys in plain TypeScript: buckets of two with an overflow count. Rows are the
 * address's four words, protocol << 16 | port, value; values are not 0.
 */
export class ExactTable6 {
  #words = new Uint32Array(4 * BUCKET_WORDS);
  #mask = 3;
  #count = 0;

  #isKey(bucket: number, place: number, rows: Uint32Array, at: number): boolean {
    const words = this.#words;
    const address = bucket + place * 4;
    return (
      words[bucket + PROTO_PORT + place] === rows[at + 4] &&
      words[bucket + VALUE + place] !== 0 &&
      words[address] === rows[at] &&
      words[address + 1] === rows[at + 1] &&
      words[address + 2] === rows[at + 2] &&
      words[address + 3] === rows[at + 3]
    );
  }

  /** The value of the key at a place of rows; 0 for none. */
  find(rows: Uint32Array, at: number): number {
    const words = this.#words;
    for (let index = hashKey(rows, at) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      if (this.#isKey(bucket, 0, rows, at)) return words[bucket + VALUE] as number;
      if (this.#isKey(bucket, 1, rows, at)) return words[bucket + VALUE + 1] as number;
      if (words[bucket + OVERFLOW] === 0) return 0;
    }
  }

  /** Adds a row whose key is not there. */
  add(rows: Uint32Array, at: number): void {
    if ((this.#count + 1) * 4 > 5 * (this.#mask + 1)) this.#grow();
    this.#put(rows, at);
    this.#count++;
  }

  #put(rows: Uint32Array, at: number): void {
    const words = this.#words;
    for (let index = hashKey(rows, at) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = 0; place < PLACES; place++) {
        if (words[bucket + VALUE + place] !== 0) continue;
        for (let word = 0; word < 4; word++) words[bucket + place * 4 + word] = rows[at + word] as number;
        words[bucket + PROTO_PORT + place] = rows[at + 4] as number;
        words[bucket + VALUE + place] = rows[at + 5] as number;
        return;
      }
      words[bucket + OVERFLOW] = (words[bucket + OVERFLOW] as number) + 1;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    const row = new Uint32Array(6);
    for (let bucket = 0; bucket < old.length; bucket += BUCKET_WORDS) {
      for (let place = 0; place < PLACES; place++) {
        if (old[bucket + VALUE + place] === 0) continue;
        row.set(old.subarray(bucket + place * 4, bucket + place * 4 + 4));
        row[4] = old[bucket + PROTO_PORT + place] as number;
        row[5] = old[bucket + VALUE + place] as number;
        this.#put(row, 0);
      }
    }
  }

  /** Values of the keys of many rows. */
  findMany(rows: Uint32Array, results: Uint32Array): void {
    for (let index = 0, at = 0; index < results.length; index++, at += 6)
      results[index] = this.find(rows, at);
  }
}

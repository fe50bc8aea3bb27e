/** A bucket: src[4] · dst[4] · ports[4] · meta[4]; meta is record << 9 | direction << 8 | protocol, 0 for free. */
const BUCKET_WORDS = 16;
const DST = 4;
const PORTS = 8;
const META = 12;

/** A record's words. */
export const RECORD_WORDS = 16;
export const SRC_AT = 0;
export const DST_AT = 1;
export const PORTS_AT = 2;
export const REPLY_SRC_AT = 3;
export const REPLY_DST_AT = 4;
export const REPLY_PORTS_AT = 5;
export const PROTOCOL_AT = 6;
export const STATE_AT = 7;
export const EXPIRES_AT = 8;
export const FLAGS_AT = 9;

export const STATE_NEW = 1;
export const STATE_ESTABLISHED = 2;

export function hashTuple(src: number, dst: number, ports: number, protocol: number): number {
  let hash = Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ ports, 0xc2b2ae35) ^ protocol;
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}

/**
 * The machine's connection table in plain TypeScript: buckets of four that find either direction, a record a
 * connection. Nothing expires and nothing is closed but everything at once, so a search ends at a free place and
 * no overflow count is kept.
 */
export class FlowTable {
  readonly #buckets: Int32Array;
  readonly #mask: number;
  readonly records: Int32Array;
  #top = 1;

  constructor(connections: number) {
    const buckets = 2 ** Math.ceil(Math.log2(connections));
    this.#buckets = new Int32Array(buckets * BUCKET_WORDS);
    this.#mask = buckets - 1;
    this.records = new Int32Array((connections + 1) * RECORD_WORDS);
  }

  clear(): void {
    this.#buckets.fill(0);
    this.records.fill(0, 0, this.#top * RECORD_WORDS);
    this.#top = 1;
  }

  /** record << 1 | direction, 0 for none. Words are signed. */
  find(src: number, dst: number, ports: number, protocol: number): number {
    const words = this.#buckets;
    for (let index = hashTuple(src, dst, ports, protocol) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        const meta = words[place + META] as number;
        if (meta === 0) return 0;
        if (
          words[place] === src &&
          words[place + DST] === dst &&
          words[place + PORTS] === ports &&
          (meta & 0xff) === protocol
        )
          return meta >>> 8;
      }
    }
  }

  findMany(tuples: Uint32Array, results: Uint32Array): void {
    for (let index = 0, at = 0; index < results.length; index++, at += 4) {
      results[index] = this.find(
        (tuples[at] as number) | 0,
        (tuples[at + 1] as number) | 0,
        (tuples[at + 2] as number) | 0,
        tuples[at + 3] as number,
      );
    }
  }

  #insert(src: number, dst: number, ports: number, protocol: number, ref: number): void {
    const words = this.#buckets;
    for (let index = hashTuple(src, dst, ports, protocol) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        if (words[place + META] !== 0) continue;
        words[place] = src;
        words[place + DST] = dst;
        words[place + PORTS] = ports;
        words[place + META] = (ref << 8) | protocol;
        return;
      }
    }
  }

  /** The number of a new record; its tuples are to be filled in, and then `commit`ted. */
  reserve(): number {
    return this.#top++;
  }

  commit(record: number): void {
    const [words, at] = [this.records, record * RECORD_WORDS];
    const word = (field: number) => words[at + field] as number;
    const protocol = word(PROTOCOL_AT);
    words[at + STATE_AT] = STATE_NEW;
    this.#insert(word(SRC_AT), word(DST_AT), word(PORTS_AT), protocol, record << 1);
    const [src, dst, ports] = [word(REPLY_SRC_AT), word(REPLY_DST_AT), word(REPLY_PORTS_AT)];
    if (this.find(src, dst, ports, protocol) === 0)
      this.#insert(src, dst, ports, protocol, (record << 1) | 1);
  }
}

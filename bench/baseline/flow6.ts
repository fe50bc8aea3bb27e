/** A bucket: source's hash[4] · destination's[4] · ports[4] · meta[4]; meta is record << 9 | direction << 8 | protocol. */
const BUCKET_WORDS = 16;
const DST = 4;
const PORTS = 8;
const META = 12;
/** A tuple's words: source, destination, ports, protocol. */
export const TUPLE_WORDS = 10;
const TUPLE_DST = 4;
const TUPLE_PORTS = 8;
const TUPLE_PROTOCOL = 9;
/** A record is the tuples of both directions, without their protocol, which the bucket has. */
const RECORD_WORDS = 2 * TUPLE_WORDS;

function hashAddress(words: Uint32Array, at: number): number {
  let hash = Math.imul(words[at] as number, 0x9e3779b1) ^ Math.imul(words[at + 1] as number, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 2] as number), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ (words[at + 3] as number), 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}

function hashEnds(src: number, dst: number, ports: number): number {
  let hash = Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ ports, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * The machine's IPv6 connections in plain TypeScript: buckets of four with hashes of the addresses, and a record that
 * decides. Nothing expires and nothing is closed, so a search ends at a free place and no overflow count is kept.
 */
export class FlowTable6 {
  readonly #buckets: Int32Array;
  readonly #mask: number;
  readonly #records: Uint32Array;
  #top = 1;

  constructor(connections: number) {
    const buckets = 2 ** Math.ceil(Math.log2(connections));
    this.#buckets = new Int32Array(buckets * BUCKET_WORDS);
    this.#mask = buckets - 1;
    this.#records = new Uint32Array((connections + 1) * RECORD_WORDS);
  }

  #isTuple(ref: number, tuples: Uint32Array, at: number): boolean {
    const records = this.#records;
    const own = ref * TUPLE_WORDS;
    for (let word = 0; word < TUPLE_PROTOCOL; word++)
      if (records[own + word] !== tuples[at + word]) return false;
    return true;
  }

  /** record << 1 | direction of the tuple at a place; 0 for none. */
  find(tuples: Uint32Array, at: number): number {
    const words = this.#buckets;
    const [src, dst] = [hashAddress(tuples, at), hashAddress(tuples, at + TUPLE_DST)];
    const ports = (tuples[at + TUPLE_PORTS] as number) | 0;
    const protocol = tuples[at + TUPLE_PROTOCOL] as number;
    for (let index = hashEnds(src, dst, ports) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        const meta = words[place + META] as number;
        if (meta === 0) return 0;
        if (
          words[place] === src &&
          words[place + DST] === dst &&
          words[place + PORTS] === ports &&
          (meta & 0xff) === protocol &&
          this.#isTuple(meta >>> 8, tuples, at)
        )
          return meta >>> 8;
      }
    }
  }

  /** Opens a connection of two tuples, the original and what replies to it; its number. */
  open(tuples: Uint32Array): number {
    const number = this.#top++;
    this.#records.set(tuples.subarray(0, RECORD_WORDS), number * RECORD_WORDS);
    this.#insert(tuples, 0, number << 1);
    this.#insert(tuples, TUPLE_WORDS, (number << 1) | 1);
    return number;
  }

  #insert(tuples: Uint32Array, at: number, ref: number): void {
    const words = this.#buckets;
    const [src, dst] = [hashAddress(tuples, at), hashAddress(tuples, at + TUPLE_DST)];
    const ports = (tuples[at + TUPLE_PORTS] as number) | 0;
    for (let index = hashEnds(src, dst, ports) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        if (words[place + META] !== 0) continue;
        words[place] = src;
        words[place + DST] = dst;
        words[place + PORTS] = ports;
        words[place + META] = (ref << 8) | (tuples[at + TUPLE_PROTOCOL] as number);
        return;
      }
    }
  }

  findMany(tuples: Uint32Array, results: Uint32Array): void {
    for (let index = 0, at = 0; index < results.length; index++, at += TUPLE_WORDS)
      results[index] = this.find(tuples, at);
  }
}

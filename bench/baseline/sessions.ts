import { hashTuple } from "./flow.js";

/** A bucket: src[4] · dst[4] · ports[4] · meta[4]; meta is record << 9 | side << 8 | protocol, 0 for free. */
const BUCKET_WORDS = 16;
const [DST, PORTS, META] = [4, 8, 12];

/** A record's words. */
export const SESSION_WORDS = 16;
export const [CLIENT, VIRTUAL, PORTS_AT, SERVER, SERVER_PORT, DESTINATION, SERVICE, PROTOCOL] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const;

/**
 * IPVS' connections in plain TypeScript: found from either side, each ended when its time is over. All have the same
 * timeout, so that a queue is all the timers there need be.
 */
export class Sessions {
  readonly records: Int32Array;
  readonly #buckets: Int32Array;
  /** Entries that passed a bucket because it was full. */
  readonly #passed: Uint8Array;
  readonly #mask: number;
  readonly #queue: Int32Array;
  readonly #expires: Float64Array;
  #first = 0;
  #free = 0;
  #top = 1;
  count = 0;

  constructor(readonly room: number) {
    const buckets = 2 ** Math.ceil(Math.log2(room));
    this.#buckets = new Int32Array(buckets * BUCKET_WORDS);
    this.#passed = new Uint8Array(buckets);
    this.#mask = buckets - 1;
    this.records = new Int32Array((room + 1) * SESSION_WORDS);
    this.#queue = new Int32Array(room);
    this.#expires = new Float64Array(room);
  }

  /** The record with a tuple on a side (0: the client's), 0 for none. */
  find(src: number, dst: number, ports: number, protocol: number, side: number): number {
    const words = this.#buckets;
    const own = (side << 8) | protocol;
    for (let index = hashTuple(src, dst, ports, own) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        const isSame = words[place] === src && words[place + DST] === dst && words[place + PORTS] === ports;
        const meta = words[place + META] as number;
        if (isSame && (meta & 0x1ff) === own) return meta >>> 9;
      }
      if (this.#passed[index] === 0) return 0;
    }
  }

  #enter(src: number, dst: number, ports: number, own: number, record: number): void {
    const words = this.#buckets;
    for (let index = hashTuple(src, dst, ports, own) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        if (words[place + META] !== 0) continue;
        words[place] = src;
        words[place + DST] = dst;
        words[place + PORTS] = ports;
        words[place + META] = (record << 9) | own;
        return;
      }
      this.#passed[index] = (this.#passed[index] as number) + 1;
    }
  }

  #leave(src: number, dst: number, ports: number, own: number, record: number): void {
    const words = this.#buckets;
    const meta = (record << 9) | own;
    for (let index = hashTuple(src, dst, ports, own) & this.#mask; ; index = (index + 1) & this.#mask) {
      const bucket = index * BUCKET_WORDS;
      for (let place = bucket; place < bucket + 4; place++) {
        if (words[place + META] !== meta) continue;
        words[place + META] = 0;
        return;
      }
      this.#passed[index] = (this.#passed[index] as number) - 1;
    }
  }

  /** Both sides of a record, entered or left. */
  #sides(record: number, change: "enter" | "leave"): void {
    const [words, at] = [this.records, record * SESSION_WORDS];
    const word = (field: number) => words[at + field] as number;
    const [ports, protocol] = [word(PORTS_AT), word(PROTOCOL)];
    const back = (word(SERVER_PORT) << 16) | (ports >>> 16);
    const own = protocol | 256;
    if (change === "enter") {
      this.#enter(word(CLIENT), word(VIRTUAL), ports, protocol, record);
      this.#enter(word(SERVER), word(CLIENT), back, own, record);
    } else {
      this.#leave(word(CLIENT), word(VIRTUAL), ports, protocol, record);
      this.#leave(word(SERVER), word(CLIENT), back, own, record);
    }
  }

  /** A free record to be filled, 0 where there is none. */
  reserve(): number {
    const free = this.#free;
    if (free === 0) return this.#top <= this.room ? this.#top++ : 0;
    this.#free = this.records[free * SESSION_WORDS] as number;
    return free;
  }

  open(record: number, expires: number): void {
    this.#sides(record, "enter");
    const at = (this.#first + this.count++) % this.room;
    this.#queue[at] = record;
    this.#expires[at] = expires;
  }

  /** Ends the next record that is over, which it returns with what stands in it; 0 for none. */
  end(now: number): number {
    if (this.count === 0 || (this.#expires[this.#first] as number) > now) return 0;
    const record = this.#queue[this.#first] as number;
    this.#first = (this.#first + 1) % this.room;
    this.count--;
    this.#sides(record, "leave");
    return record;
  }

  /** Gives back what `end` returned. */
  give(record: number): void {
    this.records[record * SESSION_WORDS] = this.#free;
    this.#free = record;
  }
}

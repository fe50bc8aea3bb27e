import type { Ip6 } from "../../net/ip.js";

const ROOM_KEPT = 1 << 16;

/** A growing column of unsigned 32-bit words, as entries are handed to the machine. */
export class Words {
  #words: Uint32Array;
  #length = 0;

  constructor(room = 64) {
    this.#words = new Uint32Array(room);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets the words, and keeps room for some. */
  clear(): void {
    this.#length = 0;
    if (this.#words.length > ROOM_KEPT) this.#words = new Uint32Array(ROOM_KEPT);
  }

  push(...values: readonly number[]): void {
    this.append(values);
  }

  append(values: ArrayLike<number>): void {
    const at = this.extend(values.length);
    for (let index = 0; index < values.length; index++) this.#words[at + index] = values[index] as number;
  }

  /** Appends what another column holds. */
  add({ array, length }: Words): void {
    const at = this.extend(length);
    for (let index = 0; index < length; index++) this.#words[at + index] = array[index] as number;
  }

  push1(value: number): void {
    const at = this.extend(1);
    this.#words[at] = value;
  }

  push3(a: number, b: number, c: number): void {
    const at = this.extend(3);
    this.#words[at] = a;
    this.#words[at + 1] = b;
    this.#words[at + 2] = c;
  }

  push4(a: number, b: number, c: number, d: number): void {
    const at = this.extend(4);
    this.#words[at] = a;
    this.#words[at + 1] = b;
    this.#words[at + 2] = c;
    this.#words[at + 3] = d;
  }

  /** An IPv6 address as a key (halvesOf6). */
  pushHalves(ip: Ip6): void {
    this.append(halvesOf6(ip));
  }

  /** Makes room for so many words more, to be set in `array`; where they begin. */
  extend(count: number): number {
    const at = this.#length;
    while (at + count > this.#words.length) this.#double();
    this.#length = at + count;
    return at;
  }

  /** The words with room behind them: another array after the next `extend`. */
  get array(): Uint32Array {
    return this.#words;
  }

  /** What was pushed, in place. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  #double(): void {
    const larger = new Uint32Array(Math.max(4, this.#words.length * 2));
    larger.set(this.#words);
    this.#words = larger;
  }
}

/** The four words of an IPv6 address in their order. */
export function wordsOf6(ip: Ip6): readonly [number, number, number, number] {
  const word = (at: bigint) => Number((ip >> at) & 0xffffffffn);
  return [word(96n), word(64n), word(32n), word(0n)];
}

/** An IPv6 address as two u64 in the machine's order (little-endian), the high half first. */
export function halvesOf6(ip: Ip6): readonly [number, number, number, number] {
  const [first, second, third, last] = wordsOf6(ip);
  return [second, first, last, third];
}

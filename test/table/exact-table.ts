import { EXACT_ENTRY_LEN, EXACT6_ENTRY_LEN } from "../../assembly/abi/entry.js";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../assembly/abi/image.js";
import { parseIp6 } from "../../src/net/ip.js";
import { BareImage } from "../bare-image.js";
import { hash64, hash160 } from "../oracle/hash.js";

/** A key of either family. */
export interface Key {
  readonly address: bigint;
  readonly protoPort: number;
}

type Entry = Key & { readonly value: number };

const LOW = (1n << 64n) - 1n;

/** What differs between tables of IPv4 and of IPv6 keys. */
export interface Family {
  readonly name: string;
  /** Bits of an address. */
  readonly bits: number;
  /** An address of a Service. */
  readonly vip: bigint;
  /** Entries of a bucket. */
  readonly places: number;
  /** Octets that an entry of a large table takes at most. */
  readonly most: number;
  /** Rows that tables are filled with, and the machine's call. */
  insert(image: BareImage, table: number, entries: readonly Entry[]): number;
  remove(image: BareImage, table: number, key: Key): number;
  /** Values of keys, 0 for none. */
  find(image: BareImage, table: number, keys: readonly Key[]): Uint32Array;
  /** The bucket, of 2^log2, that a key belongs to. */
  bucketOf(key: Key, log2: number): number;
}

/** Calls with keys in linear memory, and answers the results behind them. */
function answers(
  { memory }: BareImage,
  keys: Uint32Array,
  count: number,
  call: (at: number, results: number) => void,
): Uint32Array {
  return memory.borrow(keys.byteLength + count * 4, (at) => {
    memory.words(at, keys.length).set(keys);
    call(at, at + keys.byteLength);
    return memory.words(at + keys.byteLength, count).slice();
  });
}

const IP4: Family = {
  name: "IPv4",
  bits: 32,
  vip: 0x0a600001n,
  places: 4,
  most: 64,
  insert(image, table, entries) {
    const rows = entries.flatMap(({ address, protoPort, value }) => [Number(address), protoPort, value]);
    const count = (rows.length * 4) / EXACT_ENTRY_LEN;
    return image.withWords(rows, (at) => image.machine.exactInsert(image.address, table, at, count));
  },
  remove: ({ machine, address: image }, table, { address, protoPort }) =>
    machine.exactDelete(image, table, Number(address), protoPort),
  find(image, table, keys) {
    const words = Uint32Array.from(keys.flatMap(({ address, protoPort }) => [Number(address), protoPort]));
    return answers(image, words, keys.length, (at, results) =>
      image.machine.exactFindMany(image.address, table, at, keys.length, results),
    );
  },
  bucketOf: ({ address, protoPort }, log2) => hash64(Number(address), protoPort) % 2 ** log2,
};

function rows6(entries: readonly (Key & { readonly value?: number })[]): Uint32Array {
  const view = new DataView(new ArrayBuffer(entries.length * EXACT6_ENTRY_LEN));
  for (const [index, { address, protoPort, value = 0 }] of entries.entries()) {
    const at = index * EXACT6_ENTRY_LEN;
    view.setBigUint64(at, address >> 64n, true);
    view.setBigUint64(at + 8, address & LOW, true);
    view.setUint32(at + 16, protoPort, true);
    view.setUint32(at + 20, value, true);
  }
  return new Uint32Array(view.buffer);
}

const IP6: Family = {
  name: "IPv6",
  bits: 128,
  vip: parseIp6("fd00:10:96::1") as bigint,
  places: 2,
  most: 103,
  insert: (image, table, entries) =>
    image.withWords(rows6(entries), (at) =>
      image.machine.exact6Insert(image.address, table, at, entries.length),
    ),
  remove: (image, table, key) =>
    image.withWords(rows6([key]), (at) => image.machine.exact6Delete(image.address, table, at)),
  find: (image, table, keys) =>
    answers(image, rows6(keys), keys.length, (at, results) =>
      image.machine.exact6FindMany(image.address, table, at, keys.length, results),
    ),
  bucketOf: ({ address, protoPort }, log2) =>
    Number(hash160(address >> 64n, address & LOW, protoPort) >> BigInt(64 - log2)),
};

export const FAMILIES = [IP4, IP6] as const;

/** Keys that belong into one bucket of a table of 2^log2: of one address with many ports, and of many addresses. */
export function keysOfBucket({ vip, bucketOf }: Family, bucket: number, log2: number, count: number): Key[] {
  const keys: Key[] = [];
  for (let index = 0; keys.length < count; index++) {
    const isVip = index % 3 === 0;
    const key = {
      address: vip + BigInt(isVip ? 0 : index),
      protoPort: (6 << 16) | (isVip ? index : 80),
    };
    if (bucketOf(key, log2) === bucket) keys.push(key);
  }
  return keys;
}

const textOf = ({ address, protoPort }: Key) => `${address} ${protoPort}`;

/** The table under test and a Map, changed together. */
export class Both {
  readonly values = new Map<string, number>();

  private constructor(
    readonly family: Family,
    readonly image: BareImage,
    readonly table: number,
  ) {}

  static async make(family: Family, capacity = 1 << 22, table = 1): Promise<Both> {
    return new Both(family, await BareImage.make({ capacity }), table);
  }

  set(key: Key, value: number): number {
    return this.setMany([{ ...key, value }]);
  }

  setMany(entries: readonly (Key & { readonly value: number })[]): number {
    const status = this.family.insert(this.image, this.table, entries);
    if (status === STATUS_OK) for (const entry of entries) this.values.set(textOf(entry), entry.value);
    return status;
  }

  has(key: Key): boolean {
    return this.values.has(textOf(key));
  }

  remove(key: Key): void {
    const status = this.family.remove(this.image, this.table, key);
    const expected = this.values.delete(textOf(key)) ? STATUS_OK : STATUS_BAD_ENTRY;
    if (status !== expected) throw new Error(`removing ${textOf(key)}: status ${status}`);
  }

  /** Compares every key's value; how many are there. */
  check(keys: readonly Key[]): number {
    const found = this.family.find(this.image, this.table, keys);
    const wrong = keys.find((key, index) => found[index] !== (this.values.get(textOf(key)) ?? 0));
    if (wrong !== undefined) throw new Error(`wrong: ${textOf(wrong)} of ${this.values.size} keys`);
    return found.filter((value) => value !== 0).length;
  }
}

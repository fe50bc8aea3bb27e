import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXACT6_ENTRY_LEN } from "../../assembly/abi/entry.js";
import {
  IMAGE_TAIL,
  PART_EXACT,
  STATUS_BAD_ENTRY,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "../../assembly/abi/image.js";
import { type Ip6, parseIp6 } from "../../src/net/ip.js";
import { BareImage } from "../bare-image.js";
import { hash160 } from "../oracle/hash.js";

const [TABLE, OTHER] = [1, 2];
/** Octets of an image's head, which counts changes. */
const IMAGE_HEAD = 2048;

interface Key {
  readonly address: Ip6;
  readonly protoPort: number;
}

const textOf = ({ address, protoPort }: Key) => `${address} ${protoPort}`;

/** Rows as the machine takes them. */
function rowsOf(keys: readonly (Key & { readonly value?: number })[]): Uint32Array {
  const view = new DataView(new ArrayBuffer(keys.length * EXACT6_ENTRY_LEN));
  for (const [index, { address, protoPort, value = 0 }] of keys.entries()) {
    const at = index * EXACT6_ENTRY_LEN;
    view.setBigUint64(at, address >> 64n, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, address), true);
    view.setUint32(at + 16, protoPort, true);
    view.setUint32(at + 20, value, true);
  }
  return new Uint32Array(view.buffer);
}

/** The table under test and a Map, changed together. */
class Both {
  readonly values = new Map<string, number>();

  constructor(readonly image: BareImage) {}

  static async make(capacity?: number): Promise<Both> {
    return new Both(await BareImage.make(capacity === undefined ? {} : { capacity }));
  }

  set(key: Key, value: number, table = TABLE): number {
    const { machine, address } = this.image;
    const rows = rowsOf([{ ...key, value }]);
    const status = this.image.withWords(rows, (at) => machine.exact6Insert(address, table, at, 1, 0));
    if (status === STATUS_OK) this.values.set(textOf(key), value);
    return status;
  }

  remove(key: Key): void {
    const { machine, address } = this.image;
    const status = this.image.withWords(rowsOf([key]), (at) => machine.exact6Delete(address, TABLE, at));
    const expected = this.values.delete(textOf(key)) ? STATUS_OK : STATUS_BAD_ENTRY;
    if (status !== expected) throw new Error(`removing ${textOf(key)}: status ${status}`);
  }

  find(keys: readonly Key[], table = TABLE): Uint32Array {
    const { machine, address, memory } = this.image;
    const rows = rowsOf(keys);
    return memory.borrow(rows.byteLength + keys.length * 4, (at) => {
      memory.words(at, rows.length).set(rows);
      const results = at + rows.byteLength;
      machine.exact6FindMany(address, table, at, keys.length, results);
      return memory.words(results, keys.length).slice();
    });
  }

  /** Compares every key's value; how many are there. */
  check(keys: readonly Key[]): number {
    const found = this.find(keys);
    const wrong = keys.find((key, index) => found[index] !== (this.values.get(textOf(key)) ?? 0));
    if (wrong !== undefined) throw new Error(`wrong: ${textOf(wrong)} of ${this.values.size} keys`);
    return found.filter((value) => value !== 0).length;
  }
}

const VIP = parseIp6("fd00:10:96::1") as Ip6;

/** Keys that belong into one bucket of a table of `2^log2`: of one address with many ports, and of many addresses. */
function keysOfBucket(bucket: number, log2: number, count: number): Key[] {
  const keys: Key[] = [];
  for (let index = 0; keys.length < count; index++) {
    const key = {
      address: VIP + BigInt(index % 3 === 0 ? 0 : index),
      protoPort: (6 << 16) | (index % 3 === 0 ? index : 80),
    };
    const first = key.address >> 64n;
    const hash = hash160(first, BigInt.asUintN(64, key.address), key.protoPort);
    if (Number(hash >> BigInt(64 - log2)) === bucket) keys.push(key);
  }
  return keys;
}

const POOL = [0, 1, 2, 3].flatMap((bucket) => keysOfBucket(bucket, 2, 8));

describe("exact match of IPv6 keys", () => {
  it("holds what a Map holds, with keys that collide", async () => {
    let hits = 0;
    const change = fc.record({
      key: fc.nat(POOL.length - 1),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    });
    const property = fc.asyncProperty(
      fc.array(change, { minLength: 60, maxLength: 120 }),
      async (changes) => {
        const both = await Both.make(1 << 18);
        for (const { key: index, value } of changes) {
          const key = POOL[index] as Key;
          if (value % 3 === 0) both.remove(key);
          else expect(both.set(key, value)).toBe(STATUS_OK);
          hits += both.check(POOL);
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect(hits).toBeGreaterThan(1000);
  });

  it("holds what a Map holds while it grows, whatever comes, changes and goes meanwhile", async () => {
    const keys = Array.from({ length: 3000 }, (_, index) => ({
      address: VIP + BigInt(index),
      protoPort: index & 3,
    }));
    let gone = 0;
    const property = fc.asyncProperty(fc.infiniteStream(fc.nat(0xffffff)), async (numbers) => {
      const both = await Both.make(1 << 20);
      for (const [index, key] of keys.entries()) {
        both.set(key, index + 1);
        const number = numbers.next().value as number;
        const known = keys[number % (index + 1)] as (typeof keys)[number];
        if (number % 5 === 0 && both.values.has(textOf(known))) {
          both.remove(known);
          gone++;
        } else if (number % 5 < 3) both.set(known, number + 1);
        if (index % 16 === 0) both.check(keys.slice(0, index + 2));
      }
      both.check(keys);
    });
    await fc.assert(property, { numRuns: 5 });
    expect(gone).toBeGreaterThan(1000);
  });

  it("tells keys apart by every bit", async () => {
    const both = await Both.make();
    const key = { address: VIP, protoPort: (6 << 16) | 80 };
    both.set(key, 7);
    const others = [
      ...Array.from({ length: 128 }, (_, bit) => ({ ...key, address: VIP ^ (1n << BigInt(bit)) })),
      ...Array.from({ length: 32 }, (_, bit) => ({ ...key, protoPort: (key.protoPort ^ (1 << bit)) >>> 0 })),
    ];
    expect(both.check([key, ...others])).toBe(1);
    for (const [index, other] of others.entries()) both.set(other, index + 8);
    expect(both.check([key, ...others])).toBe(161);
  });

  it("ends the search for a missing key where removals left no bucket without overflow", async () => {
    const both = await Both.make();
    for (let bucket = 0; bucket < 4; bucket++) {
      // The last one set stands in the next bucket, since an earlier bucket's stands in this one; those before it go.
      const keys = POOL.slice(bucket * 8, bucket * 8 + (bucket === 3 ? 2 : 3));
      for (const key of keys) both.set(key, 1);
      for (const key of keys.slice(0, -1)) both.remove(key);
    }
    expect(both.check(POOL)).toBe(4);
    both.remove({ address: 1n, protoPort: 1 });
    both.set({ address: 1n, protoPort: 1 }, 5);
    both.check([...POOL, { address: 1n, protoPort: 1 }]);
  });

  it("counts what passed a bucket down again", async () => {
    const both = await Both.make();
    const tables = () => Buffer.from(both.image.copy().subarray(IMAGE_HEAD));
    const fillAndEmpty = () => {
      for (const key of POOL) both.set(key, 1);
      for (const key of POOL) both.remove(key);
      return tables();
    };
    // Grown once, and its places written once.
    fillAndEmpty();
    const first = fillAndEmpty();
    expect(fillAndEmpty().equals(first)).toBe(true);
  });

  it("grows to 20,000 entries, empties, and needs no more to fill again", async () => {
    const both = await Both.make(1 << 23);
    const keys = Array.from({ length: 20_000 }, (_, index) => ({
      address: VIP + BigInt(index >> 2),
      protoPort: (6 << 16) | (80 + (index & 3)),
    }));
    const missing = keys.map(({ address, protoPort }) => ({ address, protoPort: protoPort ^ 0x110000 }));
    for (const [index, key] of keys.entries()) both.set(key, index + 1);
    expect(both.check(keys)).toBe(20_000);
    expect(both.check(missing)).toBe(0);
    const octets = both.image.octets(PART_EXACT);
    expect(octets / keys.length).toBeLessThan(103);
    for (const key of keys) both.remove(key);
    expect(both.check(keys)).toBe(0);
    for (const [index, key] of keys.entries()) both.set(key, index + 7);
    expect(both.check(keys)).toBe(20_000);
    expect(both.image.octets(PART_EXACT)).toBe(octets);
  });

  it("changes nothing when it cannot grow", async () => {
    const both = await Both.make();
    both.image.machine.imageResize(both.image.address, both.image.top + IMAGE_TAIL + 8192);
    const keys = Array.from({ length: 400 }, (_, index) => ({
      address: VIP + BigInt(index),
      protoPort: index,
    }));
    const accepted = keys.filter((key, index) => {
      const before = [...both.image.copy().subarray(0, 256)];
      const status = both.set(key, index + 1);
      if (status === STATUS_NO_SPACE) expect([...both.image.copy().subarray(0, 256)]).toEqual(before);
      return status === STATUS_OK;
    });
    expect(accepted.length).toBeGreaterThan(10);
    expect(accepted.length).toBeLessThan(400);
    expect(both.check(keys)).toBe(accepted.length);
    expect(both.set(accepted[0] as Key, 99)).toBe(STATUS_OK);
    both.check(keys);
  });

  it("refuses value 0, table numbers out of range, and tables of the other family", async () => {
    const both = await Both.make();
    const { machine, address } = both.image;
    const key = { address: VIP, protoPort: 80 };
    const words = [0x0a600001, 80, 5];
    const insert4 = (table: number) =>
      both.image.withWords(words, (at) => machine.exactInsert(address, table, at, 1, 0));
    expect([both.set(key, 0), both.set(key, 1, 64), both.set(key, 1), insert4(OTHER)]).toEqual([
      STATUS_BAD_ENTRY,
      STATUS_BAD_ENTRY,
      STATUS_OK,
      STATUS_OK,
    ]);
    expect([both.set(key, 1, OTHER), insert4(TABLE)]).toEqual([STATUS_BAD_ENTRY, STATUS_BAD_ENTRY]);
    expect(machine.exactDelete(address, TABLE, 0x0a600001, 80)).toBe(STATUS_BAD_ENTRY);
    expect([...both.find([key], OTHER), ...both.find([key], 64), ...both.find([key])]).toEqual([0, 0, 1]);
  });
});

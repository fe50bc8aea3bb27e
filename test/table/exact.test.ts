import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  IMAGE_TAIL,
  PART_EXACT,
  STATUS_BAD_ENTRY,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "../../assembly/abi/image.js";
import { BareImage } from "../bare-image.js";
import { hash64 } from "../oracle/hash.js";

const TABLE = 1;

interface Key {
  readonly low: number;
  readonly high: number;
}

/** The table under test and a Map, changed together. */
class Both {
  readonly values = new Map<string, number>();

  constructor(readonly image: BareImage) {}

  static async make(capacity?: number): Promise<Both> {
    return new Both(await BareImage.make(capacity === undefined ? {} : { capacity }));
  }

  set({ low, high }: Key, value: number): number {
    const { machine, address } = this.image;
    const status = this.image.withWords([low, high, value], (at) =>
      machine.exactInsert(address, TABLE, at, 1, 0),
    );
    if (status === STATUS_OK) this.values.set(`${low} ${high}`, value);
    return status;
  }

  remove({ low, high }: Key): void {
    const status = this.image.machine.exactDelete(this.image.address, TABLE, low, high);
    const expected = this.values.delete(`${low} ${high}`) ? STATUS_OK : STATUS_BAD_ENTRY;
    if (status !== expected) throw new Error(`removing ${low} ${high}: status ${status}`);
  }

  /** Compares every key's value; how many are there. */
  check(keys: readonly Key[]): number {
    const { machine, address, memory } = this.image;
    const flat = keys.flatMap(({ low, high }) => [low, high]);
    const found = this.image.withWords([...flat, ...keys.map(() => 0)], (at) => {
      const results = at + keys.length * 8;
      machine.exactFindMany(address, TABLE, at, keys.length, results);
      return memory.words(results, keys.length).slice();
    });
    const wrong = keys.filter(
      ({ low, high }, index) => found[index] !== (this.values.get(`${low} ${high}`) ?? 0),
    );
    if (wrong.length > 0) throw new Error(`wrong: ${JSON.stringify(wrong[0])} of ${this.values.size} keys`);
    return found.filter((value) => value !== 0).length;
  }
}

/** Keys that belong into one bucket of a table of `buckets`. */
function keysOfBucket(bucket: number, buckets: number, count: number): Key[] {
  const keys: Key[] = [];
  for (let low = 0; keys.length < count; low++) {
    if (hash64(low, 6) % buckets === bucket) keys.push({ low, high: 6 });
  }
  return keys;
}

const POOL = [0, 1, 2, 3].flatMap((bucket) => keysOfBucket(bucket, 4, 8));

describe("exact", () => {
  it("holds what a Map holds, with keys that collide", async () => {
    let hits = 0;
    const change = fc.record({
      key: fc.nat(POOL.length - 1),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    });
    const property = fc.asyncProperty(
      fc.array(change, { minLength: 60, maxLength: 120 }),
      async (changes) => {
        const both = await Both.make();
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

  it("ends the search for a missing key where removals left no bucket without overflow", async () => {
    const both = await Both.make();
    for (let bucket = 0; bucket < 4; bucket++) {
      // The fifth of a bucket stands in the next one; the four before it go.
      const keys = POOL.slice(bucket * 8, bucket * 8 + 5);
      for (const key of keys) both.set(key, 1);
      for (const key of keys.slice(0, 4)) both.remove(key);
    }
    expect(both.check(POOL)).toBe(4);
    both.remove({ low: 0xffff, high: 0xffff });
    both.set({ low: 0xffff, high: 0xffff }, 5);
    expect(both.check([...POOL, { low: 0xffff, high: 0xffff }])).toBe(5);
  });

  it("holds what a Map holds while it grows, whatever comes, changes and goes meanwhile", async () => {
    const keys = Array.from({ length: 3000 }, (_, index) => ({ low: index * 7, high: index & 3 }));
    let gone = 0;
    const property = fc.asyncProperty(fc.infiniteStream(fc.nat(0xffffff)), async (numbers) => {
      const both = await Both.make(1 << 20);
      for (const [index, key] of keys.entries()) {
        both.set(key, index + 1);
        const number = numbers.next().value as number;
        const known = keys[number % (index + 1)] as (typeof keys)[number];
        if (number % 5 === 0 && both.values.has(`${known.low} ${known.high}`)) {
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

  it("grows to 30,000 entries and empties again", async () => {
    const both = await Both.make(1 << 23);
    const keys = Array.from({ length: 30_000 }, (_, index) => ({
      low: 0x0a600000 + (index >> 2),
      high: (6 << 16) | (80 + (index & 3)),
    }));
    const missing = keys.map(({ low, high }) => ({ low, high: high ^ 0x110000 }));
    for (const [index, key] of keys.entries()) both.set(key, index + 1);
    expect(both.check(keys)).toBe(30_000);
    expect(both.check(missing)).toBe(0);
    const octets = both.image.octets(PART_EXACT);
    expect(octets / keys.length).toBeLessThan(64);
    for (const key of keys) both.remove(key);
    expect(both.check(keys)).toBe(0);
    for (const [index, key] of keys.entries()) both.set(key, index + 7);
    expect(both.check(keys)).toBe(30_000);
    expect(both.image.octets(PART_EXACT)).toBe(octets);
  });

  it("changes nothing when it cannot grow", async () => {
    const both = await Both.make();
    both.image.machine.imageResize(both.image.address, both.image.top + IMAGE_TAIL + 8192);
    const keys = Array.from({ length: 400 }, (_, index) => ({ low: index * 7, high: index }));
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

  it("takes no octet for a table that there is no room for", async () => {
    const both = await Both.make();
    const { machine, address } = both.image;
    machine.imageResize(address, both.image.top + IMAGE_TAIL + 64);
    const octets = both.image.octets(PART_EXACT);
    expect([both.set({ low: 1, high: 1 }, 1), both.set({ low: 1, high: 1 }, 1)]).toEqual([
      STATUS_NO_SPACE,
      STATUS_NO_SPACE,
    ]);
    expect(both.image.octets(PART_EXACT)).toBe(octets);
    machine.imageResize(address, both.image.capacity);
    expect(both.set({ low: 1, high: 1 }, 1)).toBe(STATUS_OK);
  });

  it("refuses value 0 and table numbers out of range", async () => {
    const both = await Both.make();
    expect(both.set({ low: 1, high: 1 }, 0)).toBe(STATUS_BAD_ENTRY);
    const { machine, address } = both.image;
    expect(both.image.withWords([1, 1, 1], (at) => machine.exactInsert(address, 64, at, 1, 0))).toBe(
      STATUS_BAD_ENTRY,
    );
    expect(machine.exactDelete(address, 64, 1, 1)).toBe(STATUS_BAD_ENTRY);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  IMAGE_TAIL,
  PART_EXACT,
  STATUS_BAD_ENTRY,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "../../assembly/abi/image.js";
import { Both, FAMILIES, type Key, keysOfBucket } from "./exact-table.js";

/** Octets of an image's head, which counts changes. */
const IMAGE_HEAD = 2048;
const HTTP = (6 << 16) | 80;

describe.each(FAMILIES)("exact match of $name keys", (family) => {
  const { vip, bits, places, most } = family;
  const pool = [0, 1, 2, 3].flatMap((bucket) => keysOfBucket(family, bucket, 2, 8));
  const make = (capacity?: number) => Both.make(family, capacity);

  it("holds what a Map holds, with keys that collide", async () => {
    let hits = 0;
    const change = fc.record({
      key: fc.nat(pool.length - 1),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    });
    const property = fc.asyncProperty(
      fc.array(change, { minLength: 60, maxLength: 120 }),
      async (changes) => {
        const both = await make(1 << 18);
        for (const { key: index, value } of changes) {
          const key = pool[index] as Key;
          if (value % 3 === 0) both.remove(key);
          else expect(both.set(key, value)).toBe(STATUS_OK);
          hits += both.check(pool);
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect(hits).toBeGreaterThan(1000);
  });

  it("tells keys apart by every bit", async () => {
    const both = await make();
    const key = { address: vip, protoPort: HTTP };
    both.set(key, 7);
    const others = [
      ...Array.from({ length: bits }, (_, bit) => ({ ...key, address: vip ^ (1n << BigInt(bit)) })),
      ...Array.from({ length: 32 }, (_, bit) => ({ ...key, protoPort: (HTTP ^ (1 << bit)) >>> 0 })),
    ];
    expect(both.check([key, ...others])).toBe(1);
    for (const [index, other] of others.entries()) both.set(other, index + 8);
    expect(both.check([key, ...others])).toBe(bits + 33);
  });

  it("holds what a Map holds while it grows, whatever comes, changes and goes meanwhile", async () => {
    const keys = Array.from({ length: 3000 }, (_, index) => ({
      address: vip + BigInt(index * 7),
      protoPort: HTTP + (index & 3),
    }));
    let gone = 0;
    const property = fc.asyncProperty(fc.infiniteStream(fc.nat(0xffffff)), async (numbers) => {
      const both = await make(1 << 20);
      for (const [index, key] of keys.entries()) {
        both.set(key, index + 1);
        const number = numbers.next().value as number;
        const known = keys[number % (index + 1)] as (typeof keys)[number];
        if (number % 5 === 0 && both.has(known)) {
          both.remove(known);
          gone++;
        } else if (number % 5 < 3) both.set(known, number + 1);
        // Now and then many at once, for which the table may be made larger while it grows.
        if (number % 97 === 0) {
          const many = keys
            .slice(index + 1, index + 1 + (number % 1000))
            .map((key) => ({ ...key, value: number + 2 }));
          if (many.length > 0) both.setMany(many);
        }
        if (index % 16 === 0) both.check(keys.slice(0, index + 2));
      }
      both.check(keys);
    });
    await fc.assert(property, { numRuns: 5 });
    expect(gone).toBeGreaterThan(1000);
  });

  it("ends the search for a missing key where removals left no bucket without overflow", async () => {
    const both = await make();
    for (let bucket = 0; bucket < 4; bucket++) {
      // The last of a bucket stands in the next one, since it is one too many; those before it go. In small buckets one
      // that stands in the first on behalf of the last is one too many for that already.
      const count = places === 2 && bucket === 3 ? places : places + 1;
      const keys = pool.slice(bucket * 8, bucket * 8 + count);
      for (const key of keys) both.set(key, 1);
      for (const key of keys.slice(0, -1)) both.remove(key);
    }
    expect(both.check(pool)).toBe(4);
    const stranger = { address: 1n, protoPort: 1 };
    both.remove(stranger);
    both.set(stranger, 5);
    expect(both.check([...pool, stranger])).toBe(5);
  });

  it("counts what passed a bucket down again", async () => {
    const both = await make();
    const fillAndEmpty = () => {
      for (const key of pool) both.set(key, 1);
      for (const key of pool) both.remove(key);
      return Buffer.from(both.image.copy().subarray(IMAGE_HEAD));
    };
    // Grown once, and its places written once.
    fillAndEmpty();
    const first = fillAndEmpty();
    expect(fillAndEmpty().equals(first)).toBe(true);
  });

  it("grows to 20,000 entries, empties, and needs no more to fill again", async () => {
    const both = await make(1 << 23);
    const keys = Array.from({ length: 20_000 }, (_, index) => ({
      address: vip + BigInt(index >> 2),
      protoPort: HTTP + (index & 3),
    }));
    const missing = keys.map(({ address, protoPort }) => ({ address, protoPort: protoPort ^ 0x110000 }));
    for (const [index, key] of keys.entries()) both.set(key, index + 1);
    expect(both.check(keys)).toBe(20_000);
    expect(both.check(missing)).toBe(0);
    const octets = both.image.octets(PART_EXACT);
    expect(octets / keys.length).toBeLessThan(most);
    for (const key of keys) both.remove(key);
    expect(both.check(keys)).toBe(0);
    for (const [index, key] of keys.entries()) both.set(key, index + 7);
    expect(both.check(keys)).toBe(20_000);
    expect(both.image.octets(PART_EXACT)).toBe(octets);
  });

  it("changes nothing when it cannot grow", async () => {
    const both = await make();
    both.image.machine.imageResize(both.image.address, both.image.top + IMAGE_TAIL + 8192);
    const keys = Array.from({ length: 400 }, (_, index) => ({
      address: vip + BigInt(index * 7),
      protoPort: index,
    }));
    const accepted = keys.filter((key, index) => {
      const before = both.image.copy();
      const status = both.set(key, index + 1);
      if (status === STATUS_NO_SPACE) expect(Buffer.compare(both.image.copy(), before)).toBe(0);
      return status === STATUS_OK;
    });
    expect(accepted.length).toBeGreaterThan(10);
    expect(accepted.length).toBeLessThan(400);
    expect(both.check(keys)).toBe(accepted.length);
    expect(both.set(accepted[0] as Key, 99)).toBe(STATUS_OK);
    both.check(keys);
  });

  it("takes no octet for a table that there is no room for", async () => {
    const both = await make();
    const { machine, address } = both.image;
    const key = { address: vip, protoPort: HTTP };
    machine.imageResize(address, both.image.top + IMAGE_TAIL + 64);
    const octets = both.image.octets(PART_EXACT);
    expect([both.set(key, 1), both.set(key, 1)]).toEqual([STATUS_NO_SPACE, STATUS_NO_SPACE]);
    expect(both.image.octets(PART_EXACT)).toBe(octets);
    machine.imageResize(address, both.image.capacity);
    expect(both.set(key, 1)).toBe(STATUS_OK);
  });

  it("refuses value 0, table numbers out of range, and tables of the other family", async () => {
    const both = await make();
    const { image } = both;
    const [other] = FAMILIES.filter((one) => one !== family);
    if (other === undefined) throw new Error("there are two families");
    const [key, ofOther] = [
      { address: vip, protoPort: HTTP },
      { address: other.vip, protoPort: HTTP, value: 5 },
    ];
    const insert = (table: number, value: number) => family.insert(image, table, [{ ...key, value }]);
    expect([insert(1, 0), insert(64, 1), insert(1, 1), other.insert(image, 2, [ofOther])]).toEqual([
      STATUS_BAD_ENTRY,
      STATUS_BAD_ENTRY,
      STATUS_OK,
      STATUS_OK,
    ]);
    expect([insert(2, 1), other.insert(image, 1, [ofOther])]).toEqual([STATUS_BAD_ENTRY, STATUS_BAD_ENTRY]);
    expect([family.remove(image, 64, key), family.remove(image, 2, key)]).toEqual([
      STATUS_BAD_ENTRY,
      STATUS_BAD_ENTRY,
    ]);
    expect([1, 2, 64].flatMap((table) => [...family.find(image, table, [key])])).toEqual([1, 0, 0]);
  });
});

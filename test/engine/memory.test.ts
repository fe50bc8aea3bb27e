import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinearMemory } from "../../src/engine/memory.js";

const PAGE = 65536;

describe("linear memory", () => {
  it("hands out regions that are aligned, apart from each other and within the memory", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { minLength: 1, maxLength: 20 }), (sizes) => {
        const memory = new LinearMemory();
        let end = 1;
        for (const size of sizes) {
          const address = memory.take(size);
          expect([address % 128, address >= end]).toEqual([0, true]);
          end = address + size;
          expect(end).toBeLessThanOrEqual(memory.memory.buffer.byteLength);
        }
        // No more than was asked for, but for the first page and what rounding adds.
        const asked = sizes.reduce((sum, size) => sum + size + 128, 0);
        expect(memory.memory.buffer.byteLength).toBeLessThanOrEqual(asked + 3 * PAGE);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps views valid while it grows", () => {
    const memory = new LinearMemory();
    const address = memory.take(16);
    const octets = memory.octets(address, 16);
    memory.take(10 * PAGE);
    octets[3] = 7;
    expect([memory.octets(address, 16)[3], memory.view(address, 16).getUint8(3)]).toEqual([7, 7]);
    expect(memory.words(address, 4)[0]).toBe(7 * 2 ** 24);
  });

  it("is all zero where it is fresh, also where it was lent before", () => {
    const memory = new LinearMemory();
    memory.borrow(1000, (address) => memory.octets(address, 1000).fill(0xa5));
    const fresh = memory.octets(memory.take(1000), 1000);
    expect(fresh.every((octet) => octet === 0)).toBe(true);
  });

  it("takes back what it lent, also when the borrower fails", () => {
    const memory = new LinearMemory();
    const first = memory.borrow(1000, (address) => memory.borrow(1000, () => address));
    expect(() =>
      memory.borrow(1000, () => {
        throw new Error("the borrower's");
      }),
    ).toThrow("the borrower's");
    expect(memory.take(1000)).toBe(first);
  });

  it("refuses more than 2 GiB, and goes on", () => {
    const memory = new LinearMemory();
    expect(() => memory.take(2 ** 31)).toThrow(RangeError);
    expect(() => memory.take(2 ** 31)).toThrow("holds 2 GiB");
    expect(memory.memory.buffer.byteLength).toBe(2 * PAGE);
    expect(memory.take(8)).toBe(PAGE);
  });
});

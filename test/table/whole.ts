import fc from "fast-check";
import { expect } from "vitest";
import { IMAGE_TAIL, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import type { BareImage } from "../bare-image.js";

/** The writer's scratch at the end of an image's head (assembly/image.ts): no table is in it. */
const [SCRATCH, SCRATCH_END] = [1664, 2432];
export const CAPACITY = 1 << 24;

/** Everything that an image holds. */
export function contents(image: BareImage): Buffer {
  const octets = Buffer.from(image.copy());
  // What the image may grow to is the host's.
  octets.fill(0, 8, 12);
  return octets.fill(0, SCRATCH, SCRATCH_END);
}

/** Calls where so many octets are left. A refusal leaves no trace. */
function callWith(image: BareImage, spare: number, call: () => number): boolean {
  const { machine, address, capacity } = image;
  expect(machine.imageResize(address, image.top + IMAGE_TAIL + spare)).toBe(STATUS_OK);
  const before = contents(image);
  const status = call();
  expect([STATUS_OK, STATUS_NO_SPACE]).toContain(status);
  if (status === STATUS_NO_SPACE) expect(contents(image).equals(before)).toBe(true);
  machine.imageResize(address, capacity);
  return status === STATUS_OK;
}

/** Calls with the least room that suffices, at most `room` octets, after less was refused: how much that is. */
export function callAtLimit(image: BareImage, room: number, call: () => number): number {
  const { memory, address } = image;
  const before = image.copy();
  let [refused, taken] = [-1, room];
  while (taken - refused > 1) {
    const spare = (refused + taken) >> 1;
    if (callWith(image, spare, call)) taken = spare;
    else refused = spare;
    memory.octets(address, before.length).set(before);
  }
  expect(callWith(image, taken, call)).toBe(true);
  return taken;
}

/** Draws what `attempt` calls at its limit, which is to be above 0 as a rule. */
export async function expectWhole<T>(
  drawn: fc.Arbitrary<T>,
  attempt: (draw: T) => Promise<number>,
): Promise<void> {
  let limited = 0;
  const property = fc.asyncProperty(drawn, async (draw) => {
    if ((await attempt(draw)) > 0) limited++;
  });
  await fc.assert(property, { numRuns: 40 });
  expect(limited).toBeGreaterThan(5);
}

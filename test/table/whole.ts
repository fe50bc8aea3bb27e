import fc from "fast-check";
import { expect } from "vitest";
import { IMAGE_TAIL, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import type { BareImage } from "../bare-image.js";

/** The writer's scratch at the end of an image's head (assembly/image.ts): no table is in it. */
const [SCRATCH, SCRATCH_END] = [1280, 2048];
export const CAPACITY = 1 << 24;

/** Everything that an image holds. */
export function contents(image: BareImage): Buffer {
  const octets = Buffer.from(image.copy());
  // What the image may grow to is the host's.
  octets.fill(0, 8, 12);
  return octets.fill(0, SCRATCH, SCRATCH_END);
}

/** Calls where so many octets are left: a refusal leaves no trace, and what was refused is taken where there is room. */
export function callWith(image: BareImage, spare: number, call: () => number): "taken" | "refused" {
  const { machine, address, capacity } = image;
  expect(machine.imageResize(address, Math.min(capacity, image.top + IMAGE_TAIL + spare))).toBe(STATUS_OK);
  const before = contents(image);
  const status = call();
  expect([STATUS_OK, STATUS_NO_SPACE]).toContain(status);
  if (status === STATUS_NO_SPACE) expect(contents(image).equals(before)).toBe(true);
  machine.imageResize(address, capacity);
  if (status === STATUS_OK) return "taken";
  expect(call()).toBe(STATUS_OK);
  return "refused";
}

/** Draws sizes and room, and expects that some calls are taken at once and some refused. */
export async function expectWhole<T>(
  drawn: fc.Arbitrary<T>,
  room: number,
  attempt: (draw: T, spare: number) => Promise<"taken" | "refused">,
): Promise<void> {
  const counts = { taken: 0, refused: 0 };
  const spare = fc.oneof(fc.nat(room), fc.nat(room >> 4), fc.nat(room >> 8));
  const property = fc.asyncProperty(drawn, spare, async (draw, octets) => {
    counts[await attempt(draw, octets)]++;
  });
  await fc.assert(property, { numRuns: 60 });
  expect(Math.min(counts.taken, counts.refused), JSON.stringify(counts)).toBeGreaterThan(4);
}

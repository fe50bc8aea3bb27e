import { Image } from "../image";
import { blockOctets, spareOctets } from "./arena";
import { CHUNK, cellAlignment, cellOctets } from "./cells";
import { vectorRoom } from "./vector";

/**
 * Counts the fresh memory that blocks and cells would take, before any is taken: what was given back is not counted on,
 * so the answer is never too low.
 */
@unmanaged
@final
export class Needs {
  octets: u64;
  /** What is left of chunks for cells at multiples of 64, of 32, and of 8. */
  rest64: u32;
  rest32: u32;
  rest8: u32;

  static at(address: usize): Needs {
    const needs = changetype<Needs>(address);
    memory.fill(address, 0, offsetof<Needs>());
    return needs;
  }

  block(octets: u32): void {
    this.octets += blockOctets(octets);
  }

  cell(octets: u32): void {
    const length = cellOctets(octets);
    const alignment = cellAlignment(length);
    let field = changetype<usize>(this);
    field +=
      alignment == 64
        ? offsetof<Needs>("rest64")
        : alignment == 32
          ? offsetof<Needs>("rest32")
          : offsetof<Needs>("rest8");
    if (load<u32>(field) < length) {
      this.octets += CHUNK;
      store<u32>(field, CHUNK);
    }
    store<u32>(field, load<u32>(field) - length);
  }

  /** What vectorReach takes, given the vector's room. */
  vector(room: u32, index: u32, stride: u32): void {
    if (index >= room) this.block(vectorRoom(room, index) * stride);
  }

  isMet(image: Image): bool {
    return this.octets <= spareOctets(image);
  }
}

/** Octets of scratch that it is counted in. */
export const NEEDS_LEN: u32 = 24;

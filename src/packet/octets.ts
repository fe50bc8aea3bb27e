/*
 * Big-endian numbers in octets. Reading past the end gives zeros, so no reader throws; whoever must know the end
 * compares lengths first. Writing refuses what does not fit, since that is a mistake of the caller.
 */

export function read8(octets: Uint8Array, at: number): number {
  return octets[at] ?? 0;
}

export function read16(octets: Uint8Array, at: number): number {
  return read8(octets, at) * 256 + read8(octets, at + 1);
}

export function read32(octets: Uint8Array, at: number): number {
  return read16(octets, at) * 65536 + read16(octets, at + 2);
}

export function read48(octets: Uint8Array, at: number): number {
  return read16(octets, at) * 2 ** 32 + read32(octets, at + 2);
}

export function read128(octets: Uint8Array, at: number): bigint {
  let value = 0n;
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(read32(octets, at + 4 * word));
  return value;
}

/** Writes `value` big-endian into `width` octets at `at`. RangeError when it is no unsigned integer of that width. */
export function write(octets: Uint8Array, at: number, width: number, value: number, field: string): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new RangeError(`${field}: ${value} is no unsigned number of ${8 * width} bits.`);
  }
  let rest = value;
  for (let index = at + width - 1; index >= at; index--) {
    octets[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** As `write`, of an IPv6 address. */
export function write128(octets: Uint8Array, at: number, value: bigint, field: string): void {
  for (let word = 0; word < 4; word++) {
    write(octets, at + 4 * word, 4, Number((value >> BigInt(96 - 32 * word)) & 0xffffffffn), field);
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

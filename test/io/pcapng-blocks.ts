import { concat } from "../../src/packet/octets.js";

/** pcapng blocks for tests, in either byte order. */

function u32s(littleEndian: boolean, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, littleEndian);
  return new Uint8Array(view.buffer);
}

function u16s(littleEndian: boolean, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  for (const [index, value] of values.entries()) view.setUint16(2 * index, value, littleEndian);
  return new Uint8Array(view.buffer);
}

const padding = (octets: Uint8Array): Uint8Array => new Uint8Array(-octets.length & 3);

export function block(littleEndian: boolean, type: number, body: Uint8Array): Uint8Array {
  const padded = concat(body, padding(body));
  const length = padded.length + 12;
  return concat(u32s(littleEndian, type, length), padded, u32s(littleEndian, length));
}

/** 28 octets. */
export function section(littleEndian: boolean): Uint8Array {
  const unknownLength = new Uint8Array(8).fill(0xff);
  const body = concat(u32s(littleEndian, 0x1a2b3c4d), u16s(littleEndian, 1, 0), unknownLength);
  return block(littleEndian, 0x0a0d0d0a, body);
}

/** 20 octets without options. */
export function interfaceBlock(
  littleEndian: boolean,
  linkType: number,
  snapLength: number,
  options: readonly (readonly [number, Uint8Array])[] = [],
): Uint8Array {
  const encoded = options.map(([code, value]) =>
    concat(u16s(littleEndian, code, value.length), value, padding(value)),
  );
  const body = concat(u16s(littleEndian, linkType, 0), u32s(littleEndian, snapLength), ...encoded);
  return block(littleEndian, 1, body);
}

/** 36 octets for a packet of 1 to 4. */
export function enhanced(
  littleEndian: boolean,
  index: number,
  ticks: bigint,
  bytes: Uint8Array,
  originalLength: number,
): Uint8Array {
  const [high, low] = [Number(ticks >> 32n), Number(ticks & 0xffffffffn)];
  const body = concat(u32s(littleEndian, index, high, low, bytes.length, originalLength), bytes);
  return block(littleEndian, 6, body);
}

export function simple(littleEndian: boolean, bytes: Uint8Array, originalLength: number): Uint8Array {
  return block(littleEndian, 3, concat(u32s(littleEndian, originalLength), bytes));
}

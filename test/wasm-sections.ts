/** Sections of a WebAssembly module (core specification §5.5), as far as the artefact tests ask for them. */
export interface WasmSection {
  readonly id: number;
  readonly octets: Uint8Array;
}

export const SECTION = { global: 6, start: 8, data: 11 } as const;

const HEADER_LEN = 8;

/** A LEB128 number and where it ends. */
function readLeb(octets: Uint8Array, at: number): readonly [value: number, end: number] {
  let value = 0;
  let factor = 1;
  for (let end = at; ; end++) {
    const octet = octets[end];
    if (octet === undefined) throw new Error("the module is cut");
    value += (octet & 0x7f) * factor;
    factor *= 128;
    if (octet < 128) return [value, end + 1];
  }
}

export function readSections(module: Uint8Array): WasmSection[] {
  const sections: WasmSection[] = [];
  for (let at = HEADER_LEN; at < module.length; ) {
    const [length, begin] = readLeb(module, at + 1);
    sections.push({ id: module[at] ?? 0, octets: module.subarray(begin, begin + length) });
    at = begin + length;
  }
  return sections;
}

/** Whether each global of a module is mutable. Initial values must be a constant instruction of an i32 or i64. */
export function globalMutability(module: Uint8Array): boolean[] {
  const octets = readSections(module).find(({ id }) => id === SECTION.global)?.octets;
  if (octets === undefined) return [];
  const [count, begin] = readLeb(octets, 0);
  const mutable: boolean[] = [];
  for (let at = begin; mutable.length < count; ) {
    const [isMutable, instruction] = [octets[at + 1], octets[at + 2]];
    if (instruction !== 0x41 && instruction !== 0x42)
      throw new Error(`global ${mutable.length} is no constant`);
    const [, end] = readLeb(octets, at + 3);
    mutable.push(isMutable === 1);
    at = end + 1;
  }
  return mutable;
}

export function hasSection(module: Uint8Array, id: number): boolean {
  return readSections(module).some((section) => section.id === id);
}

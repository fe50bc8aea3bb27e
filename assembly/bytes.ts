/** Big-endian loads and stores: the only place where octets of the wire turn into values in host order and back. */

export function load16(address: usize): u32 {
  return bswap<u16>(load<u16>(address));
}

export function load32(address: usize): u32 {
  return bswap<u32>(load<u32>(address));
}

export function store16(address: usize, value: u32): void {
  store<u16>(address, bswap<u16>(<u16>value));
}

export function store32(address: usize, value: u32): void {
  store<u32>(address, bswap<u32>(value));
}

/** The octets of each word in the other order. */
function swapped(words: v128): v128 {
  return v128.shuffle<u8>(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** An IPv6 address: its four words in their order. */
export function load128(address: usize): v128 {
  return swapped(v128.load(address));
}

export function store128(address: usize, words: v128): void {
  v128.store(address, swapped(words));
}

/** An IPv6 address as entries and tables have it, two u64, the high one first, from its words in their order; and back. */
export function halves(words: v128): v128 {
  return v128.shuffle<u32>(words, words, 1, 0, 3, 2);
}

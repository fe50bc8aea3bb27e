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

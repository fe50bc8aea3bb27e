/** Kinds of IPv6 addresses (RFC 4291 §2), given as four words in their order. */

function word0(address: v128): u32 {
  return v128.extract_lane<u32>(address, 0);
}

function isEqual(address: v128, other: v128): bool {
  return i32x4.all_true(i32x4.eq(address, other));
}

/** :: */
export function isUnspecified(address: v128): bool {
  return !v128.any_true(address);
}

/** ::1 */
export function isLoopback(address: v128): bool {
  return isEqual(address, i32x4(0, 0, 0, 1));
}

/** ff00::/8 */
export function isMulticast(address: v128): bool {
  return word0(address) >> 24 == 0xff;
}

/** Multicast within an interface (scope 1), or with the reserved scope 0: neither is sent. */
export function isMulticastOfNobody(address: v128): bool {
  return isMulticast(address) && ((word0(address) >> 16) & 15) <= 1;
}

/** fe80::/10 */
export function isLinkLocal(address: v128): bool {
  return word0(address) >> 22 == 0xfe80 >> 6;
}

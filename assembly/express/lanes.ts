/** A half of a lane; in the arithmetic of checksums also all ones, which is 0. */
export const HALF: i32 = 0xffff;

/**
 * Four 32-bit values abreast, a lane for each of four packets: what is asked of a header is then asked once for all
 * four. Words of the wire are as they are loaded, so that octets stand the other way round (RFC 1071 §2B: sums do not
 * mind).
 */
@unmanaged
@final
export class Lanes {
  /** Word 0 of each of four rows; then words 1, 2 and 3. */
  @inline
  static first(a: v128, b: v128, c: v128, d: v128): v128 {
    return v128.shuffle<u64>(Lanes.low(a, b), Lanes.low(c, d), 0, 2);
  }

  @inline
  static second(a: v128, b: v128, c: v128, d: v128): v128 {
    return v128.shuffle<u64>(Lanes.low(a, b), Lanes.low(c, d), 1, 3);
  }

  @inline
  static third(a: v128, b: v128, c: v128, d: v128): v128 {
    return v128.shuffle<u64>(Lanes.high(a, b), Lanes.high(c, d), 0, 2);
  }

  @inline
  static fourth(a: v128, b: v128, c: v128, d: v128): v128 {
    return v128.shuffle<u64>(Lanes.high(a, b), Lanes.high(c, d), 1, 3);
  }

  /** Lanes 0 and 1 of two columns by turns; then lanes 2 and 3. */
  @inline
  static low(a: v128, b: v128): v128 {
    return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  }

  @inline
  static high(a: v128, b: v128): v128 {
    return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  }

  /** Four columns as four rows one behind another. */
  @inline
  static storeRows(to: usize, a: v128, b: v128, c: v128, d: v128): void {
    v128.store(to, Lanes.first(a, b, c, d));
    v128.store(to, Lanes.second(a, b, c, d), 16);
    v128.store(to, Lanes.third(a, b, c, d), 32);
    v128.store(to, Lanes.fourth(a, b, c, d), 48);
  }

  /** Each lane's value as an address. */
  @inline
  static address0(addresses: v128): usize {
    return <usize>(<u32>i32x4.extract_lane(addresses, 0));
  }

  @inline
  static address1(addresses: v128): usize {
    return <usize>(<u32>i32x4.extract_lane(addresses, 1));
  }

  @inline
  static address2(addresses: v128): usize {
    return <usize>(<u32>i32x4.extract_lane(addresses, 2));
  }

  @inline
  static address3(addresses: v128): usize {
    return <usize>(<u32>i32x4.extract_lane(addresses, 3));
  }

  /** One word from each of four addresses. */
  @inline
  static gather(a: usize, b: usize, c: usize, d: usize, offset: usize): v128 {
    let words = v128.load32_zero(a + offset);
    words = v128.load_lane<u32>(b + offset, words, 1);
    words = v128.load_lane<u32>(c + offset, words, 2);
    return v128.load_lane<u32>(d + offset, words, 3);
  }

  /** The same of addresses that stand in lanes. */
  @inline
  static gatherAt(at: v128, offset: usize): v128 {
    return Lanes.gather(
      Lanes.address0(at),
      Lanes.address1(at),
      Lanes.address2(at),
      Lanes.address3(at),
      offset,
    );
  }

  /** Every lane whose bit is set. */
  @inline
  static ofBits(bits: u32): v128 {
    return i32x4.ne(v128.and(i32x4.splat(bits), i32x4(1, 2, 4, 8)), i32x4.splat(0));
  }

  /** Each lane's four octets turned around. */
  @inline
  static turned(words: v128): v128 {
    return v128.shuffle<u8>(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  }

  /** The two octets of each half swapped. */
  @inline
  static swapped(words: v128): v128 {
    return v128.or(i16x8.shl(words, 8), i16x8.shr_u(words, 8));
  }

  /** Each lane's halves added up. */
  @inline
  static halves(words: v128): v128 {
    return i32x4.extadd_pairwise_i16x8_u(words);
  }

  /** Sums of few halves to one half, with the carry added again; 0 only for 0. */
  @inline
  static folded(sums: v128): v128 {
    return Lanes.halves(Lanes.halves(sums));
  }

  /** Checksums after words grew by differences above 0 (RFC 1624 §3, eqn. 3); 0 leaves them as they are. */
  @inline
  static patched(checksums: v128, differences: v128): v128 {
    const sums = i32x4.add(v128.xor(checksums, i32x4.splat(HALF)), differences);
    return v128.xor(Lanes.folded(sums), i32x4.splat(HALF));
  }
}

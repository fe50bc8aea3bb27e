import {
  ETH_TYPE_TEB,
  GENEVE_FLAG_CONTROL,
  GENEVE_FLAG_CRITICAL,
  GENEVE_FLAGS,
  GENEVE_LEN,
  GENEVE_LENGTH_MASK,
  GENEVE_OPTION_CRITICAL,
  GENEVE_TYPE,
  GENEVE_VERSION_LENGTH,
} from "../abi/wire";
import { load16 } from "../bytes";

/** A Geneve header, seen in place (RFC 8926 §3.4). */
@unmanaged
@final
export class Geneve {
  @inline
  static at(address: usize): Geneve {
    return changetype<Geneve>(address);
  }

  /** Version 0, around an Ethernet frame. */
  @inline
  get isValid(): bool {
    const version = load<u8>(changetype<usize>(this), GENEVE_VERSION_LENGTH) & ~(<u8>GENEVE_LENGTH_MASK);
    return version == 0 && load16(changetype<usize>(this) + GENEVE_TYPE) == ETH_TYPE_TEB;
  }

  /** Octets with options. */
  @inline
  get headerLength(): u32 {
    const words = <u32>load<u8>(changetype<usize>(this), GENEVE_VERSION_LENGTH) & GENEVE_LENGTH_MASK;
    return GENEVE_LEN + (words << 2);
  }

  @inline
  get isControl(): bool {
    return (load<u8>(changetype<usize>(this), GENEVE_FLAGS) & GENEVE_FLAG_CONTROL) != 0;
  }

  @inline
  get isCritical(): bool {
    return (load<u8>(changetype<usize>(this), GENEVE_FLAGS) & GENEVE_FLAG_CRITICAL) != 0;
  }
}

/** Options stand behind one another, and end where their length says (RFC 8926 §3.5). */
const OPTION_LEN: u32 = 4;
const OPTION_TYPE: u32 = 2;
const OPTION_LENGTH: u32 = 3;
const OPTION_LENGTH_MASK: u32 = 0x1f;

export const OPTIONS_PLAIN: u32 = 0;
export const OPTIONS_CRITICAL: u32 = 1;
/** An option ends behind the last. */
export const OPTIONS_BAD: u32 = 2;

/** What `length` octets of options (a multiple of 4) are. */
export function judgeOptions(options: usize, length: u32): u32 {
  let judged = OPTIONS_PLAIN;
  let at: u32 = 0;
  while (at < length) {
    if ((load<u8>(options + at, OPTION_TYPE) & <u8>GENEVE_OPTION_CRITICAL) != 0) judged = OPTIONS_CRITICAL;
    at += OPTION_LEN + ((<u32>load<u8>(options + at, OPTION_LENGTH) & OPTION_LENGTH_MASK) << 2);
  }
  return at == length ? judged : OPTIONS_BAD;
}

import { VXLAN_FLAG_VNI, VXLAN_FLAGS, VXLAN_RESERVED, VXLAN_VNI } from "../abi/wire";
import { load32 } from "../bytes";

/** A VXLAN header, seen in place (RFC 7348 §5). */
@unmanaged
@final
export class Vxlan {
  @inline
  static at(address: usize): Vxlan {
    return changetype<Vxlan>(address);
  }

  /** The I flag: the VNI is there. */
  @inline
  get hasVni(): bool {
    return (load<u8>(changetype<usize>(this), VXLAN_FLAGS) & VXLAN_FLAG_VNI) != 0;
  }

  /** All else is 0: Linux takes reserved bits for a header that it does not know (vxlan_rcv), where RFC 7348 ignores them. */
  @inline
  get isPlain(): bool {
    const flags = load32(changetype<usize>(this) + VXLAN_FLAGS);
    return flags == VXLAN_FLAG_VNI << 24 && load<u8>(changetype<usize>(this), VXLAN_RESERVED) == 0;
  }

  @inline
  get vni(): u32 {
    return load32(changetype<usize>(this) + VXLAN_VNI) >> 8;
  }
}

import { ETH_TYPE } from "../abi/wire";
import { load16 } from "../bytes";

/** An Ethernet II header, seen in place (IEEE 802.3). */
@unmanaged
@final
export class Ethernet {
  @inline
  static at(address: usize): Ethernet {
    return changetype<Ethernet>(address);
  }

  @inline
  get type(): u32 {
    return load16(changetype<usize>(this) + ETH_TYPE);
  }
}

import { INTERFACE_NODE } from "../../abi/packet";
import { Image } from "../../image";
import { DEVICE_IN, DEVICE_KIND_SHIFT, DEVICE_LEN, DEVICE_PORT, DEVICE_VNI, TUNNEL_NONE } from "./layout";

/** The TUNNEL_ kind of the devices that listen on a UDP port, or TUNNEL_NONE. */
export function tunnelKind(image: Image, port: u32): u32 {
  const rows = image.to(image.tunnelsAt);
  for (let i: u32 = 0; i < image.tunnels; i++) {
    const own = load<u32>(rows + i * DEVICE_LEN, DEVICE_PORT);
    if ((own & 0xffff) == port) return own >> DEVICE_KIND_SHIFT;
  }
  return TUNNEL_NONE;
}

/** The interface of the device that has this port and VNI; INTERFACE_NODE where there is none. */
export function tunnelIn(image: Image, port: u32, vni: u32): u32 {
  const rows = image.to(image.tunnelsAt);
  for (let i: u32 = 0; i < image.tunnels; i++) {
    const row = rows + i * DEVICE_LEN;
    if ((load<u32>(row, DEVICE_PORT) & 0xffff) == port && load<u32>(row, DEVICE_VNI) == vni)
      return load<u32>(row, DEVICE_IN);
  }
  return INTERFACE_NODE;
}

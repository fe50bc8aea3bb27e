import { TUNNEL_GENEVE, TUNNELS_MAX } from "../../abi/entry";
import { PART_NEXT_HOPS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { INTERFACE_NODE } from "../../abi/packet";
import { Image } from "../../image";
import { vectorReach } from "../../memory/vector";
import { DEVICE_IN, DEVICE_KIND_SHIFT, DEVICE_LEN, DEVICE_PORT, DEVICE_VNI, TUNNEL_NONE } from "./layout";
import { tunnelKind } from "./lookup";

/** The number of the row for a port and VNI, or of the row behind the last. */
function rowOf(image: Image, port: u32, vni: u32): u32 {
  const rows = image.to(image.tunnelsAt);
  let at: u32 = 0;
  while (at < image.tunnels) {
    const row = rows + at * DEVICE_LEN;
    if ((load<u32>(row, DEVICE_PORT) & 0xffff) == port && load<u32>(row, DEVICE_VNI) == vni) break;
    at++;
  }
  return at;
}

/** The last row goes where the removed one was. */
function remove(image: Image, at: u32): u32 {
  if (at == image.tunnels) return STATUS_BAD_ENTRY;
  const rows = image.to(image.tunnelsAt);
  image.tunnels--;
  memory.copy(rows + at * DEVICE_LEN, rows + image.tunnels * DEVICE_LEN, DEVICE_LEN);
  image.sequence++;
  return STATUS_OK;
}

/**
 * Lets what comes to a local address, this UDP port and this VNI go on from interface `inNumber`; INTERFACE_NODE
 * removes the device. A port is of one kind (TUNNEL_…).
 */
export function tunnelSet(image: Image, kind: u32, port: u32, vni: u32, inNumber: u32): u32 {
  if (kind > TUNNEL_GENEVE || port == 0 || port > 0xffff || vni > 0xffffff) return STATUS_BAD_ENTRY;
  const other = tunnelKind(image, port);
  if (other != TUNNEL_NONE && other != kind) return STATUS_BAD_ENTRY;
  const at = rowOf(image, port, vni);
  if (inNumber == INTERFACE_NODE) return remove(image, at);
  if (at >= TUNNELS_MAX) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("tunnelsAt"), at, DEVICE_LEN, PART_NEXT_HOPS))
    return STATUS_NO_SPACE;
  const row = image.to(image.tunnelsAt) + at * DEVICE_LEN;
  store<u32>(row, port | (kind << DEVICE_KIND_SHIFT), DEVICE_PORT);
  store<u32>(row, vni, DEVICE_VNI);
  store<u32>(row, inNumber, DEVICE_IN);
  image.tunnels = max<u32>(image.tunnels, at + 1);
  image.sequence++;
  return STATUS_OK;
}

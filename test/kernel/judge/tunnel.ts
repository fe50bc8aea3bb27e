import type { Mac } from "../../../src/net/mac.js";
import type { VxlanFields } from "../../../src/packet/encode-link.js";
import { frame } from "../../../src/packet/frame.js";
import { type Entering, VXLAN_PORT } from "./conversation.js";
import { NODE_IP, OTHER_NODE_IP } from "./drawn-node.js";
import { UPLINK } from "./parties.js";
import { FAR_MAC } from "./segment.js";

/** flannel's device. */
export const TUNNEL = "flannel.1";
const VNI = 1;

/** What is odd about a tunnel's packet. */
export interface OddTunnel {
  readonly name: string;
  readonly vxlan?: Partial<VxlanFields>;
  /** Of UDP. */
  readonly checksum?: number;
  readonly tos?: number;
}

export const ODD_TUNNELS: readonly OddTunnel[] = [
  { name: "another VNI", vxlan: { vni: VNI + 1 } },
  { name: "no VNI", vxlan: { flags: 0 } },
  { name: "a reserved flag", vxlan: { flags: 0x88 } },
  { name: "no outer checksum", checksum: 0 },
  { name: "a bad outer checksum", checksum: 1 },
  { name: "outer ECT", tos: 2 },
  { name: "outer congestion", tos: 3 },
  { name: "outer precedence", tos: 0xb8 },
];

/** A frame to the tunnel's device, as the other node sends it; `mac` is the uplink's. */
export function tunnelled(inner: Uint8Array, mac: Mac, odd: Omit<OddTunnel, "name"> = {}): Entering {
  const { vxlan, checksum, tos = 0 } = odd;
  const built = frame()
    .eth({ src: FAR_MAC, dst: mac })
    .ip4({ src: OTHER_NODE_IP, dst: NODE_IP, df: false, tos })
    .udp({ srcPort: 40_000, dstPort: VXLAN_PORT, ...(checksum === undefined ? {} : { checksum }) })
    .vxlan({ vni: VNI, ...vxlan })
    .payload(inner)
    .bytes();
  return { way: UPLINK, frame: built };
}

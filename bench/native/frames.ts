import {
  ETH_LEN,
  IP4_CHECKSUM,
  IP4_LEN,
  IP4_PROTOCOL,
  UDP_CHECKSUM,
  VXLAN_FLAG_VNI,
  VXLAN_LEN,
  VXLAN_OUTER_LEN,
  VXLAN_VNI,
} from "../../assembly/abi/wire.js";
import { type Ip4, printIp4 } from "../../src/net/ip.js";
import { udp } from "../../src/packet/build.js";
import { internetChecksum } from "../../src/packet/checksum.js";
import { SEGMENT_LEN, writeSegment } from "../../src/packet/segment.js";

/** Records are so many octets, or a multiple: a frame and its neighbour never share a cache line. */
const RECORD = 64;
const HEAD_WORDS = 3;

/** Frames of one length in a file: count, length, octets of a record; then a record for each. */
export class FrameFile {
  readonly octets: Uint8Array;
  readonly count: number;
  readonly length: number;
  readonly record: number;

  /** An empty file for so many frames, or one that was read. Error when it is cut. */
  constructor(source: { readonly count: number; readonly length: number } | Uint8Array) {
    if (source instanceof Uint8Array) {
      const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
      [this.count, this.length, this.record] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [
        number,
        number,
        number,
      ];
      this.octets = source;
      if (source.length !== HEAD_WORDS * 4 + this.count * this.record)
        throw new Error("A file of frames is cut: let the runner write it again.");
      return;
    }
    this.count = source.count;
    this.length = source.length;
    this.record = Math.ceil(source.length / RECORD) * RECORD;
    this.octets = new Uint8Array(HEAD_WORDS * 4 + this.count * this.record);
    new Uint32Array(this.octets.buffer, 0, HEAD_WORDS).set([this.count, this.length, this.record]);
  }

  /** The place of a frame. */
  at(index: number): Uint8Array {
    const at = HEAD_WORDS * 4 + index * this.record;
    return this.octets.subarray(at, at + this.length);
  }
}

/** ESP: a protocol without ports, which no connection table tracks. */
const PROTO_ESP = 50;

/** A frame of 60 octets that is routed and nothing else. */
export function writeRouted(into: Uint8Array, src: Ip4, dst: Ip4): void {
  writeSegment(into, { protocol: "UDP", src, srcPort: 0, dst, dstPort: 0 }, "opening");
  into[ETH_LEN + IP4_PROTOCOL] = PROTO_ESP;
  into.fill(0, ETH_LEN + IP4_CHECKSUM, ETH_LEN + IP4_CHECKSUM + 2);
  const checksum = internetChecksum(into.subarray(ETH_LEN, ETH_LEN + IP4_LEN));
  into[ETH_LEN + IP4_CHECKSUM] = checksum >> 8;
  into[ETH_LEN + IP4_CHECKSUM + 1] = checksum & 255;
}

/** What a node takes tunnelled packets by. */
export interface Tunnel {
  readonly address: Ip4;
  readonly port: number;
  readonly vni: number;
}

export const TUNNELLED_LEN = VXLAN_OUTER_LEN + SEGMENT_LEN;

/** VXLAN's 50 octets from another node to this one, before an inner frame of SEGMENT_LEN; no UDP checksum. */
export function outerHeaders(remote: Ip4, tunnel: Tunnel): Uint8Array {
  const to = `${printIp4(tunnel.address)}:${tunnel.port}`;
  const outer = udp(`${printIp4(remote)}:49152`, to, { payload: VXLAN_LEN + SEGMENT_LEN }).slice(
    0,
    VXLAN_OUTER_LEN,
  );
  const at = ETH_LEN + IP4_LEN;
  outer.fill(0, at + UDP_CHECKSUM, VXLAN_OUTER_LEN);
  const vxlan = new DataView(outer.buffer, outer.byteOffset + VXLAN_OUTER_LEN - VXLAN_LEN);
  vxlan.setUint8(0, VXLAN_FLAG_VNI);
  vxlan.setUint32(VXLAN_VNI, tunnel.vni << 8);
  return outer;
}

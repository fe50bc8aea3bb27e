import { printIp4 } from "../src/net/ip.js";

/** Addresses, ports and protocol of an Ethernet/IPv4 frame without IPv4 options; ports are 0 but for TCP and UDP. */
export interface Tuple {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly protocol: number;
}

export function tupleOf(frame: Uint8Array): Tuple {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const protocol = view.getUint8(23);
  const hasPorts = protocol === 6 || protocol === 17;
  return {
    src: view.getUint32(26),
    dst: view.getUint32(30),
    srcPort: hasPorts ? view.getUint16(34) : 0,
    dstPort: hasPorts ? view.getUint16(36) : 0,
    protocol,
  };
}

export function ttlOf(frame: Uint8Array): number {
  return frame[22] ?? 0;
}

export function reverse({ src, dst, srcPort, dstPort, protocol }: Tuple): Tuple {
  return { src: dst, dst: src, srcPort: dstPort, dstPort: srcPort, protocol };
}

/** `10.244.1.7:41000 > 10.96.12.3:80/6` */
export function printTuple({ src, dst, srcPort, dstPort, protocol }: Tuple): string {
  return `${printIp4(src)}:${srcPort} > ${printIp4(dst)}:${dstPort}/${protocol}`;
}

export function textOfSource({ src, srcPort }: Tuple): string {
  return `${printIp4(src)}:${srcPort}`;
}

export function textOfDestination({ dst, dstPort }: Tuple): string {
  return `${printIp4(dst)}:${dstPort}`;
}

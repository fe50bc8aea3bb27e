import { printIp4 } from "../src/net/ip.js";
import { printHostPort } from "../src/net/port.js";

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

/** Both ends of a packet as text, whatever its family: `10.244.1.7:41000` or `[fd00::7]:41000`; port 0 but for TCP and UDP. */
export interface Ends {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
}

/** Of an Ethernet frame of IPv4 or IPv6 without options. */
export function endsOf(frame: Uint8Array): Ends {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== 0x86dd) {
    const tuple = tupleOf(frame);
    return { from: textOfSource(tuple), to: textOfDestination(tuple), protocol: tuple.protocol };
  }
  const protocol = view.getUint8(20);
  const hasPorts = protocol === 6 || protocol === 17;
  const address = (at: number) => (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
  const port = (at: number) => (hasPorts ? view.getUint16(at) : 0);
  return {
    from: printHostPort(address(22), port(54)),
    to: printHostPort(address(38), port(56)),
    protocol,
  };
}

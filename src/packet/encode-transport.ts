import * as wire from "../../assembly/abi/wire.js";
import { internetChecksum } from "./checksum.js";
import { crc32c } from "./crc32c.js";
import { type Layer, paddedToWords } from "./layer.js";
import { concat, write } from "./octets.js";

export interface TcpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** Nine bits: FIN is bit 0, AE bit 8. */
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: Uint8Array;
  /** Header length in words of four octets. */
  readonly dataOffset?: number;
  readonly checksum?: number;
}

export interface UdpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly length?: number;
  readonly checksum?: number;
}

export interface SctpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly tag: number;
  /** CRC32c as a number; the octets have its lowest first. */
  readonly checksum?: number;
}

export interface IcmpFields {
  readonly type: number;
  readonly code: number;
  readonly id: number;
  readonly seq: number;
  readonly checksum?: number;
}

/** The checksum of a transport whose checksum field is still zero; without IP below, there is no pseudo header. */
function transportChecksum(octets: Uint8Array, protocol: number, below: Layer | undefined): number {
  const pseudo = below?.pseudoHeader?.(protocol, octets.length) ?? new Uint8Array(0);
  return internetChecksum(concat(pseudo, octets));
}

export function tcpLayer(fields: TcpFields): Layer {
  return {
    protocol: wire.PROTO_TCP,
    encode(payload, _above, below) {
      const header = concat(new Uint8Array(wire.TCP_LEN), paddedToWords(fields.options));
      const dataOffset = fields.dataOffset ?? header.length / 4;
      write(header, wire.TCP_SRC, 2, fields.srcPort, "tcp.srcPort");
      write(header, wire.TCP_DST, 2, fields.dstPort, "tcp.dstPort");
      write(header, wire.TCP_SEQ, 4, fields.seq, "tcp.seq");
      write(header, wire.TCP_ACK, 4, fields.ack, "tcp.ack");
      write(header, wire.TCP_OFFSET, 2, dataOffset * 0x1000 + fields.flags, "tcp.dataOffset");
      write(header, wire.TCP_WINDOW, 2, fields.window, "tcp.window");
      write(header, wire.TCP_URGENT, 2, fields.urgent, "tcp.urgent");
      const segment = concat(header, payload);
      const checksum = fields.checksum ?? transportChecksum(segment, wire.PROTO_TCP, below);
      write(segment, wire.TCP_CHECKSUM, 2, checksum, "tcp.checksum");
      return segment;
    },
  };
}

export function udpLayer(fields: UdpFields): Layer {
  return {
    protocol: wire.PROTO_UDP,
    encode(payload, _above, below) {
      const datagram = concat(new Uint8Array(wire.UDP_LEN), payload);
      write(datagram, wire.UDP_SRC, 2, fields.srcPort, "udp.srcPort");
      write(datagram, wire.UDP_DST, 2, fields.dstPort, "udp.dstPort");
      write(datagram, wire.UDP_LENGTH, 2, fields.length ?? datagram.length, "udp.length");
      // A computed 0 goes out as its other form, since 0 says that there is no checksum (RFC 768).
      const checksum = fields.checksum ?? (transportChecksum(datagram, wire.PROTO_UDP, below) || 0xffff);
      write(datagram, wire.UDP_CHECKSUM, 2, checksum, "udp.checksum");
      return datagram;
    },
  };
}

/** A common header (RFC 9260 §3.1); what follows are chunks. */
export function sctpLayer(fields: SctpFields): Layer {
  return {
    protocol: wire.PROTO_SCTP,
    encode(payload) {
      const packet = concat(new Uint8Array(wire.SCTP_LEN), payload);
      write(packet, wire.SCTP_SRC, 2, fields.srcPort, "sctp.srcPort");
      write(packet, wire.SCTP_DST, 2, fields.dstPort, "sctp.dstPort");
      write(packet, wire.SCTP_TAG, 4, fields.tag, "sctp.tag");
      writeCrc(packet, wire.SCTP_CHECKSUM, fields.checksum ?? crc32c(packet));
      return packet;
    },
  };
}

function writeCrc(octets: Uint8Array, at: number, crc: number): void {
  write(octets, at, 4, crc, "sctp.checksum");
  octets.subarray(at, at + 4).reverse();
}

function icmpMessage(fields: IcmpFields, payload: Uint8Array): Uint8Array {
  const message = concat(new Uint8Array(wire.ICMP_LEN), payload);
  write(message, wire.ICMP_TYPE, 1, fields.type, "icmp.type");
  write(message, wire.ICMP_CODE, 1, fields.code, "icmp.code");
  write(message, wire.ICMP_ID, 2, fields.id, "icmp.id");
  write(message, wire.ICMP_SEQUENCE, 2, fields.seq, "icmp.seq");
  return message;
}

export function icmpLayer(fields: IcmpFields): Layer {
  return {
    protocol: wire.PROTO_ICMP,
    encode(payload) {
      const message = icmpMessage(fields, payload);
      write(message, wire.ICMP_CHECKSUM, 2, fields.checksum ?? internetChecksum(message), "icmp.checksum");
      return message;
    },
  };
}

export function icmp6Layer(fields: IcmpFields): Layer {
  return {
    protocol: wire.PROTO_ICMP6,
    encode(payload, _above, below) {
      const message = icmpMessage(fields, payload);
      const checksum = fields.checksum ?? transportChecksum(message, wire.PROTO_ICMP6, below);
      write(message, wire.ICMP_CHECKSUM, 2, checksum, "icmp6.checksum");
      return message;
    },
  };
}

import * as wire from "../../assembly/abi/wire.js";
import type { Ip4, Ip6 } from "../net/ip.js";
import { internetChecksum, pseudoHeader } from "./checksum.js";
import { type Layer, paddedToWords } from "./layer.js";
import { concat, write, write128 } from "./octets.js";

export interface Ip4Fields {
  readonly src: Ip4;
  readonly dst: Ip4;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly df: boolean;
  readonly mf: boolean;
  /** In octets, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly options: Uint8Array;
  readonly version: number;
  /** Header length in words of four octets. */
  readonly ihl?: number;
  readonly totalLength?: number;
  readonly protocol?: number;
  readonly checksum?: number;
}

export interface Ip6Fields {
  readonly src: Ip6;
  readonly dst: Ip6;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly version: number;
  readonly payloadLength?: number;
  readonly nextHeader?: number;
}

export interface ExtensionFields {
  /** Its own number: what the header before it says comes next. */
  readonly kind: number;
  /** What stands behind the first two octets, filled up with zeros to a whole header. */
  readonly options: Uint8Array;
  readonly nextHeader?: number;
  /** The length field, in its header's units. */
  readonly length?: number;
}

/** IANA's number for experiments (RFC 3692), where nothing says what is inside. */
const PROTO_EXPERIMENT = 253;
const PROTO_IPIP = 4;
const PROTO_IP6 = 41;

function ip4Header(fields: Ip4Fields, payloadLength: number, protocol: number): Uint8Array {
  const header = concat(new Uint8Array(wire.IP4_LEN), paddedToWords(fields.options));
  const ihl = fields.ihl ?? header.length / 4;
  const flags = (fields.df ? wire.IP4_FLAG_DF : 0) + (fields.mf ? wire.IP4_FLAG_MF : 0);
  write(header, wire.IP4_VERSION_IHL, 1, fields.version * 16 + ihl, "ip4.ihl");
  write(header, wire.IP4_TOS, 1, fields.tos, "ip4.tos");
  write(
    header,
    wire.IP4_TOTAL_LENGTH,
    2,
    fields.totalLength ?? header.length + payloadLength,
    "ip4.totalLength",
  );
  write(header, wire.IP4_ID, 2, fields.id, "ip4.id");
  write(header, wire.IP4_FRAGMENT, 2, flags + fields.fragmentOffset / 8, "ip4.fragmentOffset");
  write(header, wire.IP4_TTL, 1, fields.ttl, "ip4.ttl");
  write(header, wire.IP4_PROTOCOL, 1, protocol, "ip4.protocol");
  write(header, wire.IP4_SRC, 4, fields.src, "ip4.src");
  write(header, wire.IP4_DST, 4, fields.dst, "ip4.dst");
  write(header, wire.IP4_CHECKSUM, 2, fields.checksum ?? internetChecksum(header), "ip4.checksum");
  return header;
}

export function ip4Layer(fields: Ip4Fields): Layer {
  return {
    etherType: wire.ETH_TYPE_IP4,
    protocol: PROTO_IPIP,
    pseudoHeader: (protocol, length) => pseudoHeader(fields.src, fields.dst, protocol, length),
    encode(payload, above) {
      const protocol = fields.protocol ?? above?.protocol ?? PROTO_EXPERIMENT;
      return concat(ip4Header(fields, payload.length, protocol), payload);
    },
  };
}

export function ip6Layer(fields: Ip6Fields): Layer {
  return {
    etherType: wire.ETH_TYPE_IP6,
    protocol: PROTO_IP6,
    pseudoHeader: (protocol, length) => pseudoHeader(fields.src, fields.dst, protocol, length),
    encode(payload, above) {
      const header = new Uint8Array(wire.IP6_LEN);
      const first = (fields.version * 256 + fields.trafficClass) * 2 ** 20 + fields.flowLabel;
      write(header, 0, 4, first, "ip6.flowLabel");
      write(header, wire.IP6_PAYLOAD_LENGTH, 2, fields.payloadLength ?? payload.length, "ip6.payloadLength");
      const next = fields.nextHeader ?? above?.protocol ?? PROTO_EXPERIMENT;
      write(header, wire.IP6_NEXT_HEADER, 1, next, "ip6.nextHeader");
      write(header, wire.IP6_HOP_LIMIT, 1, fields.hopLimit, "ip6.hopLimit");
      write128(header, wire.IP6_SRC, fields.src, "ip6.src");
      write128(header, wire.IP6_DST, fields.dst, "ip6.dst");
      return concat(header, payload);
    },
  };
}

/** An IPv6 extension header (RFC 8200 §4). A fragment header's length is reserved; an authentication header counts words of 4. */
export function extensionLayer(fields: ExtensionFields): Layer {
  const isAuth = fields.kind === wire.EXTENSION_AUTH;
  return {
    protocol: fields.kind,
    isExtension: true,
    encode(payload, above) {
      const header = concat(new Uint8Array(wire.EXTENSION_LEN), fields.options);
      const padded = concat(header, new Uint8Array(-header.length & 7));
      const counted = isAuth ? padded.length / 4 - 2 : padded.length / 8 - 1;
      const next = fields.nextHeader ?? above?.protocol ?? wire.EXTENSION_NONE;
      const isFragment = fields.kind === wire.EXTENSION_FRAGMENT;
      write(padded, wire.EXTENSION_NEXT, 1, next, "extension.nextHeader");
      write(
        padded,
        wire.EXTENSION_LENGTH,
        1,
        fields.length ?? (isFragment ? 0 : counted),
        "extension.length",
      );
      return concat(padded, payload);
    },
  };
}

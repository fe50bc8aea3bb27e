import * as wire from "../../assembly/abi/wire.js";
import { type Ip, type Ip4, type Ip6, parseIp } from "../net/ip.js";
import { type Mac, parseMac } from "../net/mac.js";
import {
  type ExtensionFields,
  extensionLayer,
  type Ip4Fields,
  type Ip6Fields,
  ip4Layer,
  ip6Layer,
} from "./encode-ip.js";
import {
  type ArpFields,
  arpLayer,
  type EthFields,
  ethLayer,
  type GeneveFields,
  geneveLayer,
  type VlanFields,
  type VxlanFields,
  vlanLayer,
  vxlanLayer,
} from "./encode-link.js";
import {
  type IcmpFields,
  icmp6Layer,
  icmpLayer,
  type SctpFields,
  sctpLayer,
  type TcpFields,
  tcpLayer,
  type UdpFields,
  udpLayer,
} from "./encode-transport.js";
import type { Layer } from "./layer.js";

/** Octets, text (as UTF-8), or how many octets of a pattern that counts 0, 1, … 255, 0, … */
export type Payload = Uint8Array | string | number;

/** Fields in which some are asked for and may be text, and all others have a default. */
type Options<Fields, Required extends keyof Fields, Text> = Partial<Omit<Fields, Required>> &
  Readonly<Record<Required, Text>>;

export interface EthOptions extends Partial<Omit<EthFields, "src" | "dst">> {
  readonly src?: string | Mac;
  readonly dst?: string | Mac;
}
export type VlanOptions = Partial<Omit<VlanFields, "id">> & Pick<VlanFields, "id">;
export type Ip4Options = Options<Ip4Fields, "src" | "dst", string | Ip4>;
export type Ip6Options = Options<Ip6Fields, "src" | "dst", string | Ip6>;
export type TcpOptions = Partial<Omit<TcpFields, "flags" | "srcPort" | "dstPort">> &
  Pick<TcpFields, "srcPort" | "dstPort"> & { readonly flags?: string | number };
export type ExtensionOptions = Partial<Omit<ExtensionFields, "kind">> & Pick<ExtensionFields, "kind">;
export type SctpOptions = Partial<Omit<SctpFields, "srcPort" | "dstPort">> &
  Pick<SctpFields, "srcPort" | "dstPort">;
export type IcmpOptions = Partial<Omit<IcmpFields, "type">> & Pick<IcmpFields, "type">;
export type GeneveOptions = Partial<Omit<GeneveFields, "vni">> & Pick<GeneveFields, "vni">;
export type VxlanOptions = Partial<Omit<VxlanFields, "vni">> & Pick<VxlanFields, "vni">;
export interface ArpOptions {
  readonly operation?: number;
  readonly senderMac: string | Mac;
  readonly senderIp: string | Ip4;
  readonly targetMac?: string | Mac;
  readonly targetIp: string | Ip4;
}

export const DEFAULT_SRC_MAC: Mac = 0x02_00_00_00_00_01;
export const DEFAULT_DST_MAC: Mac = 0x02_00_00_00_00_02;
const NO_OCTETS = new Uint8Array(0);
const IP4_DEFAULTS = { ttl: 64, tos: 0, id: 0, df: true, mf: false, fragmentOffset: 0, version: 4 };
const IP6_DEFAULTS = { hopLimit: 64, trafficClass: 0, flowLabel: 0, version: 6 };
const TCP_DEFAULTS = { seq: 0, ack: 0, window: 64240, urgent: 0, options: NO_OCTETS };
const GENEVE_DEFAULTS = {
  control: false,
  critical: false,
  type: wire.ETH_TYPE_TEB,
  version: 0,
  options: NO_OCTETS,
};
const TCP_FLAG_LETTERS = "FSRPAUEWe";

export function toOctets(payload: Payload): Uint8Array {
  if (typeof payload === "string") return new TextEncoder().encode(payload);
  return typeof payload === "number" ? Uint8Array.from({ length: payload }, (_, at) => at) : payload;
}

function toMac(mac: string | Mac): Mac {
  const value = typeof mac === "string" ? parseMac(mac) : mac;
  if (value === undefined) throw new TypeError(`«${mac}» is no MAC address; write it as 02:00:00:00:00:01.`);
  return value;
}

export function toIp(ip: string | Ip): Ip {
  const value = typeof ip === "string" ? parseIp(ip) : ip;
  if (value === undefined)
    throw new TypeError(`«${ip}» is no IP address; write it as 10.244.1.7 or fd00::7.`);
  return value;
}

function toIp4(ip: string | Ip4): Ip4 {
  const value = toIp(ip);
  if (typeof value !== "number") throw new TypeError(`«${ip}» is no IPv4 address; write it as 10.244.1.7.`);
  return value;
}

function toIp6(ip: string | Ip6): Ip6 {
  const value = toIp(ip);
  if (typeof value !== "bigint") throw new TypeError(`«${ip}» is no IPv6 address; write it as fd00::7.`);
  return value;
}

/** `SA` → 0x12; a dot is ACK, as tcpdump writes it. */
function toTcpFlags(flags: string | number): number {
  if (typeof flags === "number") return flags;
  const bits = [...flags.replaceAll(".", "A")].map((letter) => TCP_FLAG_LETTERS.indexOf(letter));
  if (bits.includes(-1)) {
    throw new TypeError(`«${flags}» are no TCP flags; write letters of ${TCP_FLAG_LETTERS}, as in SA.`);
  }
  return bits.reduce((value, bit) => value | (1 << bit), 0);
}

/**
 * A frame being written, header by header from the outside in; `bytes` lays it out. Every step gives a new Frame, so
 * a beginning can be kept and continued in several ways. What is computed (lengths, checksums, types) is computed
 * from the inside out; each can be given instead, to make a frame that is wrong on purpose. TypeError for text that
 * is no address; `bytes` throws RangeError for a number too large for its field.
 */
export class Frame {
  readonly #layers: readonly Layer[];
  readonly #payload: Uint8Array;

  constructor(layers: readonly Layer[] = [], payload: Uint8Array = NO_OCTETS) {
    this.#layers = layers;
    this.#payload = payload;
  }

  #with(layer: Layer): Frame {
    return new Frame([...this.#layers, layer], this.#payload);
  }

  eth(options: EthOptions = {}): Frame {
    const { src = DEFAULT_SRC_MAC, dst = DEFAULT_DST_MAC, ...rest } = options;
    return this.#with(ethLayer({ ...rest, src: toMac(src), dst: toMac(dst) }));
  }

  vlan(options: VlanOptions): Frame {
    return this.#with(vlanLayer({ priority: 0, tag: wire.ETH_TYPE_VLAN, ...options }));
  }

  arp(options: ArpOptions): Frame {
    const fields: ArpFields = {
      operation: options.operation ?? 1,
      senderMac: toMac(options.senderMac),
      senderIp: toIp4(options.senderIp),
      targetMac: toMac(options.targetMac ?? 0),
      targetIp: toIp4(options.targetIp),
    };
    return this.#with(arpLayer(fields));
  }

  ip4(options: Ip4Options): Frame {
    const addresses = { src: toIp4(options.src), dst: toIp4(options.dst) };
    return this.#with(ip4Layer({ ...IP4_DEFAULTS, options: NO_OCTETS, ...options, ...addresses }));
  }

  ip6(options: Ip6Options): Frame {
    const addresses = { src: toIp6(options.src), dst: toIp6(options.dst) };
    return this.#with(ip6Layer({ ...IP6_DEFAULTS, ...options, ...addresses }));
  }

  /** An IPv6 extension header; of `options` a fragment header's would be offset, flags and identification. */
  extension(options: ExtensionOptions): Frame {
    return this.#with(extensionLayer({ options: NO_OCTETS, ...options }));
  }

  tcp(options: TcpOptions): Frame {
    return this.#with(tcpLayer({ ...TCP_DEFAULTS, ...options, flags: toTcpFlags(options.flags ?? "S") }));
  }

  udp(options: UdpFields): Frame {
    return this.#with(udpLayer(options));
  }

  sctp(options: SctpOptions): Frame {
    return this.#with(sctpLayer({ tag: 0, ...options }));
  }

  icmp(options: IcmpOptions): Frame {
    return this.#with(icmpLayer({ code: 0, id: 0, seq: 0, ...options }));
  }

  icmp6(options: IcmpOptions): Frame {
    return this.#with(icmp6Layer({ code: 0, id: 0, seq: 0, ...options }));
  }

  geneve(options: GeneveOptions): Frame {
    return this.#with(geneveLayer({ ...GENEVE_DEFAULTS, ...options }));
  }

  vxlan(options: VxlanOptions): Frame {
    return this.#with(vxlanLayer({ flags: wire.VXLAN_FLAG_VNI, ...options }));
  }

  /** What stands behind the innermost header. */
  payload(payload: Payload): Frame {
    return new Frame(this.#layers, toOctets(payload));
  }

  /** The layer that one stands on, extension headers left out. */
  #below(index: number): Layer | undefined {
    let below = index - 1;
    while (this.#layers[below]?.isExtension) below--;
    return this.#layers[below];
  }

  bytes(): Uint8Array {
    const layers = this.#layers;
    return layers.reduceRight(
      (inside, layer, index) => layer.encode(inside, layers[index + 1], this.#below(index)),
      this.#payload,
    );
  }
}

/** `frame().eth().ip4({ src, dst }).udp({ srcPort, dstPort }).payload("hello").bytes()` */
export function frame(): Frame {
  return new Frame();
}

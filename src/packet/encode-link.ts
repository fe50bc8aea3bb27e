import * as wire from "../../assembly/abi/wire.js";
import type { Ip4 } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import type { Vlan } from "./headers.js";
import type { Layer } from "./layer.js";
import { concat, write } from "./octets.js";

export interface EthFields {
  readonly dst: Mac;
  readonly src: Mac;
  readonly type?: number;
  /** Zeros are added behind the payload up to this length; a real wire pads to 60. */
  readonly padTo?: number;
}

export interface VlanFields extends Vlan {
  /** EtherType of the tag itself: 0x8100, or 0x88a8 for the outer of two. */
  readonly tag: number;
  readonly type?: number;
}

export interface VxlanFields {
  readonly vni: number;
  readonly flags: number;
}

export interface GeneveFields {
  readonly vni: number;
  /** A control message; there are critical options. */
  readonly control: boolean;
  readonly critical: boolean;
  /** EtherType of what is inside. */
  readonly type: number;
  readonly version: number;
  /** As on the wire, a multiple of 4 octets. */
  readonly options: Uint8Array;
}

export interface ArpFields {
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: Ip4;
  readonly targetMac: Mac;
  readonly targetIp: Ip4;
}

/** As many as six bits count words. */
const GENEVE_OPTIONS_MAX = wire.GENEVE_LENGTH_MASK * 4;
const VLAN_LEN = 4;
const ARP_LEN = 28;

export function ethLayer(fields: EthFields): Layer {
  return {
    encode(payload, above) {
      const header = new Uint8Array(wire.ETH_LEN);
      write(header, wire.ETH_DST, 6, fields.dst, "eth.dst");
      write(header, wire.ETH_SRC, 6, fields.src, "eth.src");
      write(header, wire.ETH_TYPE, 2, fields.type ?? above?.etherType ?? wire.ETH_TYPE_IP4, "eth.type");
      const padding = Math.max(0, (fields.padTo ?? 0) - wire.ETH_LEN - payload.length);
      return concat(header, payload, new Uint8Array(padding));
    },
  };
}

export function vlanLayer(fields: VlanFields): Layer {
  return {
    etherType: fields.tag,
    encode(payload, above) {
      const header = new Uint8Array(VLAN_LEN);
      write(header, 0, 2, fields.priority * 0x2000 + fields.id, "vlan.id");
      write(header, 2, 2, fields.type ?? above?.etherType ?? wire.ETH_TYPE_IP4, "vlan.type");
      return concat(header, payload);
    },
  };
}

export function vxlanLayer(fields: VxlanFields): Layer {
  return {
    encode(payload) {
      const header = new Uint8Array(wire.VXLAN_LEN);
      write(header, wire.VXLAN_FLAGS, 1, fields.flags, "vxlan.flags");
      write(header, wire.VXLAN_VNI, 3, fields.vni, "vxlan.vni");
      return concat(header, payload);
    },
  };
}

export function geneveLayer(fields: GeneveFields): Layer {
  return {
    encode(payload) {
      const { control, critical, options, version } = fields;
      if (options.length > GENEVE_OPTIONS_MAX || options.length % 4 !== 0)
        throw new RangeError(
          `geneve.options: ${options.length} octets; give a multiple of 4, at most ${GENEVE_OPTIONS_MAX}.`,
        );
      const flags = (control ? wire.GENEVE_FLAG_CONTROL : 0) | (critical ? wire.GENEVE_FLAG_CRITICAL : 0);
      const header = new Uint8Array(wire.GENEVE_LEN);
      write(header, wire.GENEVE_VERSION_LENGTH, 1, version * 64 + options.length / 4, "geneve.options");
      write(header, wire.GENEVE_FLAGS, 1, flags, "geneve.flags");
      write(header, wire.GENEVE_TYPE, 2, fields.type, "geneve.type");
      write(header, wire.GENEVE_VNI, 3, fields.vni, "geneve.vni");
      return concat(header, options, payload);
    },
  };
}

export function arpLayer(fields: ArpFields): Layer {
  return {
    etherType: wire.ETH_TYPE_ARP,
    encode(payload) {
      const header = new Uint8Array(ARP_LEN);
      write(header, 0, 2, 1, "arp.hardware");
      write(header, 2, 2, wire.ETH_TYPE_IP4, "arp.protocol");
      write(header, 4, 2, 0x0604, "arp.lengths");
      write(header, 6, 2, fields.operation, "arp.operation");
      write(header, 8, 6, fields.senderMac, "arp.senderMac");
      write(header, 14, 4, fields.senderIp, "arp.senderIp");
      write(header, 18, 6, fields.targetMac, "arp.targetMac");
      write(header, 24, 4, fields.targetIp, "arp.targetIp");
      return concat(header, payload);
    },
  };
}

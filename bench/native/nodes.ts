import {
  NEXT_HOP_DST_MAC,
  NEXT_HOP_ENTRY_LEN,
  NEXT_HOP_FLAG_NO_UDP_CHECKSUM,
  NEXT_HOP_FLAGS,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_DIRECT,
  NEXT_HOP_KIND_LOCAL,
  NEXT_HOP_KIND_VXLAN,
  NEXT_HOP_LEAVE,
  NEXT_HOP_MTU,
  NEXT_HOP_OUT,
  NEXT_HOP_OUTER_DST,
  NEXT_HOP_OUTER_DST_MAC,
  NEXT_HOP_OUTER_SRC,
  NEXT_HOP_OUTER_SRC_MAC,
  NEXT_HOP_PORT,
  NEXT_HOP_SRC_MAC,
  NEXT_HOP_VNI,
} from "../../assembly/abi/entry.js";
import type { Ip4 } from "../../src/net/ip.js";
import { Random } from "../baseline/random.js";
import type { Tunnel } from "./frames.js";
import { type BenchRoute, k8sRoutes } from "./tables.js";

/** A node of a large cluster: its own Pods, 4,999 other nodes' Pods, and a tunnel between them. */
export interface BenchNode {
  readonly routes: readonly BenchRoute<Ip4>[];
  /** Routes of the other nodes' Pods. */
  readonly remote: readonly BenchRoute<Ip4>[];
  /** Addresses of its own Pods, each with a next hop of its own. */
  readonly pods: readonly Ip4[];
  readonly tunnel: Tunnel;
  /** NEXT_HOP_ENTRY_LEN octets each, by number. */
  readonly hops: Uint8Array;
}

const PODS = 110;
const REMOTES = 4999;
const MTU = 1500;
const TUNNEL: Tunnel = { address: 0xac120002, port: 4789, vni: 1 };

interface HopFields {
  readonly kind: number;
  readonly number: number;
}

function writeHop(into: DataView, { kind, number }: HopFields): void {
  const mac = (at: number, first: number) => {
    into.setUint16(at, first);
    into.setUint32(at + 2, number);
  };
  const word = (at: number, value: number) => into.setUint32(at, value, true);
  word(NEXT_HOP_KIND, kind);
  word(NEXT_HOP_OUT, 2);
  word(NEXT_HOP_MTU, MTU);
  word(NEXT_HOP_FLAGS, NEXT_HOP_FLAG_NO_UDP_CHECKSUM);
  word(NEXT_HOP_VNI, TUNNEL.vni);
  word(NEXT_HOP_PORT, TUNNEL.port);
  word(NEXT_HOP_OUTER_SRC, TUNNEL.address);
  word(NEXT_HOP_OUTER_DST, 0xac130000 + number);
  word(NEXT_HOP_LEAVE, 2);
  mac(NEXT_HOP_DST_MAC, 0x0a01);
  mac(NEXT_HOP_SRC_MAC, 0x0a02);
  mac(NEXT_HOP_OUTER_DST_MAC, 0x0a03);
  mac(NEXT_HOP_OUTER_SRC_MAC, 0x0a04);
}

/** The node; `tunnelled` says whether other nodes' Pods are reached by VXLAN or directly. Always the same. */
export function benchNode(tunnelled: boolean): BenchNode {
  const table = k8sRoutes(new Random(1));
  const own = table[0] as BenchRoute<Ip4>;
  const pods = Array.from({ length: PODS }, (_, index) => own.address + 2 + index);
  const local = pods.map((address, index) => ({ address, length: 32, nextHop: table.length + 1 + index }));
  const self = { address: TUNNEL.address, length: 32, nextHop: table.length + PODS + 1 };
  const hops = new Uint8Array((self.nextHop + 1) * NEXT_HOP_ENTRY_LEN);
  for (let number = 1; number <= self.nextHop; number++) {
    const isRemote = number > 1 && number <= table.length;
    const kind = isRemote && tunnelled ? NEXT_HOP_KIND_VXLAN : NEXT_HOP_KIND_DIRECT;
    writeHop(new DataView(hops.buffer, number * NEXT_HOP_ENTRY_LEN), {
      kind: number === self.nextHop ? NEXT_HOP_KIND_LOCAL : kind,
      number,
    });
  }
  const remote = table.slice(1, 1 + REMOTES);
  return { routes: [...table, ...local, self], remote, pods, tunnel: TUNNEL, hops };
}

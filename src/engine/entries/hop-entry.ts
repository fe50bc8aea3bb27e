import {
  NEXT_HOP_DST_MAC,
  NEXT_HOP_FLAG_BRIDGE,
  NEXT_HOP_FLAG_NO_UDP_CHECKSUM,
  NEXT_HOP_FLAG_ON_LINK,
  NEXT_HOP_FLAGS,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_DIRECT,
  NEXT_HOP_KIND_GENEVE,
  NEXT_HOP_KIND_LOCAL,
  NEXT_HOP_KIND_UNREACHABLE,
  NEXT_HOP_KIND_VXLAN,
  NEXT_HOP_LEAVE,
  NEXT_HOP_MTU,
  NEXT_HOP_OPTIONS,
  NEXT_HOP_OPTIONS_LEN,
  NEXT_HOP_OPTIONS_MAX,
  NEXT_HOP_OUT,
  NEXT_HOP_OUTER_DST,
  NEXT_HOP_OUTER_DST_MAC,
  NEXT_HOP_OUTER_SRC,
  NEXT_HOP_OUTER_SRC_MAC,
  NEXT_HOP_PORT,
  NEXT_HOP_REFUSAL,
  NEXT_HOP_SOURCE,
  NEXT_HOP_SOURCE6,
  NEXT_HOP_SRC_MAC,
  NEXT_HOP_VNI,
} from "../../../assembly/abi/entry.js";
import {
  DROP_BLACKHOLE,
  DROP_NO_ROUTE,
  DROP_NONE,
  DROP_ROUTE_PROHIBITED,
  DROP_ROUTE_UNREACHABLE,
} from "../../../assembly/abi/verdict.js";
import type { Ip4, Ip6 } from "../../net/ip.js";
import type { Mac } from "../../net/mac.js";
import type { Refusal } from "../../ruleset/route-types.js";
import type { Interface } from "../../ruleset/routes.js";
import type { NumberedHop } from "../../trace/numbering.js";
import { wordsOf6 } from "./words.js";

/** A next hop with everything its entry needs. */
export interface ResolvedHop {
  readonly known: NumberedHop;
  /** The neighbour's, where one is known. */
  readonly mac?: Mac;
  /** Of a tunnel: the underlay's neighbour and device. */
  readonly outer?: { readonly mac: Mac; readonly device: Interface; readonly number: number };
}

/** The device that a next hop names. */
export interface HopDevice {
  readonly device: Interface;
  /** Its number, 0 where the node has none of that name. */
  readonly number: number;
  /** What MASQUERADE gives; 0 where the device has none. */
  readonly source: Ip4;
  readonly source6: Ip6;
}

const KINDS = {
  unreachable: NEXT_HOP_KIND_UNREACHABLE,
  local: NEXT_HOP_KIND_LOCAL,
  direct: NEXT_HOP_KIND_DIRECT,
  vxlan: NEXT_HOP_KIND_VXLAN,
  geneve: NEXT_HOP_KIND_GENEVE,
} as const;

/** A route of type throw has no other table to lead to. */
const REFUSALS: Readonly<Record<Refusal, number>> = {
  blackhole: DROP_BLACKHOLE,
  unreachable: DROP_ROUTE_UNREACHABLE,
  prohibit: DROP_ROUTE_PROHIBITED,
  throw: DROP_NO_ROUTE,
};

function setMac(view: DataView, at: number, mac: Mac): void {
  view.setUint16(at, Math.floor(mac / 2 ** 32));
  view.setUint32(at + 2, mac % 2 ** 32);
}

function flagsOf({ known, mac }: ResolvedHop, { kind, geneve }: Interface): number {
  const isOnLink = known.kind === "direct" && mac === undefined;
  const isUnsummed = kind === "geneve" && geneve?.udpChecksum !== true;
  return (
    (kind === "bridge" ? NEXT_HOP_FLAG_BRIDGE : 0) |
    (isOnLink ? NEXT_HOP_FLAG_ON_LINK : 0) |
    (isUnsummed ? NEXT_HOP_FLAG_NO_UDP_CHECKSUM : 0)
  );
}

/** TypeError for options that do not fit: they are written in whole or not at all. */
function setOptions(view: DataView, at: number, { name, geneve }: Interface): void {
  const options = geneve?.options ?? [];
  if (options.length > NEXT_HOP_OPTIONS_MAX || options.length % 4 !== 0) {
    const message = `at most ${NEXT_HOP_OPTIONS_MAX} octets, in words of 4: it has ${options.length}.`;
    throw new TypeError(`The Geneve device ${name} can have options of ${message}`);
  }
  view.setUint32(at + NEXT_HOP_OPTIONS_LEN, options.length, true);
  for (const [index, octet] of options.entries()) view.setUint8(at + NEXT_HOP_OPTIONS + index, octet);
}

/** Sets a next hop's entry (NEXT_HOP_…) in octets that are all 0. */
export function setHopEntry(
  view: DataView,
  at: number,
  hop: ResolvedHop,
  { device, number, source, source6 }: HopDevice,
): void {
  const { known, mac, outer } = hop;
  const set = (field: number, value: number) => view.setUint32(at + field, value, true);
  set(NEXT_HOP_KIND, KINDS[known.kind]);
  set(NEXT_HOP_REFUSAL, known.refusal === undefined ? DROP_NONE : REFUSALS[known.refusal]);
  set(NEXT_HOP_OUT, number);
  set(NEXT_HOP_LEAVE, outer?.number ?? number);
  set(NEXT_HOP_MTU, device.mtu);
  set(NEXT_HOP_SOURCE, source);
  for (const [index, word] of wordsOf6(source6).entries()) set(NEXT_HOP_SOURCE6 + 4 * index, word);
  set(NEXT_HOP_FLAGS, flagsOf(hop, device));
  setMac(view, at + NEXT_HOP_DST_MAC, mac ?? 0);
  setMac(view, at + NEXT_HOP_SRC_MAC, device.mac);
  const end = device.vxlan ?? device.geneve;
  if (outer === undefined || end === undefined || typeof end.local !== "number") return;
  set(NEXT_HOP_VNI, end.vni);
  set(NEXT_HOP_PORT, end.port);
  set(NEXT_HOP_OUTER_SRC, end.local);
  setOptions(view, at, device);
  set(NEXT_HOP_OUTER_DST, known.remote ?? 0);
  setMac(view, at + NEXT_HOP_OUTER_DST_MAC, outer.mac);
  setMac(view, at + NEXT_HOP_OUTER_SRC_MAC, outer.device.mac);
}

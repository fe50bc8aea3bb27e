import { TUNNEL_GENEVE } from "../../assembly/abi/entry.js";
import { familyOf, type Ip, printIp } from "../net/ip.js";
import { prefixOf, printPrefix } from "../net/prefix.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { nameOrAddress } from "./addresses.js";
import { dropReason, verdictName } from "./codes.js";
import type { NumberedHop, Numbering } from "./numbering.js";
import { reasonWords } from "./reasons.js";
import { firstEnd, type TraceRecord } from "./record.js";
import type { Step } from "./step.js";

/** `vtep worker-2 (flannel.1)`, `gateway 172.18.0.1 (eth0)`, `pod/shop/cart (cni0)`. */
function printHop(hop: NumberedHop, ruleset: Ruleset): string {
  if (hop.refusal !== undefined) return hop.refusal;
  if (hop.kind === "local") return `the node itself (${hop.dev})`;
  const known = hop.via === undefined ? undefined : ruleset.names.get(hop.via);
  const via = hop.via === undefined ? "" : printIp(hop.via);
  const isTunnel = hop.kind === "vxlan" || hop.kind === "geneve";
  const name = isTunnel ? `vtep ${known?.replace(/^vtep\//, "") ?? via}` : (known ?? via);
  const next = known === "gateway" ? `gateway ${via}` : name;
  if (hop.kind !== "unreachable") return `${next === "" ? "a host on the link" : next} (${hop.dev})`;
  return next === "" ? hop.dev : `${next} (${hop.dev}), not resolved`;
}

/** As `ip route` names it: a host by its address alone. */
function printDestination(address: Ip, length: number): string {
  if (length === 0) return "default";
  const isHost = length === (familyOf(address) === 4 ? 32 : 128);
  return isHost ? printIp(address) : printPrefix(prefixOf(address, length));
}

export function tellRoute(record: TraceRecord, numbering: Numbering, ruleset: Ruleset): Step {
  const hop = numbering.hops[record.a];
  const prefix = printDestination(firstEnd(record, record.c), record.b);
  if (hop === undefined) return { stage: "route", text: prefix, prefix };
  const to = hop.via === undefined ? {} : { to: printIp(hop.via) };
  return { stage: "route", text: `${prefix} → ${printHop(hop, ruleset)}`, prefix, dev: hop.dev, ...to };
}

/** `vxlan vni 1`, of a record's TUNNEL_ kind and VNI. */
function readTunnel(word: number): { readonly vni: number; readonly tunnel: string } {
  const vni = word & 0xffffff;
  return { vni, tunnel: `${word >>> 24 === TUNNEL_GENEVE ? "geneve" : "vxlan"} vni ${vni}` };
}

export function tellEncap({ a, b, c, e: octets }: TraceRecord): Step {
  const { vni, tunnel } = readTunnel(a);
  const [src, dst] = [printIp(b), printIp(c)];
  const text = `${tunnel}, ${src} > ${dst}, ${octets} octets`;
  return { stage: "encap", text, vni, src, dst, octets };
}

export function tellDecap({ a, b, c, d }: TraceRecord, numbering: Numbering): Step {
  const { vni, tunnel } = readTunnel(a);
  const [src, dst, dev] = [printIp(b), printIp(c), numbering.interfaces[d - 1]?.name ?? ""];
  return { stage: "decap", text: `${tunnel}, ${src} > ${dst} → ${dev}`, vni, src, dst, dev };
}

/** A tunnel's frames leave by the underlay's interface; a frame to a neighbour with a name names it. */
function tellForward(hop: NumberedHop, octets: number, ruleset: Ruleset): Step {
  const dev = hop.uplink ?? hop.dev;
  const next = hop.remote ?? hop.via;
  const isNamed = hop.kind === "direct" && next !== undefined && ruleset.names.has(next);
  const text = isNamed ? `${dev} to ${nameOrAddress(ruleset, next)}` : dev;
  return { stage: "forward", text, dev, octets, ...(next === undefined ? {} : { to: printIp(next) }) };
}

/** What became of the packet. `cause` is what refused it, in words; `end` where a local packet is delivered. */
export function tellVerdict(
  record: TraceRecord,
  numbering: Numbering,
  ruleset: Ruleset,
  told: { readonly cause: string | undefined; readonly end: string },
): Step {
  const [verdict, reason] = [verdictName(record.a), dropReason(record.a)];
  const { cause, end } = told;
  const words = reasonWords(reason);
  switch (verdict) {
    case "FORWARD": {
      const hop = numbering.hops[record.c];
      return hop === undefined ? { stage: "forward", text: "" } : tellForward(hop, record.d, ruleset);
    }
    case "LOCAL":
      return { stage: "local", text: `${end} on the node itself`, dst: end };
    case "REJECT": {
      // IPVS' own words end with what the cause says.
      const kind = reason === "NO_DESTINATION" ? reasonWords("PORT_UNREACHABLE") : words;
      const text = cause === undefined ? words : `${kind}: ${cause}`;
      return { stage: "reject", text, reason };
    }
    case "DROP": {
      const text = cause === undefined || reason !== "RULE" ? words : `${words}: ${cause}`;
      return { stage: "drop", text, reason };
    }
    case "HOLD":
      return { stage: "hold", text: "until the rest of its datagram comes", reason };
    default:
      return { stage: "punt", text: words, reason };
  }
}

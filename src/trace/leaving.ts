import { printIp } from "../net/ip.js";
import { prefixOf, printPrefix } from "../net/prefix.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { nameOrAddress } from "./addresses.js";
import { dropReason, verdictName } from "./codes.js";
import type { NumberedHop, Numbering } from "./numbering.js";
import { reasonWords } from "./reasons.js";
import type { TraceRecord } from "./record.js";
import type { Step } from "./step.js";

/** `vtep worker-2 (flannel.1)`, `gateway 172.18.0.1 (eth0)`, `pod/shop/cart (cni0)`. */
function printHop(hop: NumberedHop, ruleset: Ruleset): string {
  if (hop.kind === "local") return `the node itself (${hop.dev})`;
  const known = hop.via === undefined ? undefined : ruleset.names.get(hop.via);
  const via = hop.via === undefined ? "" : printIp(hop.via);
  const name = hop.kind === "vxlan" ? `vtep ${known?.replace(/^vtep\//, "") ?? via}` : (known ?? via);
  const next = known === "gateway" ? `gateway ${via}` : name;
  if (hop.kind !== "unreachable") return `${next === "" ? "a host on the link" : next} (${hop.dev})`;
  return next === "" ? hop.dev : `${next} (${hop.dev}), not resolved`;
}

export function tellRoute({ a, b, c }: TraceRecord, numbering: Numbering, ruleset: Ruleset): Step {
  const hop = numbering.hops[a];
  const prefix = b === 0 ? "default" : b === 32 ? printIp(c) : printPrefix(prefixOf(c, b));
  if (hop === undefined) return { stage: "route", text: prefix, prefix };
  const to = hop.via === undefined ? {} : { to: printIp(hop.via) };
  return { stage: "route", text: `${prefix} → ${printHop(hop, ruleset)}`, prefix, dev: hop.dev, ...to };
}

export function tellEncap({ a: vni, b, c, e: octets }: TraceRecord): Step {
  const [src, dst] = [printIp(b), printIp(c)];
  const text = `vxlan vni ${vni}, ${src} > ${dst}, ${octets} octets`;
  return { stage: "encap", text, vni, src, dst, octets };
}

export function tellDecap({ a: vni, b, c, d }: TraceRecord, numbering: Numbering): Step {
  const [src, dst, dev] = [printIp(b), printIp(c), numbering.interfaces[d - 1]?.name ?? ""];
  return { stage: "decap", text: `vxlan vni ${vni}, ${src} > ${dst} → ${dev}`, vni, src, dst, dev };
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
      const text = cause === undefined ? words : `${reasonWords("PORT_UNREACHABLE")}: ${cause}`;
      return { stage: "reject", text, reason };
    }
    case "DROP": {
      const text = cause === undefined || reason !== "RULE" ? words : `${words}: ${cause}`;
      return { stage: "drop", text, reason };
    }
    default:
      return { stage: "punt", text: words, reason };
  }
}

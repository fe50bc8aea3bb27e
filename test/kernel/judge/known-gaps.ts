import { PROTO_TCP, PROTO_UDP, TCP_LEN, UDP_LEN } from "../../../assembly/abi/wire.js";
import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import { type Leaving, packetOf } from "./conversation.js";
import { placeOf } from "./packet-octets.js";
import type { Difference } from "./tally.js";

/** A difference that is known and written down, with its reason; such packets are counted apart. */
interface KnownGap {
  /** In which mode; in all if missing. */
  readonly proxy?: ProxyMode;
  readonly why: string;
  covers(difference: Difference): boolean;
}

/** Octets of a header that a rule for ports asks for. */
const HEADERS = new Map<number, number>([
  [PROTO_TCP, TCP_LEN],
  [PROTO_UDP, UDP_LEN],
]);

/** Whether what comes out, of IPv6 a fragment that goes on as it is, ends within its transport's header. */
function isHeadCut(leaving: Leaving): boolean {
  const packet = packetOf(leaving);
  const place = placeOf(packet);
  return place !== undefined && packet.length < place.transport + (HEADERS.get(place.protocol) ?? 0);
}

const KNOWN_GAPS: readonly KnownGap[] = [
  {
    proxy: "iptables",
    why:
      "iptables-legacy drops a packet whose transport header is cut where a rule asks for its ports (hotdrop), iptables-nft " +
      "and nftables do not; the machine does as these",
    covers: ({ step, kernel, entering, judgement }) => {
      if (entering.pieces !== undefined) return judgement.leaving.some(isHeadCut);
      return kernel.length === 0 && (step.endsWith(", half a header") || step.endsWith(", no header"));
    },
  },
];

/** Why a mode's difference is none to mend; undefined for one that is. */
export function knownGap(proxy: ProxyMode, difference: Difference): string | undefined {
  return KNOWN_GAPS.find((gap) => (gap.proxy ?? proxy) === proxy && gap.covers(difference))?.why;
}

/** What a packet of a finding meets before and after. Text from outside: print it only escaped. */
export interface AssessedVerdict {
  readonly verdict: "accept" | "drop" | "reject" | "undecided" | "mixed";
  /** In words that stand behind «the packet». */
  readonly text: string;
}

/** A connection that was run in both modes before a finding's packet. */
export interface AssessedConnection {
  /** The packet's own sender, or one that IPVS takes for the same client; and its port. */
  readonly from: string;
  readonly to: string;
  /** Ago. */
  readonly seconds: number;
  /** The endpoint that it went to, in both modes. */
  readonly wentTo: string;
  /** Both of its ends have spoken ever since. */
  readonly isInUse: boolean;
}

/** The plainest packet of a finding; both verdicts are what came of running it. */
export interface AssessedPacket {
  readonly node: string;
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  /** TCP's flags, SCTP's chunk or ICMP's type; of UDP "". */
  readonly flags: string;
  /** null where the node makes it. */
  readonly iface: string | null;
  /** Who sends it, and what it is sent to: `a Pod`, `ClusterIP`. */
  readonly source: string;
  readonly place: string;
  readonly service: string;
  /** The connection that came before; the packet is the first of its client's next. */
  readonly earlier: AssessedConnection | null;
  /** In hexadecimal digits. */
  readonly frame: string;
  /** Where the node sends it from another address afterwards, as the one before is no more its own; else null. */
  readonly sentAfter: { readonly from: string; readonly frame: string } | null;
  readonly before: AssessedVerdict;
  readonly after: AssessedVerdict;
  /** Both were run: there are none that were not. */
  readonly run: true;
}

/** What it comes to for who is served now: it ends, begins, goes on elsewhere, is served or refused otherwise. */
export type AssessedEffect = "breaks" | "opens" | "moves" | "changes" | "refused otherwise";

/** One kind of change. */
export interface AssessmentFinding {
  readonly category: string;
  readonly effect: AssessedEffect;
  /** What it is about, and what to do about it: sentences. */
  readonly about: string;
  readonly advice: string;
  /** What becomes of all packets of its kind, in words. */
  readonly before: string;
  readonly after: string;
  /** How many of the packets that were asked about, of which Services, on which nodes. */
  readonly flows: number;
  readonly services: readonly string[];
  readonly nodes: readonly string[];
  readonly example: AssessedPacket;
}

/** What findings of one kind stand under. */
export interface AssessmentCategory {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

/** The result of `packetyard assess`, stable: fields are added to it, never renamed. */
export interface Assessment {
  readonly apiVersion: "packetyard/v1";
  readonly kind: "Assessment";
  readonly from: "ipvs";
  readonly to: "nftables" | "iptables";
  /** Of the virtual servers that there are. */
  readonly schedulers: readonly string[];
  readonly nodes: readonly string[];
  /** Packets that were asked about. */
  readonly asked: number;
  /** Those with findings, in the order of these. */
  readonly categories: readonly AssessmentCategory[];
  readonly findings: readonly AssessmentFinding[];
}

/** The findings of each category. */
export function byCategory({
  categories,
  findings,
}: Assessment): readonly (readonly [AssessmentCategory, readonly AssessmentFinding[]])[] {
  return categories.map((one) => [one, findings.filter(({ category }) => category === one.name)]);
}

import { growthOf, largestRows, rowsOf, ruleCost } from "./analysis.js";
import type { ComparisonRow } from "./comparison.js";
import { printCount, printMean, printTime } from "./quantity.js";

type Rows = readonly ComparisonRow[];

/** Something published, with an https address where that is certain. */
export interface ReportSource {
  readonly title: string;
  readonly address?: `https://${string}`;
}

/** A heading and its paragraphs, plain text. */
export interface ReportSection {
  readonly heading: string;
  readonly paragraphs: readonly string[];
  /** Where to read on; plain links, nothing is loaded from there. */
  readonly sources?: readonly ReportSource[];
}

/** What a skipped iptables rule was seen to cost in a kernel, ns: measured on Linux 6.18, one core, warm cache. */
const KERNEL_RULE_NS = { legacy: 2.6, nft: 14 } as const;

const SOURCES: readonly ReportSource[] = [
  {
    title: "NFTables mode for kube-proxy (Kubernetes blog, 2025)",
    address: "https://kubernetes.io/blog/2025/02/28/nftables-kube-proxy/",
  },
  {
    title: "KEP-3866: nftables kube-proxy backend",
    address: "https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/3866-nftables-proxy",
  },
  {
    title: "Comparing kube-proxy modes: iptables or IPVS? (Tigera, 2019)",
    address: "https://www.tigera.io/blog/comparing-kube-proxy-modes-iptables-or-ipvs/",
  },
  { title: "a guide to Tencent's TKE (connection rates by number of Services)" },
];

/** What exactly the numbers are, and what they are not. */
export function measuredSection(): ReportSection {
  return {
    heading: "What exactly is measured",
    paragraphs: [
      "Frames in memory. A batch of real Ethernet frames lies in WebAssembly memory, the machine takes every frame the whole way through one node (parse, connection table, choice of an endpoint, address translation with checksums, route, encapsulation where the endpoint is on another node), and the clock stands around the batch. There is no network card, no system call, no interrupt and no copy: no I/O of any kind.",
      "New connection: every packet opens a flow that the connection table has not seen, with its destination drawn uniformly from all Services. The connection table is emptied between batches, and that emptying is not timed. Established: packets of flows that the table knows.",
      "Do not compare the modes by their established packets: where the first rules pass such packets by their state alone (iptables and nftables modes) the machine asks those rules once a batch, while IPVS mode's rules look into sets, so what they made of a connection's last packet is kept for the next one, until a table changes. A kernel asks them all for every packet; the column of rules walked counts them so in every mode.",
      "p50 and p99 are taken over batches, each the batch's time divided by its packets. So p99 tells how much batches differ; a single slow packet disappears in its batch. The modes take turns within a round, from the smallest size to the largest, and low and high are the lowest and the highest median of the rounds. Mpps is counted over established packets.",
    ],
  };
}

/** What a rule costs here and what a kernel charges for one, from the rows' own slope and published figures. */
export function ruleSection(rows: Rows): ReportSection {
  return {
    heading: "What a rule costs, here and in a kernel",
    paragraphs: [
      hereParagraph(rows),
      `In a kernel: measured on Linux 6.18 (one core, warm cache), one more rule to skip added ${KERNEL_RULE_NS.legacy} ns with legacy iptables and ${KERNEL_RULE_NS.nft} ns with iptables-nft, which is what today's distributions run. Published curves work out at 10 to 23 ns: the first-packet latencies that the Kubernetes blog shows for the nftables mode (KEP-3866) at 17 to 23, the processor time in Tigera's comparison of the iptables and IPVS modes at 14 to 18, the connection rates in a guide to Tencent's TKE at about 10.${projection(rows)}`,
      "A kernel also charges every packet what is not counted here. On that Linux 6.18, forwarding alone takes 2.4 µs a packet, and a new connection through an nftables verdict map 4.9 µs, whatever the number of Services; to the last of 10,000 Services it is 31 µs with legacy iptables and about 200 µs with iptables-nft (each with some 1.4 µs for injecting the packet). So the shape of these curves carries over to a kernel (what grows, what stays level); the ratio between modes does not: for that last Service it is 6 to 8 with legacy iptables and 40 to 60 with iptables-nft, with and without the injection.",
    ],
    sources: SOURCES,
  };
}

function hereParagraph(rows: Rows): string {
  const cost = ruleCost(rows, "iptables");
  if (cost === undefined)
    return "What a rule costs here cannot be said from these numbers: that needs iptables mode at two sizes or more.";
  const [growth] = growthOf(rowsOf(rows, "iptables"), (row) => row.newConnection);
  if (growth?.course === "open" || growth?.course === "level")
    return "What a rule costs here cannot be said from these numbers: from the smallest size to the largest the cost of a new connection in iptables mode changes by no more than its rounds differ.";
  if (cost <= 0)
    return "Here the cost of a new connection in iptables mode does not rise with the rules walked.";
  return `Here one more rule to walk adds ${printTime(cost)} to a new connection: the slope of the least-squares line through iptables mode's median cost against the rules it walked.`;
}

function projection(rows: Rows): string {
  const row = largestRows(rows).find(({ mode }) => mode === "iptables");
  if (row === undefined || row.walked < 100) return "";
  const [low, high] = [row.walked * KERNEL_RULE_NS.legacy, row.walked * KERNEL_RULE_NS.nft];
  return ` For the ${printMean(row.walked)} rules walked on average at ${printCount(row.services)} Services that makes ${printTime(low)} and ${printTime(high)} in that kernel.`;
}

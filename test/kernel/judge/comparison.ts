import {
  ETH_LEN,
  ICMP_LEN,
  IP4_CHECKSUM,
  IP4_ID,
  IP4_LEN,
  UDP_CHECKSUM,
} from "../../../assembly/abi/wire.js";
import { internetChecksum, verifyChecksums } from "../../../src/packet/checksum.js";
import { read16, read32, write } from "../../../src/packet/octets.js";
import { type ChosenPort, type Clashes, portsBetween, withKernelPort } from "./chosen-port.js";
import { type Entering, type Leaving, NODE_WAY, outerLength, packetOf } from "./conversation.js";
import type { Judgement } from "./machine-side.js";
import { differingFields, isKernels, LABEL_MASK, placeOf, quoteOf } from "./packet-octets.js";

/** What a comparison comes to: nothing said where both agree. */
export interface Opinion {
  /** How they differ, in words that are the same for the same kind of difference. */
  readonly difference?: string;
  /** Ports that both chose. */
  readonly chosen?: ChosenPort;
  /** The machine does not judge such packets. */
  readonly isPunted?: boolean;
}

const AGREED: Opinion = {};

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** Whether the kernel made this error itself. */
const isKernelError = (packet: Uint8Array) => isKernels(packet) && quoteOf(packet) !== undefined;

/** What came out of the kernel, in a few words. */
export function describeLeaving(leaving: readonly Leaving[]): string {
  if (leaving.length === 0) return "nothing";
  return leaving
    .map((one) => {
      const packet = packetOf(one);
      const icmp = (quoteOf(packet) ?? 0) - ICMP_LEN;
      const what = isKernelError(packet) ? `error ${packet[icmp]}/${packet[icmp + 1]}` : "packet";
      return one.way === NODE_WAY ? `${what} delivered` : `${what} by ${one.way}`;
    })
    .sort()
    .join(", ");
}

function describeJudgement({ verdict, reason, leaving, answer }: Judgement): string {
  if (leaving === undefined)
    return `${verdict} ${reason}${answer === undefined ? "" : `, ${describeLeaving([answer])}`}`;
  return leaving.way === NODE_WAY ? verdict : `${verdict} by ${leaving.way}`;
}

function disagreement(kernel: readonly Leaving[], judgement: Judgement): Opinion {
  return { difference: `kernel: ${describeLeaving(kernel)}; machine: ${describeJudgement(judgement)}` };
}

/** Fields of a tunnel's outer headers that a kernel is free to choose: IPv4's id and checksum, UDP's source and checksum. */
const FREE_OUTSIDE = [
  ETH_LEN + IP4_ID,
  ETH_LEN + IP4_CHECKSUM,
  ETH_LEN + IP4_LEN,
  ETH_LEN + IP4_LEN + UDP_CHECKSUM,
];
/** Source ports of tunnels (net.ipv4.ip_local_port_range). */
const [TUNNEL_PORT_FIRST, TUNNEL_PORT_LAST] = [32_768, 60_999];

/** What stands before the packet, without what is free in it. */
function outside(leaving: Leaving): Uint8Array {
  const octets = leaving.octets.slice(0, outerLength(leaving));
  if (octets.length > ETH_LEN) for (const at of FREE_OUTSIDE) octets.fill(0, at, at + 2);
  return octets;
}

/** Whether a tunnel's outer headers are as they may be: checksums good, the port of its range. */
function isProper({ way, octets }: Leaving): boolean {
  if (outerLength({ way, octets }) <= ETH_LEN) return true;
  const port = read16(octets, ETH_LEN + IP4_LEN);
  const { ip, l4 } = verifyChecksums(octets);
  return ip === "good" && l4 === "good" && port >= TUNNEL_PORT_FIRST && port <= TUNNEL_PORT_LAST;
}

function comparePackets(entering: Entering, kernel: Leaving, machine: Leaving, past: Past): Opinion {
  if (!isSame(outside(kernel), outside(machine))) return { difference: "differ before the IP header" };
  if (!isProper(kernel) || !isProper(machine)) return { difference: "a tunnel's headers are not proper" };
  const [theirs, ours] = [packetOf(kernel), packetOf(machine)];
  if (isSame(theirs, ours)) return AGREED;
  const chosen = portsBetween(entering.frame.subarray(ETH_LEN), theirs, ours, past.known, past);
  const candidates = chosen === undefined ? [] : withKernelPort(ours, chosen);
  if (chosen !== undefined && candidates.some((one) => isSame(theirs, one))) return { chosen };
  return { difference: `differ in ${differingFields(theirs, candidates[0] ?? ours)}` };
}

/** What a kernel is free to choose of a packet that it makes: IPv4's id with the checksum, IPv6's flow label. */
function withoutChoice(packet: Uint8Array): Uint8Array {
  const octets = packet.slice();
  if (placeOf(octets)?.family === 6) write(octets, 0, 4, (read32(octets, 0) & ~LABEL_MASK) >>> 0, "label");
  else for (const at of [IP4_ID, IP4_CHECKSUM]) octets.fill(0, at, at + 2);
  return octets;
}

/** The checksum of an IPv4 header without options, as kernels make them, is right; IPv6 has none. */
function isHeaderGood(leaving: Leaving): boolean {
  const packet = packetOf(leaving);
  return placeOf(packet)?.family !== 4 || internetChecksum(packet.subarray(0, IP4_LEN)) === 0;
}

function compareAnswers(kernel: readonly Leaving[], judgement: Judgement): Opinion {
  const { answer } = judgement;
  const [only] = kernel;
  if (answer === undefined) return only === undefined ? AGREED : disagreement(kernel, judgement);
  if (only === undefined || kernel.length > 1 || only.way !== answer.way)
    return disagreement(kernel, judgement);
  if (!isSame(outside(only), outside(answer))) return { difference: "answers differ before the IP header" };
  if (!isProper(only) || !isProper(answer)) return { difference: "a tunnel's headers are not proper" };
  if (!isHeaderGood(only) || !isHeaderGood(answer)) return { difference: "an answer's checksum is wrong" };
  const [theirs, ours] = [packetOf(only), packetOf(answer)].map(withoutChoice) as [Uint8Array, Uint8Array];
  return isSame(theirs, ours) ? AGREED : { difference: `answers differ in ${differingFields(theirs, ours)}` };
}

/** What has been seen before that explains differing ports. */
export interface Past extends Clashes {
  /** Ports that both chose for the conversation. */
  readonly known: ChosenPort | undefined;
}

/** Compares what came out of the kernel with what the machine says, octet for octet but for ports that each chose. */
export function compare(
  entering: Entering,
  kernel: readonly Leaving[],
  judgement: Judgement,
  past: Past,
): Opinion {
  const { verdict, leaving } = judgement;
  if (verdict === "PUNT") return { isPunted: true };
  if (leaving === undefined) return compareAnswers(kernel, judgement);
  const [only] = kernel;
  if (only === undefined || kernel.length > 1 || only.way !== leaving.way || isKernelError(packetOf(only))) {
    return disagreement(kernel, judgement);
  }
  return comparePackets(entering, only, leaving, past);
}

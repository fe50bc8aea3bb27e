import {
  ETH_LEN,
  ICMP_LEN,
  IP4_CHECKSUM,
  IP4_ID,
  IP4_LEN,
  PROTO_SCTP,
  UDP_CHECKSUM,
} from "../../../assembly/abi/wire.js";
import { verifyChecksums } from "../../../src/packet/checksum.js";
import { read16 } from "../../../src/packet/octets.js";
import type { DropReason } from "../../../src/trace/codes.js";
import { type ChosenPort, type Clashes, portsBetween, withKernelPort } from "./chosen-port.js";
import { type Entering, type Leaving, NODE_WAY, outerLength, packetOf } from "./conversation.js";
import type { Judgement } from "./machine-side.js";
import {
  differingFields,
  isKernels,
  placeOf,
  quoteOf,
  sourceAddress,
  targetAddress,
} from "./packet-octets.js";

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

/** Type and code of the ICMP error that says why, and those of ICMPv6. */
const ANSWERS: Partial<Record<DropReason, readonly [readonly [number, number], readonly [number, number]]>> =
  {
    PORT_UNREACHABLE: [
      [3, 3],
      [1, 4],
    ],
    NO_DESTINATION: [
      [3, 3],
      [1, 4],
    ],
    TTL_EXCEEDED: [
      [11, 0],
      [3, 0],
    ],
    NO_ROUTE: [
      [3, 0],
      [1, 0],
    ],
    FRAGMENTATION_NEEDED: [
      [3, 4],
      [2, 0],
    ],
  };

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

function describeJudgement({ verdict, reason, leaving }: Judgement): string {
  if (leaving === undefined) return `${verdict} ${reason}`;
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

/** The ICMP error that a packet is answered by: none where the node's own program is told, or a checksum is bad. */
function answerTo({ way, frame }: Entering, reason: DropReason): readonly [number, number] | undefined {
  if (way === NODE_WAY && reason === "NO_ROUTE") return undefined;
  const place = placeOf(frame.subarray(ETH_LEN));
  // SCTP's is no such checksum (nf_reject_verify_csum).
  const isBad = place?.protocol !== PROTO_SCTP && verifyChecksums(frame).l4 === "bad";
  if (reason === "PORT_UNREACHABLE" && isBad) return undefined;
  return ANSWERS[reason]?.[place?.family === 6 ? 1 : 0];
}

function compareAnswer(entering: Entering, kernel: readonly Leaving[], judgement: Judgement): Opinion {
  const expected = answerTo(entering, judgement.reason);
  if (expected === undefined) return kernel.length === 0 ? AGREED : disagreement(kernel, judgement);
  const [only] = kernel;
  if (only === undefined || kernel.length > 1 || only.way !== entering.way)
    return disagreement(kernel, judgement);
  const packet = packetOf(only);
  const icmp = placeOf(packet)?.transport ?? 0;
  const isRight = isKernelError(packet) && packet[icmp] === expected[0] && packet[icmp + 1] === expected[1];
  const isToSender = isSame(targetAddress(packet), sourceAddress(entering.frame.subarray(ETH_LEN)));
  return isRight && isToSender ? AGREED : disagreement(kernel, judgement);
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
  if (leaving === undefined) return compareAnswer(entering, kernel, judgement);
  const [only] = kernel;
  if (only === undefined || kernel.length > 1 || only.way !== leaving.way || isKernelError(packetOf(only))) {
    return disagreement(kernel, judgement);
  }
  return comparePackets(entering, only, leaving, past);
}

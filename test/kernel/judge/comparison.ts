import {
  ETH_LEN,
  ICMP_LEN,
  IP4_CHECKSUM,
  IP4_FRAGMENT,
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
import { differingPieces, putTogether } from "./pieces.js";

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

function describeJudgement({ verdict, reason, leaving, answers }: Judgement): string {
  const out = [...leaving, ...answers];
  const [only] = leaving;
  if (only === undefined)
    return [`${verdict} ${reason}`, ...(out.length > 0 ? [describeLeaving(out)] : [])].join(", ");
  if (out.length > 1) return describeLeaving(out);
  return only.way === NODE_WAY ? verdict : `${verdict} by ${only.way}`;
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
function isProper({ way, octets, pieces }: Leaving): boolean {
  if (pieces !== undefined) return pieces.every(isProper);
  if (outerLength({ way, octets }) <= ETH_LEN) return true;
  const port = read16(octets, ETH_LEN + IP4_LEN);
  const { ip, l4 } = verifyChecksums(octets);
  return ip === "good" && l4 === "good" && port >= TUNNEL_PORT_FIRST && port <= TUNNEL_PORT_LAST;
}

/**
 * Of packets of which one was delivered in fragments and the other whole: without what fragments do not tell.
 */
function unlessWhole(...both: readonly Leaving[]): (packet: Uint8Array) => Uint8Array {
  const isCut = both.some(({ pieces }) => pieces !== undefined);
  return (packet) => {
    if (!isCut || placeOf(packet)?.family !== 4) return packet;
    const octets = packet.slice();
    for (const at of [IP4_FRAGMENT, IP4_CHECKSUM]) octets.fill(0, at, at + 2);
    return octets;
  };
}

/** The packet that came in, of a fragment that is all of it without its header. */
function sentOf({ way, frame }: Entering): Uint8Array {
  const [whole] = putTogether([{ way, octets: way === NODE_WAY ? frame.subarray(ETH_LEN) : frame }]);
  return packetOf(whole as Leaving);
}

function comparePackets(entering: Entering, kernel: Leaving, machine: Leaving, past: Past): Opinion {
  if (!isSame(outside(kernel), outside(machine))) return { difference: "differ before the IP header" };
  if (!isProper(kernel) || !isProper(machine)) return { difference: "a tunnel's headers are not proper" };
  const difference = differingPieces(kernel, machine);
  if (difference !== undefined) return { difference };
  const [theirs, ours] = [packetOf(kernel), packetOf(machine)].map(unlessWhole(kernel, machine)) as [
    Uint8Array,
    Uint8Array,
  ];
  if (isSame(theirs, ours)) return AGREED;
  const chosen = portsBetween(sentOf(entering), theirs, ours, past.known, past);
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

function compareAnswer(kernel: Leaving, answer: Leaving, { known }: Past): Opinion {
  if (!isSame(outside(kernel), outside(answer))) return { difference: "answers differ before the IP header" };
  if (!isProper(kernel) || !isProper(answer)) return { difference: "a tunnel's headers are not proper" };
  if (!isHeaderGood(kernel) || !isHeaderGood(answer)) return { difference: "an answer's checksum is wrong" };
  const [theirs, ours] = [packetOf(kernel), packetOf(answer)].map(withoutChoice) as [Uint8Array, Uint8Array];
  // What it quotes has the port that each chose.
  const candidates = known === undefined ? [] : withKernelPort(ours, known);
  if ([ours, ...candidates].some((one) => isSame(theirs, one))) return AGREED;
  return { difference: `answers differ in ${differingFields(theirs, ours)}` };
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
  const { verdict, leaving, answers } = judgement;
  if (verdict === "PUNT") return { isPunted: true };
  if (kernel.length !== leaving.length + answers.length) return disagreement(kernel, judgement);
  const machine = inOrder([...leaving, ...answers]);
  const opinions = inOrder(kernel).map((theirs, index) => {
    const ours = machine[index] as Leaving;
    if (theirs.way !== ours.way) return disagreement(kernel, judgement);
    if (answers.includes(ours)) return compareAnswer(theirs, ours, past);
    if (isKernelError(packetOf(theirs))) return disagreement(kernel, judgement);
    return comparePackets(entering, theirs, ours, past);
  });
  return opinions.find(({ difference }) => difference !== undefined) ?? opinions[0] ?? AGREED;
}

/** Several things that come out at different places may be heard in any order. */
function inOrder(leaving: readonly Leaving[]): readonly Leaving[] {
  if (leaving.length < 2) return leaving;
  const keyOf = ({ way, octets }: Leaving) => `${way} ${octets.length}`;
  return leaving.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

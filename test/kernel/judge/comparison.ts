import { ETH_LEN, ICMP_LEN, PROTO_ICMP } from "../../../assembly/abi/wire.js";
import { verifyChecksums } from "../../../src/packet/checksum.js";
import { read16 } from "../../../src/packet/octets.js";
import type { DropReason } from "../../../src/trace/codes.js";
import { type Entering, type Leaving, NODE_WAY, packetOf } from "./conversation.js";
import type { Judgement } from "./machine-side.js";
import { isKernels, placeOf, portsAt, quoteOf, rewrite16 } from "./packet-octets.js";

/** A port that kernel and machine each chose for a conversation. */
export interface ChosenPort {
  readonly kernel: number;
  readonly machine: number;
}

/** What a comparison comes to: nothing said where both agree. */
export interface Opinion {
  /** How they differ, in words that are the same for the same kind of difference. */
  readonly difference?: string;
  /** A port that both chose anew. */
  readonly chosen?: ChosenPort;
  /** The machine does not judge such packets. */
  readonly isPunted?: boolean;
}

const AGREED: Opinion = {};

/** Type and code of the ICMP error that says why. */
const ANSWERS: Partial<Record<DropReason, readonly [number, number]>> = {
  PORT_UNREACHABLE: [3, 3],
  NO_DESTINATION: [3, 3],
  TTL_EXCEEDED: [11, 0],
  NO_ROUTE: [3, 0],
  FRAGMENTATION_NEEDED: [3, 4],
};

/** Whether the kernel made this error itself. */
function isKernelError(packet: Uint8Array): boolean {
  return isKernels(packet) && quoteOf(packet) !== undefined;
}

/** What came out of the kernel, in a few words. */
export function describeLeaving(leaving: readonly Leaving[]): string {
  if (leaving.length === 0) return "nothing";
  return leaving
    .map((one) => {
      const packet = packetOf(one);
      const quote = quoteOf(packet);
      const what = isKernelError(packet)
        ? `error ${packet[(quote ?? 8) - ICMP_LEN]}/${packet[(quote ?? 8) - 7]}`
        : "packet";
      return one.way === "" ? `${what} delivered` : `${what} by ${one.way}`;
    })
    .sort()
    .join(", ");
}

const describeJudgement = ({ verdict, reason, leaving }: Judgement) =>
  leaving === undefined
    ? `${verdict} ${reason}`
    : `${verdict}${leaving.way === "" ? "" : ` by ${leaving.way}`}`;

const SMALL_CLASS = 512;

/** First and last port of the class that the kernel chooses from for a port (nf_nat_l4proto_unique_tuple). */
function classOf(port: number, isIcmp: boolean): readonly [number, number] {
  if (isIcmp) return [0, 65_535];
  if (port < 512) return [1, 511];
  return port < 1024 ? [600, 1023] : [1024, 65_535];
}

const isWithin = (port: number, [low, high]: readonly [number, number]) => port >= low && port <= high;

/** The port a packet comes from, and where it stands. */
function sourceOf(packet: Uint8Array): readonly [number, number] | undefined {
  const at = portsAt(packet)?.[0];
  return at === undefined ? undefined : [at, read16(packet, at)];
}

/** A port that both chose where the packet sent had another, each of the right class. */
function chosenPort(sent: Uint8Array, kernel: Uint8Array, machine: Uint8Array): ChosenPort | undefined {
  const [was, of, by] = [sent, kernel, machine].map(sourceOf);
  if (was === undefined || of === undefined || by === undefined || of[1] === by[1]) return undefined;
  const range = classOf(was[1], placeOf(sent)?.protocol === PROTO_ICMP);
  // In a small class the port that is drawn may well be the one that was there.
  const isChosen = (port: number) =>
    isWithin(port, range) && (port !== was[1] || range[1] - range[0] < SMALL_CLASS);
  return isChosen(of[1]) && isChosen(by[1]) ? { kernel: of[1], machine: by[1] } : undefined;
}

/** What the machine's packet is with the port that the kernel chose, at either end and within what an error quotes. */
function withKernelPort(octets: Uint8Array, from: number, { kernel, machine }: ChosenPort): Uint8Array {
  const changed = octets.slice();
  const packet = changed.subarray(from);
  const quote = quoteOf(packet);
  const [inner, start] = quote === undefined ? [packet, 0] : [packet.subarray(quote), quote];
  for (const at of new Set(portsAt(inner) ?? [])) {
    if (read16(inner, at) !== machine) continue;
    if (start > 0) rewrite16(packet, start + at, kernel);
    else rewrite16(packet, at, kernel);
  }
  return changed;
}

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const FIELDS: readonly (readonly [string, number, number])[] = [
  ["version", 0, 1],
  ["tos", 1, 2],
  ["length", 2, 4],
  ["id", 4, 6],
  ["flags", 6, 8],
  ["ttl", 8, 9],
  ["protocol", 9, 10],
  ["header checksum", 10, 12],
  ["source", 12, 16],
  ["destination", 16, 20],
  ["source port", 20, 22],
  ["destination port", 22, 24],
  ["rest", 24, 65_535],
];

/** Names the fields that differ. */
function fieldsThatDiffer(kernel: Leaving, machine: Leaving): string {
  const [a, b] = [packetOf(kernel), packetOf(machine)];
  const names = FIELDS.filter(([, from, to]) => !isSame(a.subarray(from, to), b.subarray(from, to))).map(
    ([name]) => name,
  );
  if (names.length === 0) return "Ethernet header";
  const derived = new Set(["header checksum"]);
  return names.filter((name) => names.length === 1 || !derived.has(name)).join(", ");
}

/** The pair of ports that explains a difference: the one that is known, unless both have chosen anew. */
function portsBetween(
  sent: Uint8Array,
  kernel: Uint8Array,
  machine: Uint8Array,
  known: ChosenPort | undefined,
): ChosenPort | undefined {
  const fresh = chosenPort(sent, kernel, machine);
  if (known === undefined || fresh === undefined) return known ?? fresh;
  return fresh.kernel !== known.kernel && fresh.machine !== known.machine ? fresh : known;
}

function comparePackets(
  entering: Entering,
  kernel: Leaving,
  machine: Leaving,
  known: ChosenPort | undefined,
): Opinion {
  if (isSame(kernel.octets, machine.octets)) return AGREED;
  const chosen = portsBetween(entering.frame.subarray(ETH_LEN), packetOf(kernel), packetOf(machine), known);
  const from = machine.octets.length - packetOf(machine).length;
  const expected = chosen === undefined ? machine.octets : withKernelPort(machine.octets, from, chosen);
  if (isSame(kernel.octets, expected)) return chosen === undefined ? AGREED : { chosen };
  return { difference: `differ in ${fieldsThatDiffer(kernel, { ...machine, octets: expected })}` };
}

/** The ICMP error that a packet is answered by: none where the node's own program is told, or a checksum is bad. */
function answerTo({ way, frame }: Entering, reason: DropReason): readonly [number, number] | undefined {
  if (way === NODE_WAY && reason === "NO_ROUTE") return undefined;
  return verifyChecksums(frame).l4 === "bad" && reason === "PORT_UNREACHABLE" ? undefined : ANSWERS[reason];
}

function compareAnswer(entering: Entering, kernel: readonly Leaving[], judgement: Judgement): Opinion {
  const [only] = kernel;
  const expected = answerTo(entering, judgement.reason);
  const disagreed = {
    difference: `kernel: ${describeLeaving(kernel)}; machine: ${describeJudgement(judgement)}`,
  };
  if (expected === undefined) return kernel.length === 0 ? AGREED : disagreed;
  if (only === undefined || kernel.length > 1 || only.way !== entering.way) return disagreed;
  const packet = packetOf(only);
  const at = placeOf(packet)?.transport ?? 0;
  const isRight = isKernelError(packet) && packet[at] === expected[0] && packet[at + 1] === expected[1];
  const to = packet.subarray(16, 20);
  return isRight && isSame(to, entering.frame.subarray(ETH_LEN + 12, ETH_LEN + 16)) ? AGREED : disagreed;
}

/** Compares what came out of the kernel with what the machine says, octet for octet but for ports that each chose. */
export function compare(
  entering: Entering,
  kernel: readonly Leaving[],
  judgement: Judgement,
  known: ChosenPort | undefined,
): Opinion {
  const { verdict, leaving } = judgement;
  if (verdict === "PUNT") return { isPunted: true };
  if (leaving === undefined) return compareAnswer(entering, kernel, judgement);
  const [only] = kernel;
  if (only === undefined || kernel.length > 1 || only.way !== leaving.way || isKernelError(packetOf(only))) {
    return { difference: `kernel: ${describeLeaving(kernel)}; machine: ${describeJudgement(judgement)}` };
  }
  return comparePackets(entering, only, leaving, known);
}

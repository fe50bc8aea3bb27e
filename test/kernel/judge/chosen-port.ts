import { PROTO_ICMP, PROTO_ICMP6 } from "../../../assembly/abi/wire.js";
import { read16, write } from "../../../src/packet/octets.js";
import { placeOf, portsAt, quoteOf, rewrite16, sealIcmp } from "./packet-octets.js";

/** A port that kernel and machine each chose for a conversation. */
export interface ChosenPort {
  readonly kernel: number;
  readonly machine: number;
  /** One of both is the one that was there, though many were to draw from: by chance, which is seldom. */
  readonly isAsBefore: boolean;
}

const SMALL_CLASS = 512;

/** First and last port of the class that the kernel chooses from for a port (nf_nat_l4proto_unique_tuple). */
function classOf(port: number, isIcmp: boolean): readonly [number, number] {
  if (isIcmp) return [0, 65_535];
  if (port < 512) return [1, 511];
  return port < 1024 ? [600, 1023] : [1024, 65_535];
}

function sourcePort(packet: Uint8Array): number | undefined {
  const at = portsAt(packet)?.[0];
  return at === undefined ? undefined : read16(packet, at);
}

/** Whether another conversation's packets are already, in the kernel, as this one is: then it must get another port. */
export interface Clashes {
  inKernel(packet: Uint8Array): boolean;
}

/**
 * Ports of the right class that both chose, or one of them because others had chosen what the packet has. One draw of 64,512
 * gives the port that was there: a run of 10,000 such packets may well meet it.
 */
function freshPorts(
  sent: Uint8Array,
  kernel: Uint8Array,
  machine: Uint8Array,
  clashes: Clashes,
): ChosenPort | undefined {
  const [was, of, by] = [sourcePort(sent), sourcePort(kernel), sourcePort(machine)];
  if (was === undefined || of === undefined || by === undefined || of === by) return undefined;
  const protocol = placeOf(sent)?.protocol;
  const [low, high] = classOf(was, protocol === PROTO_ICMP || protocol === PROTO_ICMP6);
  const isWithin = (port: number) => port >= low && port <= high;
  // In a small class the port that is drawn may well be the one that was there.
  const isSmall = high - low < SMALL_CLASS;
  if (!isWithin(of) || !isWithin(by)) return undefined;
  const kernelHadTo = by === was && clashes.inKernel(machine);
  const isAsBefore = !isSmall && !kernelHadTo && (of === was || by === was);
  return { kernel: of, machine: by, isAsBefore };
}

/** Of a class from which the same port is soon drawn again; of ICMP's identifiers a few pass for it. */
const isOfFew = ({ kernel }: ChosenPort) => kernel < 1024;

/** The ports that may explain a difference: those that are known, unless both have chosen anew. */
export function portsBetween(
  sent: Uint8Array,
  kernel: Uint8Array,
  machine: Uint8Array,
  known: ChosenPort | undefined,
  clashes: Clashes,
): ChosenPort | undefined {
  const fresh = freshPorts(sent, kernel, machine, clashes);
  if (known === undefined || fresh === undefined) return known ?? fresh;
  const same = [fresh.kernel === known.kernel, fresh.machine === known.machine].filter(Boolean).length;
  if (same === 0) return fresh;
  return same === 1 && isOfFew(known) ? fresh : known;
}

/** Ways to write a port: checksums follow, or stay, as what IPVS' errors quote of IPv6 (ip_vs_nat_icmp_v6). */
const WRITERS = [
  rewrite16,
  (packet: Uint8Array, at: number, port: number) => write(packet, at, 2, port, "port"),
] as const;

/**
 * What the machine's packet is with the port that the kernel chose: as its source, or as its destination; of an ICMP
 * error, within what it quotes.
 */
export function withKernelPort(packet: Uint8Array, { kernel, machine }: ChosenPort): Uint8Array[] {
  const quote = quoteOf(packet) ?? 0;
  const ports = new Set(portsAt(packet.subarray(quote)) ?? []);
  const places = [...ports].filter((at) => read16(packet, quote + at) === machine);
  return WRITERS.slice(0, quote > 0 ? 2 : 1).flatMap((writePort) =>
    places.map((at) => {
      const changed = packet.slice();
      writePort(changed.subarray(quote), at, kernel);
      if (quote > 0) sealIcmp(changed);
      return changed;
    }),
  );
}

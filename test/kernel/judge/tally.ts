import { concat } from "../../../src/packet/octets.js";
import { printPacket } from "../../../src/packet/print.js";
import { type Entering, type Leaving, NODE_WAY } from "./conversation.js";
import type { Judgement } from "./machine-side.js";

/** A packet that kernel and machine see differently. */
export interface Difference {
  readonly conversation: string;
  readonly step: string;
  readonly how: string;
  readonly entering: Entering;
  readonly kernel: readonly Leaving[];
  readonly judgement: Judgement;
}

/** A kind of difference, how often it was seen, and the first of them. */
export interface DifferenceGroup {
  readonly what: string;
  readonly count: number;
  readonly example: readonly string[];
}

const ETHERNET = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0);

function describe(where: string, frame: Uint8Array): string {
  return `${where}: ${printPacket(frame)}`;
}

function describeLeaving(who: string, { way, octets }: Leaving): string {
  if (way === NODE_WAY) return describe(`${who}, delivered`, concat(ETHERNET, octets));
  return describe(`${who}, by ${way}`, octets);
}

function exampleOf({ entering, kernel, judgement }: Difference): string[] {
  const from = entering.way === NODE_WAY ? "the node makes" : `${entering.way} brings`;
  const machine =
    judgement.leaving === undefined
      ? `machine: ${judgement.verdict} ${judgement.reason}`
      : describeLeaving("machine", judgement.leaving);
  return [
    describe(from, entering.frame),
    ...(kernel.length === 0 ? ["kernel: nothing"] : kernel.map((one) => describeLeaving("kernel", one))),
    machine,
  ];
}

/** What was sent and how it was judged. */
export class Tally {
  packets = 0;
  /** Those that were not the first of their connection. */
  later = 0;
  flows = 0;
  forwarded = 0;
  delivered = 0;
  dropped = 0;
  answered = 0;
  made = 0;
  readonly punted = new Map<string, number>();
  readonly #groups = new Map<string, { count: number; example: readonly string[] }>();

  /** Adds one packet on which both agreed. */
  count(entering: Entering, kernel: readonly Leaving[], { verdict, reason }: Judgement): void {
    this.packets += 1;
    if (entering.way === NODE_WAY) this.made += 1;
    if (verdict === "FORWARD") this.forwarded += 1;
    else if (verdict === "LOCAL") this.delivered += 1;
    else if (verdict === "PUNT") this.punted.set(reason, (this.punted.get(reason) ?? 0) + 1);
    else if (kernel.length > 0) this.answered += 1;
    else this.dropped += 1;
  }

  differ(difference: Difference): void {
    const what = `${difference.conversation} / ${difference.step}: ${difference.how}`;
    const group = this.#groups.get(what);
    if (group === undefined) this.#groups.set(what, { count: 1, example: exampleOf(difference) });
    else group.count += 1;
  }

  /** The most frequent first. */
  get differences(): readonly DifferenceGroup[] {
    return [...this.#groups].map(([what, group]) => ({ what, ...group })).sort((a, b) => b.count - a.count);
  }

  /** Packets on which they differ. */
  get differing(): number {
    return this.differences.reduce((sum, { count }) => sum + count, 0);
  }
}

import { ETH_LEN, ETH_TYPE, ETH_TYPE_IP4, ETH_TYPE_IP6 } from "../../../assembly/abi/wire.js";
import { concat, write } from "../../../src/packet/octets.js";
import { printPacket } from "../../../src/packet/print.js";
import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import { type Entering, type Leaving, NODE_WAY } from "./conversation.js";
import { knownGap } from "./known-gaps.js";
import type { Judgement } from "./machine-side.js";
import { placeOf } from "./packet-octets.js";

/** A packet that kernel and machine see differently. */
export interface Difference {
  readonly conversation: string;
  readonly step: string;
  readonly how: string;
  /** What became of the packets before it. */
  readonly past: readonly string[];
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

/** A packet behind a header that says no more than its kind. */
function framed(packet: Uint8Array): Uint8Array {
  const header = new Uint8Array(ETH_LEN);
  write(header, ETH_TYPE, 2, placeOf(packet)?.family === 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4, "type");
  return concat(header, packet);
}

function describe(where: string, frame: Uint8Array): string {
  return `${where}: ${printPacket(frame)}`;
}

function describeLeaving(who: string, { way, octets }: Leaving): string {
  if (way === NODE_WAY) return describe(`${who}, delivered`, framed(octets));
  return describe(`${who}, by ${way}`, octets);
}

function exampleOf({ past, entering, kernel, judgement }: Difference): string[] {
  const from = entering.way === NODE_WAY ? "the node makes" : `${entering.way} brings`;
  const { verdict, reason, leaving, answers } = judgement;
  const refusal = answers.map((answer) => describeLeaving("machine's answer", answer));
  const machine =
    leaving.length === 0
      ? [`machine: ${verdict} ${reason}`, ...refusal]
      : [...leaving.map((one) => describeLeaving("machine", one)), ...refusal];
  return [
    ...(past.length === 0 ? [] : [`after ${past.join("; ")}`]),
    describe(from, entering.frame),
    ...(kernel.length === 0 ? ["kernel: nothing"] : kernel.map((one) => describeLeaving("kernel", one))),
    ...machine,
  ];
}

/** What was sent and how it was judged: numbers of packets. */
export interface Outcome {
  readonly packets: number;
  readonly flows: number;
  /** Those that were not the first of their conversation. */
  readonly later: number;
  readonly madeOnNode: number;
  readonly forwarded: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly answered: number;
  /** Those that the machine does not judge, by its reason. */
  readonly punted: Readonly<Record<string, number>>;
  readonly differing: number;
  /** Those that differ as is known, by the reason. */
  readonly known: Readonly<Record<string, number>>;
  /** The most frequent first. */
  readonly groups: readonly DifferenceGroup[];
}

type Fate = "forwarded" | "delivered" | "dropped" | "answered";

function fateOf({ verdict }: Judgement, kernel: readonly Leaving[]): Fate {
  if (verdict === "FORWARD") return "forwarded";
  if (verdict === "LOCAL") return "delivered";
  return kernel.length > 0 ? "answered" : "dropped";
}

/** Counts packets as they are judged. */
export class Tally {
  readonly #counts = { packets: 0, flows: 0, later: 0, madeOnNode: 0, differing: 0 };
  readonly #fates = { forwarded: 0, delivered: 0, dropped: 0, answered: 0 };
  readonly #punted: Record<string, number> = {};
  readonly #known: Record<string, number> = {};
  readonly #proxy: ProxyMode;
  readonly #groups = new Map<string, { count: number; example: readonly string[] }>();

  constructor(proxy: ProxyMode) {
    this.#proxy = proxy;
  }

  open(flows: number): void {
    this.#counts.flows += flows;
  }

  count(entering: Entering, kernel: readonly Leaving[], judgement: Judgement, isLater: boolean): void {
    const { verdict, reason } = judgement;
    this.#counts.packets += 1;
    if (isLater) this.#counts.later += 1;
    if (entering.way === NODE_WAY) this.#counts.madeOnNode += 1;
    if (verdict === "PUNT") this.#punted[reason] = (this.#punted[reason] ?? 0) + 1;
    else this.#fates[fateOf(judgement, kernel)] += 1;
  }

  differ(difference: Difference): void {
    const why = knownGap(this.#proxy, difference);
    if (why !== undefined) {
      this.#known[why] = (this.#known[why] ?? 0) + 1;
      return;
    }
    const what = `${difference.conversation} / ${difference.step}: ${difference.how}`;
    this.#counts.differing += 1;
    const group = this.#groups.get(what);
    if (group === undefined) this.#groups.set(what, { count: 1, example: exampleOf(difference) });
    else group.count += 1;
  }

  get packets(): number {
    return this.#counts.packets;
  }

  get differing(): number {
    return this.#counts.differing;
  }

  get outcome(): Outcome {
    const groups = [...this.#groups].map(([what, group]) => ({ what, ...group }));
    groups.sort((a, b) => b.count - a.count);
    return { ...this.#counts, ...this.#fates, punted: this.#punted, known: this.#known, groups };
  }
}

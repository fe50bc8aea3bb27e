import type { ChosenPort } from "./chosen-port.js";
import { compare, describeLeaving } from "./comparison.js";
import {
  type Conversation,
  type Entering,
  type Leaving,
  opened,
  packetOf,
  type Said,
  type Step,
} from "./conversation.js";
import { Ledger } from "./ledger.js";
import type { Judgement, MachineSide } from "./machine-side.js";
import { withoutRemnants } from "./pieces.js";
import { type Rig, TAGS } from "./rig.js";
import type { Tally } from "./tally.js";

/** A conversation under way: what each side has said, and how far it has come. */
interface Hearing {
  readonly conversation: Conversation;
  readonly kernel: Said;
  readonly machine: Said;
  /** What became of each packet so far, in the kernel. */
  readonly past: string[];
  next: number;
  port: ChosenPort | undefined;
  isOver: boolean;
}

/** A packet that is about to be sent to both. */
interface Turn {
  readonly hearing: Hearing;
  readonly step: Step;
  readonly tag: number;
  readonly toKernel: Entering;
  readonly toMachine: Entering;
}

/** Packets on their way before it is seen what became of them: captures have room for so many. */
const AT_ONCE = 8_000;
const SILENT: readonly Leaving[] = [];
const NOWHERE: Entering = { way: "", frame: new Uint8Array(0) };

function open(conversation: Conversation): Hearing {
  const said = () => ({ opening: NOWHERE });
  return {
    conversation,
    kernel: said(),
    machine: said(),
    past: [],
    next: 0,
    port: undefined,
    isOver: false,
  };
}

/** The next step that both sides can make, if there is one. */
function nextTurn(hearing: Hearing, tag: number): Turn | undefined {
  const { steps } = hearing.conversation;
  while (hearing.next < steps.length && !hearing.isOver) {
    const step = steps[hearing.next++] as Step;
    const [toKernel, toMachine] = [step.make(hearing.kernel, tag), step.make(hearing.machine, tag)];
    if (toKernel !== undefined && toMachine !== undefined) return { hearing, step, tag, toKernel, toMachine };
  }
  return undefined;
}

/** Kernel and machine hear conversations, one round of packets after another, and are compared. */
export class Sitting {
  readonly #rig: Rig;
  readonly #machine: MachineSide;
  readonly #tally: Tally;
  readonly #ledger = new Ledger();
  readonly #began = performance.now();

  constructor(rig: Rig, machine: MachineSide, tally: Tally) {
    this.#rig = rig;
    this.#machine = machine;
    this.#tally = tally;
  }

  /** Holds them all to their ends; resolves to where each first packet went in the kernel. */
  async hold(conversations: readonly Conversation[]): Promise<readonly (Leaving | undefined)[]> {
    if (conversations.length >= TAGS)
      throw new Error("There are more conversations than tags for their packets.");
    const hearings = conversations.map(open);
    this.#tally.open(hearings.length);
    const first: (Leaving | undefined)[] = [];
    while (true) {
      const turns = hearings
        .map((hearing, index) => nextTurn(hearing, index + 1))
        .filter((turn) => turn !== undefined);
      if (turns.length === 0) return first;
      for (let from = 0; from < turns.length; from += AT_ONCE)
        await this.#take(turns.slice(from, from + AT_ONCE));
      if (first.length === 0) first.push(...hearings.map(({ kernel }) => kernel.there));
    }
  }

  async #take(turns: readonly Turn[]): Promise<void> {
    const now = Math.floor(performance.now() - this.#began);
    const heard = await this.#rig.exchange(turns.map(({ toKernel }) => toKernel));
    for (const turn of turns)
      this.#judge(turn, withoutRemnants(turn.toKernel, heard.get(turn.tag) ?? SILENT), now);
  }

  #judge({ hearing, step, toKernel, toMachine }: Turn, kernel: readonly Leaving[], now: number): void {
    const past = { known: hearing.port, ...this.#ledger.seenBy(hearing) };
    const packet = opened(toKernel);
    const isFromNodePort = hearing.conversation.isFromNodePort === true;
    const mayOpen = step.direction === "there" || isFromNodePort || toMachine.pieces !== undefined;
    const judgement = this.#ask(mayOpen, toMachine, now, (one) => {
      return compare(packet, kernel, one, past).difference === undefined;
    });
    const { chosen, isPunted, ...opinion } = compare(packet, kernel, judgement, past);
    const difference = opinion.difference ?? this.#ledger.suspect(hearing, chosen);
    this.#tally.count(toKernel, kernel, judgement, hearing.next > 1);
    if (difference !== undefined) {
      const names = { conversation: hearing.conversation.kind, step: step.name, how: difference };
      this.#tally.differ({ ...names, past: hearing.past, entering: toKernel, kernel, judgement });
    }
    hearing.past.push(`${step.name}: ${describeLeaving(kernel)}`);
    // Of several packets nobody knows which one is answered.
    hearing.isOver = difference !== undefined || isPunted === true || kernel.length > 1;
    hearing.port = chosen ?? hearing.port;
    if (!hearing.isOver) this.#remember(hearing, step, kernel[0], judgement.leaving[0]);
  }

  /** What comes from the client may open a connection, again too: another SYN, or where the first packet was refused. */
  #ask(mayOpen: boolean, entering: Entering, now: number, isLike: (one: Judgement) => boolean): Judgement {
    return mayOpen ? this.#machine.judgeLike(entering, now, isLike) : this.#machine.judge(entering, now);
  }

  #remember(
    hearing: Hearing,
    { direction }: Step,
    kernel: Leaving | undefined,
    machine: Leaving | undefined,
  ): void {
    if (kernel === undefined || machine === undefined || direction === "aside") return;
    hearing.kernel[direction] = kernel;
    hearing.machine[direction] = machine;
    if (direction === "there") this.#ledger.enter(packetOf(kernel), hearing);
  }
}

import { type Ip, printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import { type Answer, CHANGES, type Change, type Verdict, verdictOf } from "./answer.js";
import { plainness, type Question } from "./question.js";
import { TOPICS, type Topic } from "./topic.js";
import { answerWords, summaryWords } from "./words.js";

/** A packet of which two sides make different things. */
export interface FlowDifference {
  readonly node: string;
  readonly topic: Topic;
  readonly change: Change;
  readonly question: Question;
  /** The interface that it comes in by; undefined where the node makes it. */
  readonly iface: string | undefined;
  readonly answers: readonly [Answer, Answer];
  readonly names: readonly [ReadonlyMap<Ip, string>, ReadonlyMap<Ip, string>];
  /** The connection that came before. */
  readonly earlier?: Earlier;
  /** What is to be said behind what each side does. */
  readonly beside?: readonly [string, string];
}

/** A connection that came before, and how many seconds ago it began. */
export interface Earlier {
  /** The same sender, or one that IPVS takes for the same; and its port. */
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
  /** The endpoint that it went to, on both sides. */
  readonly wentTo: string;
  /** Both of its ends have spoken ever since. */
  readonly isInUse: boolean;
}

/** The plainest packet of its kind. */
export interface Example {
  readonly node: string;
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  /** TCP's flags (`none`), SCTP's chunk or ICMP's type; of UDP `bad checksum`, or "". */
  readonly flags: string;
  readonly iface: string | undefined;
  readonly asker: string;
  readonly place: string;
  readonly service: string;
  readonly earlier: Earlier | undefined;
  readonly frame: Uint8Array;
  /** Where B's node sends it from another address, as that is its own there. */
  readonly atB: { readonly from: string; readonly frame: Uint8Array } | undefined;
  /** What becomes of it on each side, in one word. */
  readonly verdicts: readonly [Verdict, Verdict];
  /** The same, told. */
  readonly a: string;
  readonly b: string;
}

/** Differences of one kind. */
export interface DifferenceGroup {
  readonly topic: Topic;
  /** The topic in words. */
  readonly about: string;
  readonly change: Change;
  /** What each side does with all of them, in words. */
  readonly a: string;
  readonly b: string;
  /** How many of the packets that were asked about, of which Services, on which nodes. */
  readonly flows: number;
  readonly services: readonly string[];
  readonly nodes: readonly string[];
  readonly example: Example;
}

function exampleOf(difference: FlowDifference): Example {
  const { question, node, iface, earlier, answers, names, beside = ["", ""] } = difference;
  const { source, target, sent } = question;
  const [{ from, frame }, other] = sent;
  const { kind, place, service } = target;
  const isPlain = kind.protocol === "ICMP";
  const print = (address: Ip, port: number) => (isPlain ? printIp(address) : printHostPort(address, port));
  return {
    node,
    from: print(from.address, from.port),
    to: print(target.address, target.port),
    protocol: kind.protocol,
    flags: kind.flags,
    iface,
    asker: source.asker,
    place,
    service,
    earlier,
    frame,
    atB:
      other === sent[0]
        ? undefined
        : { from: print(other.from.address, other.from.port), frame: other.frame },
    verdicts: [verdictOf(answers[0]), verdictOf(answers[1])],
    a: answerWords(answers[0], names[0]) + beside[0],
    b: answerWords(answers[1], names[1]) + beside[1],
  };
}

/** What has been found of one kind so far. */
interface Draft {
  readonly first: FlowDifference;
  readonly plainness: number;
  readonly summaries: readonly [string, string];
  readonly flows: number;
  readonly services: Set<string>;
  readonly nodes: Set<string>;
}

/** What each side does, in the words by which differences are of one kind. */
export function summariesOf(difference: FlowDifference): readonly [string, string] {
  const { answers, question, beside = ["", ""] } = difference;
  const { address } = question.source;
  return [summaryWords(answers[0], address) + beside[0], summaryWords(answers[1], address) + beside[1]];
}

/** `shop/web` of `shop/web:http`. */
const serviceName = ({ question }: FlowDifference) => question.target.service.split(":")[0] ?? "";

function begun(first: FlowDifference, summaries: readonly [string, string]): Draft {
  const rank = plainness(first.question);
  return { first, plainness: rank, summaries, flows: 0, services: new Set(), nodes: new Set() };
}

function joined(draft: Draft, one: FlowDifference): Draft {
  const rank = plainness(one.question);
  const service = serviceName(one);
  if (service !== "") draft.services.add(service);
  draft.nodes.add(one.node);
  const example = rank < draft.plainness ? { first: one, plainness: rank } : {};
  return { ...draft, ...example, flows: draft.flows + 1 };
}

function groupOf({ first, summaries, flows, services, nodes }: Draft): DifferenceGroup {
  const { topic, change } = first;
  const [a, b] = summaries;
  const about = TOPICS[topic];
  const concerned = { flows, services: [...services].sort(), nodes: [...nodes] };
  return { topic, about, change, a, b, ...concerned, example: exampleOf(first) };
}

function byTopic(a: DifferenceGroup, b: DifferenceGroup): number {
  const topics = Object.keys(TOPICS);
  return (
    topics.indexOf(a.topic) - topics.indexOf(b.topic) ||
    CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) ||
    b.flows - a.flows
  );
}

/** Differences, those of one kind together: about the same, and with the same made of the packet on each side. */
export class DifferenceGroups {
  readonly #drafts = new Map<string, Draft>();

  add(one: FlowDifference): void {
    const summaries = summariesOf(one);
    const key = [one.topic, one.change, ...summaries].join("\n");
    this.#drafts.set(key, joined(this.#drafts.get(key) ?? begun(one, summaries), one));
  }

  get all(): readonly DifferenceGroup[] {
    return [...this.#drafts.values()].map(groupOf).sort(byTopic);
  }
}

/** Puts differences of one kind together. */
export function groupDifferences(differences: Iterable<FlowDifference>): readonly DifferenceGroup[] {
  const groups = new DifferenceGroups();
  for (const one of differences) groups.add(one);
  return groups.all;
}

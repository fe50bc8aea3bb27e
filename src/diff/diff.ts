import { expectOptions } from "../arguments.js";
import type { Family } from "../net/ip.js";
import { familyOf } from "../net/ip.js";
import { affinityDifferences } from "./affinity.js";
import { changeOf } from "./answer.js";
import { shownByReturns } from "./choice.js";
import { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import { type Ground, groundOf } from "./ground.js";
import { ask, ifaceOf, type Respondent, respondentOf } from "./inquiry.js";
import { openDifferences } from "./open.js";
import { type Question, questionsOf } from "./question.js";
import { expectSide, factsOf, type Side } from "./side.js";
import { topicOf } from "./topic.js";

export interface DiffOptions {
  /** Packets out of state too, not only those that begin a connection; default false. */
  readonly allPackets?: boolean;
  /** What becomes of connections that the first node has open, once the second is in its place; default false. */
  readonly openConnections?: boolean;
  /** Of packets; default all in which either node has an address. */
  readonly families?: readonly Family[];
  /** Called for every packet that was asked about. */
  readonly onAsked?: () => void;
}

type Pair = readonly [Respondent, Respondent];

/** Families in which either node has an address beyond its own. */
function familiesOf({ ruleset }: Side): readonly Family[] {
  const links = ruleset.interfaces.filter(({ kind }) => kind !== "loopback");
  return links.flatMap(({ addresses }) => addresses.map(({ address }) => familyOf(address)));
}

function differenceOf(question: Question, ground: Ground, pair: Pair): FlowDifference | undefined {
  const [a, b] = pair;
  const answers = [ask(question, a), ask(question, b)] as const;
  const change = changeOf(...answers, [a.hashes, b.hashes]);
  if (change === undefined) return undefined;
  return {
    node: a.ruleset.node,
    topic: topicOf(question, change, answers, ground),
    change,
    question,
    iface: ifaceOf(question, a),
    answers,
    names: [a.ruleset.names, b.ruleset.names],
  };
}

function differencesIn(ground: Ground, pair: Pair, clock: Clock, options: DiffOptions): FlowDifference[] {
  const { allPackets = false, openConnections = false, onAsked = () => {} } = options;
  const found: FlowDifference[] = [];
  for (const question of questionsOf(ground, allPackets)) {
    const difference = differenceOf(question, ground, pair);
    if (difference !== undefined) found.push(difference);
    onAsked();
  }
  const shown = shownByReturns(found, pair, clock);
  const open = openConnections ? openDifferences(ground, pair, clock, onAsked) : [];
  return [...shown, ...open, ...affinityDifferences(ground, pair, clock, onAsked)];
}

/**
 * The packets of which two nodes make different things: two states of one node, or one node under two kube-proxies. Packets
 * are derived from what both sides know: each kind of destination, asked by each kind of source. TypeError and
 * RangeError as Engine.load and Engine.explore have them.
 */
export async function diffNodes(
  a: Side,
  b: Side,
  options: DiffOptions = {},
): Promise<readonly FlowDifference[]> {
  expectSide(a, "the first side of diffNodes()");
  expectSide(b, "the second side of diffNodes()");
  expectOptions(options, "diffNodes()");
  const pair = [await respondentOf(a.ruleset, 0), await respondentOf(b.ruleset, 1)] as const;
  const { families = [4, 6] } = options;
  const clock = new Clock();
  const there = new Set([...familiesOf(a), ...familiesOf(b)]);
  return families
    .filter((family) => there.has(family))
    .flatMap((family) => {
      const ground = groundOf([factsOf(a, family), factsOf(b, family)]);
      return differencesIn(ground, pair, clock, options);
    });
}

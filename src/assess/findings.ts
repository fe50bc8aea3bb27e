import type { Change } from "../diff/answer.js";
import {
  type DifferenceGroup,
  DifferenceGroups,
  type Example,
  type FlowDifference,
} from "../diff/difference.js";
import type {
  AssessedEffect,
  AssessedPacket,
  AssessmentCategory,
  AssessmentFinding,
} from "../report/assessment.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { CATEGORIES, type Category, categoryOf, effectOf } from "./category.js";
import { type Scheduling, schedulingAt, schedulingWords } from "./scheduling.js";
import { aboutOf, adviceOn, type TargetMode, TITLES, textOf } from "./words.js";

/** Differences that one finding, or several of one kind, tell. */
interface Bundle {
  readonly category: Category;
  readonly effect: AssessedEffect;
  /** Of category scheduler. */
  readonly scheduling: Scheduling | undefined;
  readonly groups: DifferenceGroups;
}

const hex = (octets: Uint8Array) =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");

function packetOf({ verdicts, a, b, asker, iface, earlier, frame, atB, ...rest }: Example): AssessedPacket {
  return {
    ...rest,
    iface: iface ?? null,
    source: asker,
    earlier: earlier ?? null,
    frame: hex(frame),
    sentAfter: atB === undefined ? null : { from: atB.from, frame: hex(atB.frame) },
    before: { verdict: verdicts[0], text: a },
    after: { verdict: verdicts[1], text: b },
    run: true,
  };
}

function findingOf(
  group: DifferenceGroup,
  { category, effect, scheduling }: Bundle,
  to: TargetMode,
): AssessmentFinding {
  const { topic, a, b, flows, services, nodes, example } = group;
  const [about, advice] =
    scheduling === undefined
      ? [aboutOf(topic, effect), adviceOn(topic, to)]
      : schedulingWords(scheduling, to);
  return {
    category,
    effect,
    about,
    advice,
    before: a,
    after: b,
    flows,
    services,
    nodes,
    example: packetOf(example),
  };
}

/** What is not said by what becomes of the packets. */
const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  fate: "",
  endpoints: ", others than before",
  masquerade: "",
  weights: ", by other chances",
  choice: ", chosen otherwise",
  "accepted by name": "",
};

interface Told {
  readonly finding: AssessmentFinding;
  readonly change: Change;
}

/** Those with one title say behind it what tells them apart: what becomes of their packets. */
function toldApart(all: readonly Told[]): readonly AssessmentFinding[] {
  const titles = new Map<string, number>();
  for (const { finding } of all) titles.set(finding.about, (titles.get(finding.about) ?? 0) + 1);
  return all.map(({ finding, change }) => {
    const { about, before, after } = finding;
    if (titles.get(about) === 1) return finding;
    return { ...finding, about: `${about} Before: ${before}; after: ${after}${CHANGE_WORDS[change]}.` };
  });
}

const EFFECTS: readonly AssessedEffect[] = ["breaks", "moves", "opens", "changes", "refused otherwise"];

/** What differences come to, of node after node: each is forgotten but for what findings tell of it. */
export class Findings {
  readonly #bundles = new Map<string, Bundle>();

  /** `before`: the node as it was. */
  add(difference: FlowDifference, before: Ruleset): void {
    const [category, effect] = [categoryOf(difference), effectOf(difference)];
    const scheduling = category === "scheduler" ? schedulingAt(difference, before) : undefined;
    const key = `${category} ${effect} ${scheduling?.scheduler} ${scheduling?.isWeighted}`;
    const bundle = this.#bundles.get(key) ?? { category, effect, scheduling, groups: new DifferenceGroups() };
    bundle.groups.add(difference);
    this.#bundles.set(key, bundle);
  }

  /** All of them by category, and in each what breaks before what else happens. */
  all(to: TargetMode): readonly AssessmentFinding[] {
    const all = [...this.#bundles.values()].flatMap((bundle) =>
      bundle.groups.all.map((group) => ({ finding: findingOf(group, bundle, to), change: group.change })),
    );
    const rank = ({ finding: { category, effect } }: Told) =>
      CATEGORIES.indexOf(category as Category) * EFFECTS.length + EFFECTS.indexOf(effect);
    return toldApart(all.sort((a, b) => rank(a) - rank(b)));
  }
}

/** What the findings stand under. */
export function categoriesOf(
  findings: readonly AssessmentFinding[],
  to: TargetMode,
): readonly AssessmentCategory[] {
  const there = new Set(findings.map(({ category }) => category));
  return CATEGORIES.filter((name) => there.has(name)).map((name) => {
    return { name, title: TITLES[name], text: textOf(name, to) };
  });
}

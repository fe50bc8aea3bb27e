import { HOOK_OUTPUT, HOOK_PREROUTING } from "../../assembly/abi/entry.js";
import { printHostPort } from "../net/port.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { labelOf } from "./labels.js";
import { type Move, readMoves } from "./moves.js";
import { chainNumbered, type NumberedChain, type Numbering } from "./numbering.js";
import type { TraceRecord } from "./record.js";
import type { Stage, Step } from "./step.js";

/** The lines of one base chain, and why it refused the packet, if it did. */
export interface HookStory {
  readonly steps: readonly Step[];
  readonly cause?: string;
}

/** What the lines of a hook are told with. */
interface Telling {
  readonly numbering: Numbering;
  readonly ruleset: Ruleset;
  readonly stage: Stage;
  /** Accepting is news in filter chains; in nat chains it only ends the walk. */
  readonly isNat: boolean;
}

/** `nat PREROUTING`, `FORWARD`, `ip6tables nat PREROUTING`: a base chain with what the stage does not say of its table. */
function baseName({ of, name }: NumberedChain): string {
  const { tool, family } = of;
  if (tool === "nftables") return family === 6 ? `ip6 ${name}` : name;
  if (of.name === "filter") return family === 6 ? `ip6tables ${name}` : name;
  return `${of.title} ${name}`;
}

/** The bits that a mark rule sets; 0 where it clears or flips them. */
function marked(move: Move): number {
  const rule = move.chain.rules[move.rule];
  if (rule === undefined) return 0;
  if ("statements" in rule) {
    const setting = rule.statements.find(({ kind }) => kind === "set-mark");
    return setting?.kind === "set-mark" && setting.op === "or" ? setting.value : 0;
  }
  const { target } = rule;
  return target?.kind === "mark" && (target.value & target.mask) >>> 0 === target.value ? target.value : 0;
}

/** Whether the move left something behind: a verdict, a mark, a translation. */
function matters(move: Move, telling: Telling): boolean {
  switch (move.effect.kind) {
    case "enter":
      return move.within.some((inner) => matters(inner, telling));
    case "accept":
      return !telling.isNat;
    case "mark":
      return marked(move) !== 0;
    case "pass":
      return false;
    default:
      return true;
  }
}

/** In the words of the tool whose rule it is. */
function effectWords(move: Move): string {
  const { effect } = move;
  const spell = (word: string) =>
    move.chain.of.tool === "nftables" ? word.toLowerCase() : word.toUpperCase();
  switch (effect.kind) {
    case "enter":
      return effect.chain;
    case "mark":
      return `mark 0x${marked(move).toString(16)}`;
    case "dnat":
      return `${spell("dnat")} to ${printHostPort(effect.address, effect.port)}`;
    default:
      return spell(effect.kind);
  }
}

/** The deed of a chain whose one rule has nothing to say of itself: told with the rule that led there. */
function onlyDeed(move: Move, telling: Telling): Move | undefined {
  const inner = move.within.find((one) => matters(one, telling));
  if (inner === undefined || inner.chain.rules.length > 1 || inner.effect.kind === "enter") return undefined;
  // Of a rule that could not be told it must be said where it stands.
  if (inner.effect.kind === "undecided") return undefined;
  return labelOf(inner, telling.numbering, telling.ruleset).text === "" ? inner : undefined;
}

/** Where the rule of a move stands in the file that it was read from. */
function lineOf({ chain, rule }: Move): number | undefined {
  const found = chain.rules[rule];
  return found !== undefined && "line" in found ? found.line : undefined;
}

function printLine(move: Move): string {
  const line = lineOf(move);
  return line === undefined ? "" : `, line ${line}`;
}

function tellMove(move: Move, via: string, telling: Telling): readonly Step[] {
  const { numbering, ruleset, stage } = telling;
  const { text, comment } = labelOf(move, numbering, ruleset);
  const deed = onlyDeed(move, telling);
  const effect = effectWords(move) + (deed === undefined ? "" : `: ${effectWords(deed)}`);
  const line = lineOf(move);
  const place = `${via}${move.chain.name} rule ${move.rule + 1} of ${move.chain.rules.length}${printLine(move)}`;
  const step: Step = {
    stage,
    text: `${place}${text === "" ? "" : ` (${text})`} → ${effect}`,
    chain: move.chain.name,
    rule: move.rule + 1,
    ...(line === undefined ? {} : { line }),
    ...(comment === undefined ? {} : { comment }),
  };
  return deed === undefined ? [step, ...tellMoves(move.within, "", telling)] : [step];
}

function tellMoves(moves: readonly Move[], via: string, telling: Telling): readonly Step[] {
  return moves.filter((move) => matters(move, telling)).flatMap((move) => tellMove(move, via, telling));
}

/** A base chain's jump into one of its own is told with what happened there. */
function tellBase(base: NumberedChain, moves: readonly Move[], telling: Telling): readonly Step[] {
  const name = baseName(base);
  const table = name.slice(0, name.length - base.name.length);
  return moves
    .filter((move) => matters(move, telling))
    .flatMap((move) =>
      move.effect.kind === "enter" && onlyDeed(move, telling) === undefined
        ? tellMoves(move.within, `${name} → `, telling)
        : tellMove(move, table, telling),
    );
}

/** The comment nearest to the rule that dropped, rejected or cannot be told, or else where that rule stands. */
function causeOf(moves: readonly Move[], telling: Telling): string | undefined {
  for (const move of moves) {
    const { kind } = move.effect;
    const label = labelOf(move, telling.numbering, telling.ruleset);
    if (kind === "drop" || kind === "reject" || kind === "undecided") {
      const matching = label.text === "" ? "" : ` (${label.text})`;
      return label.comment ?? `${move.chain.name} rule ${move.rule + 1}${printLine(move)}${matching}`;
    }
    const inner = causeOf(move.within, telling);
    if (inner !== undefined) return onlyDeed(move, telling) === undefined ? inner : (label.comment ?? inner);
  }
  return undefined;
}

/** The chains that were gone through without a result. */
function chainsEntered(moves: readonly Move[]): readonly string[] {
  return moves.flatMap(({ effect, within }) =>
    effect.kind === "enter" ? [effect.chain, ...chainsEntered(within)] : chainsEntered(within),
  );
}

/** A Service look-up that found none is worth a line, unless IPVS looks later. */
function tellQuiet(
  base: NumberedChain,
  moves: readonly Move[],
  hook: number,
  telling: Telling,
): readonly Step[] {
  const looksUp = telling.isNat && (hook === HOOK_PREROUTING || hook === HOOK_OUTPUT);
  if (!looksUp || telling.ruleset.ipvs !== undefined) return [];
  const path = [baseName(base), ...chainsEntered(moves)].join(" → ");
  return [{ stage: telling.stage, text: `${path}: no rule translates it`, chain: base.name }];
}

/**
 * What one base chain did: `records` are those of its walk, `end` is its HOOK record. Rules that only led on are
 * told with what they led to; a chain that let the packet pass without a deed leaves no line.
 */
export function tellHook(
  records: readonly TraceRecord[],
  end: TraceRecord,
  numbering: Numbering,
  ruleset: Ruleset,
): HookStory {
  const base = chainNumbered(numbering, end.b);
  const { type, policy } = base;
  const stage = type === "filter" ? "filter" : base.of.tool;
  const telling: Telling = { numbering, ruleset, stage, isNat: type === "nat" };
  const moves = readMoves(records, numbering);
  const steps = tellBase(base, moves, telling);
  if (end.c === 1 && policy === "DROP") {
    const name = baseName(base);
    const fallen: Step = { stage, text: `${name}: no rule decides, policy DROP`, chain: base.name };
    return { steps: [...steps, fallen], cause: `policy of ${name}` };
  }
  const cause = causeOf(moves, telling);
  const told = steps.length === 0 ? tellQuiet(base, moves, end.a, telling) : steps;
  return cause === undefined ? { steps: told } : { steps: told, cause };
}

import type { Family } from "../../net/ip.js";
import type { Match } from "../iptables.js";
import { bang, readInvert } from "../iptables-values.js";
import type { Words } from "../words.js";

/** Those of a union whose kind is, or may be, that one. */
export type OfKind<M, K> = M extends { readonly kind: infer N }
  ? K extends N
    ? M & { kind: K }
    : never
  : never;

/** The matches of one kind. */
export type MatchOf<K extends Match["kind"]> = OfKind<Match, K>;

/** A match module of iptables: what `-m` names. */
export interface MatchModule {
  readonly name: string;
  readonly kinds: readonly Match["kind"][];
  /** Whether a match of these kinds is this module's. */
  lists(match: Match): boolean;
  /** Whether an option is this module's. */
  owns(option: string): boolean;
  /** Reads the options that are its own, up to another word; undefined where it does not know what one says. */
  read(words: Words, family: Family): readonly Match[] | undefined;
  /** Its options, after its name; the inverse of read. Each of the matches follows the one before. */
  print(matches: readonly Match[]): string;
  /** Whether a match may stand behind another in one listing of the module; if not, a second `-m` begins. */
  follows(match: Match, before: Match): boolean;
}

/** An option that is a match by itself. */
export interface MatchOption {
  readonly kind: Match["kind"];
  /** The first is the listing's. */
  readonly names: readonly [string, ...string[]];
  /** False for an option that says all by being there. */
  readonly hasValue: boolean;
  lists(match: Match): boolean;
  read(words: Words, family: Family): Match | undefined;
  print(match: Match): string;
}

/**
 * Describes an option by how what follows it is read (undefined for what is not known) and listed; `when` tells
 * options of one kind apart.
 */
export function option<K extends Match["kind"]>(
  kind: K,
  names: readonly [string, ...string[]],
  read: (words: Words, family: Family) => MatchOf<K> | undefined,
  print: (match: MatchOf<K>) => string,
  when: (match: MatchOf<K>) => boolean = () => true,
): MatchOption {
  const isOfKind = (match: Match): match is MatchOf<K> & Match => match.kind === kind;
  return {
    kind,
    names,
    // What says all by being there reads no words.
    hasValue: read.length > 0,
    lists: (match) => isOfKind(match) && when(match),
    read: (words, family) => read(words, family) as Match | undefined,
    print(match) {
      const value = isOfKind(match) ? print(match) : "";
      return ` ${bang(match)}${names[0]}${value === "" ? "" : ` ${value}`}`;
    },
  };
}

/** The option that comes next, behind a `!` or not. */
function nextOption(words: Words): string {
  return (words.peek() === "!" ? words.peek(1) : words.peek()) ?? "";
}

/** Reads one option; `!` stands before it, or as in old listings before its value if it has one. */
function readOption({ read, hasValue }: MatchOption, words: Words, family: Family): Match | undefined {
  const before = readInvert(words);
  words.next("an option");
  const invert = hasValue ? { ...before, ...readInvert(words) } : before;
  const match = read(words, family);
  return match === undefined ? undefined : ({ ...match, ...invert } as Match);
}

/** A module whose options are matches by themselves, in the order of the listing. */
export function moduleOf(name: string, options: readonly MatchOption[]): MatchModule {
  const byName = new Map(options.flatMap((one) => one.names.map((spelled) => [spelled, one])));
  const rank = (match: Match) => options.findIndex((one) => one.lists(match));
  return {
    name,
    kinds: [...new Set(options.map(({ kind }) => kind))],
    lists: (match) => rank(match) >= 0,
    owns: (spelled) => byName.has(spelled),
    read(words, family) {
      const matches: Match[] = [];
      for (;;) {
        const next = byName.get(nextOption(words));
        if (next === undefined) return matches.sort((a, b) => rank(a) - rank(b));
        const match = readOption(next, words, family);
        if (match === undefined) return undefined;
        matches.push(match);
      }
    },
    print: (matches) => matches.map((match) => options[rank(match)]?.print(match) ?? "").join(""),
    follows: (match, before) => rank(before) < rank(match),
  };
}

/** How each option of a module adds to what is known of its one match; one without a value reads no words. */
export type Fields<D> = Readonly<Record<string, (words: Words, family: Family) => Partial<D>>>;

/** A match of a module with its other options, and `!` where it stood. */
interface WholeModule<K extends Match["kind"], D> {
  readonly name: string;
  readonly kind: K;
  readonly fields: Fields<D>;
  /** Undefined for what is not known. */
  readonly build: (draft: Partial<D>, family: Family) => MatchOf<K> | undefined;
  /** Every option, each with a space before it. */
  readonly print: (match: MatchOf<K>) => string;
}

/** Reads options for as long as they are known; `inverted` if one of them was. */
export function readFields<D>(
  words: Words,
  fields: Fields<D>,
  family: Family,
): { readonly draft: Partial<D>; readonly inverted: boolean } {
  let draft: Partial<D> = {};
  let inverted = false;
  for (;;) {
    const name = nextOption(words);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) return { draft, inverted };
    inverted = words.take("!") || inverted;
    words.next("an option");
    if (field.length > 0) inverted = words.take("!") || inverted;
    draft = { ...draft, ...field(words, family) };
  }
}

/** A module all of whose options make one match. */
export function wholeModule<K extends Match["kind"], D>(whole: WholeModule<K, D>): MatchModule {
  const { name, kind, fields, build, print } = whole;
  return {
    name,
    kinds: [kind],
    lists: (match) => match.kind === kind,
    owns: (spelled) => Object.hasOwn(fields, spelled),
    read(words, family) {
      const { draft, inverted } = readFields(words, fields, family);
      const match = build(draft, family);
      if (match === undefined) return undefined;
      return [(inverted ? { ...match, invert: true } : match) as Match];
    },
    print: (matches) => matches.map((match) => print(match as MatchOf<K>)).join(""),
    follows: () => false,
  };
}

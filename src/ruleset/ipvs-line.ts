import { type IpvsOption, OPTIONS, OTHER_VERBS, VERBS } from "./ipvs-options.js";
import type { Words } from "./words.js";

/** A command or an option, as a word of a line names it. */
export interface Named {
  readonly name: string;
  readonly short?: string;
  readonly value: IpvsOption["value"];
}

const VERB_WORDS: readonly Named[] = Object.entries({ ...VERBS, ...OTHER_VERBS }).map(([name, short]) => {
  return {
    name,
    ...(short === undefined ? {} : { short }),
    value: name.endsWith("-daemon") ? "required" : "none",
  };
});
const WORDS_OF_LINE: readonly Named[] = [...VERB_WORDS, ...OPTIONS];
const BY_LONG = new Map(WORDS_OF_LINE.map((one) => [`--${one.name}`, one]));
const BY_SHORT = new Map(
  WORDS_OF_LINE.flatMap((one) => (one.short === undefined ? [] : [[one.short, one] as const])),
);

/** An option of a line, and its value: empty where it has none. */
export type Given = readonly [named: Named, value: string];

/** The value that is joined to an option, or the next word. */
function takeValue(named: Named, joined: string | undefined, words: Words): string {
  const { name, value } = named;
  if (value === "none") {
    if (joined !== undefined) throw words.refusal(`--${name} takes no value: «${joined}» is one too many.`);
    return "";
  }
  if (joined !== undefined) return joined;
  const isAbsent = words.peek() === undefined || (value === "optional" && words.peek()?.startsWith("-"));
  return value === "optional" && isAbsent ? "" : words.next(`the value of --${name}`);
}

/** `-A`, `-w 5`, `-w5`, `-w=5`, or several without values together: `-At 10.96.0.10:53`. */
function readShort(word: string, words: Words): readonly Given[] {
  const given: Given[] = [];
  for (let rest = word.slice(1); rest !== ""; ) {
    const named = BY_SHORT.get(rest[0] as string);
    if (named === undefined) throw words.refusal(`«-${rest[0]}» is no option of a line that is restored.`);
    rest = rest.slice(1);
    if (named.value === "none") given.push([named, ""]);
    else {
      given.push([named, takeValue(named, rest === "" ? undefined : rest.replace(/^=/, ""), words)]);
      rest = "";
    }
  }
  return given;
}

function readLong(word: string, words: Words): readonly Given[] {
  const [name = "", joined] = word.split(/=(.*)/s, 2);
  const named = BY_LONG.get(name);
  if (named === undefined) throw words.refusal(`«${name}» is no option of a line that is restored.`);
  return [[named, takeValue(named, joined, words)]];
}

/** What a line gives, in its order, and what stands there beside options, as popt reads it. */
export function readGiven(words: Words): {
  readonly given: readonly Given[];
  readonly others: readonly string[];
} {
  const given: Given[] = [];
  const others: string[] = [];
  while (!words.done) {
    const word = words.next("an option");
    if (word === "--") others.push(...words.rest.map((_) => words.next("")));
    else if (word.startsWith("--")) given.push(...readLong(word, words));
    else if (word.startsWith("-") && word !== "-") given.push(...readShort(word, words));
    else others.push(word);
  }
  return { given, others };
}

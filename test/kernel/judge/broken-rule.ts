import type { Call } from "./shell.js";

interface Breakage {
  /** What of the text is replaced, and by what. */
  readonly edits: readonly (readonly [RegExp, string])[];
}

/** Ways in which a rule is made wrong on purpose, in iptables' words and nft's: the judge must notice each. */
const BREAKAGES = {
  dnat: { edits: [[/(--to-destination |dnat to )(\S+):(\d+)/, "$1$2:9"]] },
  masquerade: {
    edits: [
      [/-j MASQUERADE( --random-fully)?/, "-j RETURN"],
      [/masquerade( fully-random)?$/m, "return"],
    ],
  },
  reject: {
    edits: [
      [/-j REJECT( --reject-with \S+)?/, "-j DROP"],
      [/^(\s*)reject$/m, "$1drop"],
    ],
  },
} as const satisfies Record<string, Breakage>;

export type BrokenRule = keyof typeof BREAKAGES;

export const BROKEN_RULES = Object.keys(BREAKAGES) as readonly BrokenRule[];

/** What loads rules, with one rule made wrong. Error where no such rule is loaded. */
export function withBrokenRule(calls: readonly Call[], kind: BrokenRule): Call[] {
  let isBroken = false;
  const broken = calls.map((one) => {
    const { input = "" } = one;
    const edit = isBroken ? undefined : BREAKAGES[kind].edits.find(([what]) => what.test(input));
    isBroken ||= edit !== undefined;
    return edit === undefined ? one : { ...one, input: input.replace(edit[0], edit[1]) };
  });
  if (!isBroken) throw new Error(`No rule of kind ${kind} is there to be broken.`);
  return broken;
}

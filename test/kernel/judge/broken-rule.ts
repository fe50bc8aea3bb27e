import type { Call } from "./shell.js";

interface Breakage {
  /** What of the text is replaced, and by what. */
  readonly edits: readonly (readonly [RegExp, string])[];
}

/**
 * Ways in which a rule is made wrong on purpose, in the words of iptables, nft and ipvsadm: the judge must notice each.
 * Rules of Services that every trial asks are taken where there are any.
 */
const BREAKAGES = {
  dnat: {
    edits: [
      [/(shop\/even.*--to-destination \S+):\d+/, "$1:9"],
      [/(endpoint-\w+-shop\/even[^}]*dnat to \S+):\d+/, "$1:9"],
      // A scheduler may send all to one of them.
      [/(-a -t 10\.96\.0\.250:80 -r \S+):\d+/g, "$1:9"],
    ],
  },
  masquerade: {
    edits: [
      [/-j MASQUERADE --random-fully/, "-j RETURN"],
      [/masquerade fully-random$/m, "return"],
    ],
  },
  draw: {
    edits: [
      [/(-j MASQUERADE) --random-fully/, "$1"],
      [/(masquerade) fully-random$/m, "$1"],
    ],
  },
  reject: {
    edits: [
      [/(shop\/none.*)-j REJECT( --reject-with \S+)?/, "$1-j DROP"],
      [/^(\s*)reject$/m, "$1drop"],
      [/-j REJECT( --reject-with \S+)?/, "-j DROP"],
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
    const edit = isBroken ? undefined : BREAKAGES[kind].edits.find(([what]) => input.search(what) >= 0);
    isBroken ||= edit !== undefined;
    return edit === undefined ? one : { ...one, input: input.replace(edit[0], edit[1]) };
  });
  if (!isBroken) throw new Error(`No rule of kind ${kind} is there to be broken.`);
  return broken;
}

import { FULL_MASK, parseMark, printHex, printMasked, readMasked } from "../iptables-values.js";
import type { Words } from "../words.js";
import { type TargetExtension, type TargetOf, target } from "./target-extension.js";

/** How a mark changes: (mark & ~mask) ^ value. */
interface Change {
  readonly value: number;
  readonly mask: number;
}

const readBits = (words: Words) => words.read("a mark", parseMark);

/** Every way to write one change of a mark; the listing has the first. */
const CHANGES = {
  "--set-xmark": (words: Words): Change => {
    const [value, mask] = readMasked(words, "a mark and its mask");
    return { value, mask };
  },
  "--set-mark": (words: Words): Change => {
    const [value, mask] = readMasked(words, "a mark and its mask");
    return { value, mask: (value | mask) >>> 0 };
  },
  "--and-mark": (words: Words): Change => ({ value: 0, mask: ~readBits(words) >>> 0 }),
  "--or-mark": (words: Words): Change => {
    const bits = readBits(words);
    return { value: bits, mask: bits };
  },
  "--xor-mark": (words: Words): Change => ({ value: readBits(words), mask: 0 }),
};

const printChange = ({ value, mask }: Change) => ` --set-xmark ${printMasked(value, mask)}`;

const MARK = target<"mark", Change>("MARK", ["mark"], {
  fields: CHANGES,
  build: ({ value, mask }) =>
    value === undefined || mask === undefined ? undefined : { kind: "mark", value, mask },
  print: printChange,
});

interface Connmark extends Change {
  readonly op: "save" | "restore";
  readonly nfmask: number;
  readonly ctmask: number;
}

type ConnmarkKind = "connmark" | "connmark-save" | "connmark-restore";

function buildConnmark(draft: Partial<Connmark>): TargetOf<ConnmarkKind> | undefined {
  const { op, value, mask, nfmask = FULL_MASK, ctmask = FULL_MASK } = draft;
  if (op !== undefined) return { kind: `connmark-${op}`, nfmask, ctmask };
  return value === undefined || mask === undefined ? undefined : { kind: "connmark", value, mask };
}

const CONNMARK = target<ConnmarkKind, Connmark>(
  "CONNMARK",
  ["connmark", "connmark-save", "connmark-restore"],
  {
    fields: {
      ...CHANGES,
      "--save-mark": () => ({ op: "save" }),
      "--restore-mark": () => ({ op: "restore" }),
      "--nfmask": (words) => ({ nfmask: readBits(words) }),
      "--ctmask": (words) => ({ ctmask: readBits(words) }),
      "--mask": (words) => {
        const mask = readBits(words);
        return { nfmask: mask, ctmask: mask };
      },
    },
    build: buildConnmark,
    print: (one) =>
      one.kind === "connmark"
        ? printChange(one)
        : ` --${one.kind.slice("connmark-".length)}-mark --nfmask ${printHex(one.nfmask)} --ctmask ${printHex(one.ctmask)}`,
  },
);

export const MARK_TARGETS: readonly TargetExtension[] = [MARK, CONNMARK];

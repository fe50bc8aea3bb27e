import type { Family } from "../net/ip.js";
import { CHANGE_TARGETS } from "./extension/changes.js";
import { MARK_TARGETS } from "./extension/marks.js";
import { NAT_TARGETS } from "./extension/nat.js";
import type { TargetExtension } from "./extension/target-extension.js";
import { VERDICT_TARGETS } from "./extension/verdicts.js";
import type { Target } from "./iptables.js";
import type { Words } from "./words.js";

const ALL = [...VERDICT_TARGETS, ...NAT_TARGETS, ...MARK_TARGETS, ...CHANGE_TARGETS];

const BY_NAME = new Map(ALL.map((extension) => [extension.name, extension]));

const BY_KIND = new Map<Target["kind"], readonly TargetExtension[]>();
for (const extension of ALL)
  for (const kind of extension.kinds) BY_KIND.set(kind, [...(BY_KIND.get(kind) ?? []), extension]);

/** ` -j DNAT --to-destination 10.244.1.7:8080`; nothing for a rule that only counts. */
export function printTarget(target: Target | undefined): string {
  if (target === undefined) return "";
  if (target.kind === "jump") return ` -j ${target.chain}`;
  if (target.kind === "goto") return ` -g ${target.chain}`;
  if (target.kind === "unknown") return ` ${target.text}`;
  const extension = BY_KIND.get(target.kind)?.find((one) => one.lists(target));
  return extension === undefined ? "" : ` -j ${extension.name}${extension.print(target)}`;
}

/** Takes the rest of the line as text: nothing is known of what it does. */
function readUnknown(words: Words, start: number, name: string): Target {
  while (!words.done) words.next("an option");
  return { kind: "unknown", name, text: words.textSince(start) };
}

function readJump(words: Words, family: Family, chains: ReadonlyMap<string, unknown>, start: number): Target {
  const name = words.next("a target");
  if (chains.has(name)) return { kind: "jump", chain: name };
  const target = BY_NAME.get(name)?.read(words, family);
  return target === undefined || !words.done ? readUnknown(words, start, name) : target;
}

/** Reads the rest of a rule's line; `chains` are those of its table. The inverse of printTarget. */
export function readTarget(
  words: Words,
  family: Family,
  chains: ReadonlyMap<string, unknown>,
): Target | undefined {
  if (words.done) return undefined;
  const start = words.position;
  if (words.take("-j") || words.take("--jump")) return readJump(words, family, chains, start);
  words.next("-g");
  const chain = words.read("a chain of this table", (word) => (chains.has(word) ? word : undefined));
  if (!words.done) throw words.refusal(`«${words.next("")}» stands behind the chain.`);
  return { kind: "goto", chain };
}

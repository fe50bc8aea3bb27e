import type { Family } from "../../net/ip.js";
import type { RejectKind } from "../iptables.js";
import { WATCHERS } from "../iptables-targets.js";
import { printString } from "../iptables-values.js";
import { type TargetExtension, type TargetOf, target } from "./target-extension.js";

/** What REJECT answers with, as listed and by its shorter name. */
const REFUSALS: Readonly<Record<Family, Readonly<Record<string, RejectKind>>>> = {
  4: {
    "net-unreach": "icmp-net-unreachable",
    "host-unreach": "icmp-host-unreachable",
    "proto-unreach": "icmp-proto-unreachable",
    "port-unreach": "icmp-port-unreachable",
    "net-prohib": "icmp-net-prohibited",
    "host-prohib": "icmp-host-prohibited",
    "admin-prohib": "icmp-admin-prohibited",
    "tcp-rst": "tcp-reset",
  },
  6: {
    "no-route": "icmp6-no-route",
    "adm-prohibited": "icmp6-adm-prohibited",
    "addr-unreach": "icmp6-addr-unreachable",
    "port-unreach": "icmp6-port-unreachable",
    "policy-fail": "icmp6-policy-fail",
    "reject-route": "icmp6-reject-route",
    "tcp-rst": "tcp-reset",
  },
};

function parseRefusal(word: string, family: Family): RejectKind | undefined {
  const known = REFUSALS[family];
  return known[word] ?? Object.values(known).find((kind) => kind === word);
}

type RejectTarget = TargetOf<"reject">;

/** The listing spells the tool's own default out; rules written by hand may not. */
const REJECT = target<"reject", RejectTarget>("REJECT", ["reject"], {
  fields: {
    "--reject-with": (words, family) => ({
      with: words.read("a kind of refusal", (word) => parseRefusal(word, family)),
    }),
  },
  build: (draft, family) => ({
    kind: "reject",
    with: draft.with ?? (family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable"),
  }),
  print: (one) => ` --reject-with ${one.with}`,
});

function verdict(kind: "accept" | "drop" | "return"): TargetExtension {
  return target<"accept" | "drop" | "return", object>(kind.toUpperCase(), [kind], {
    fields: {},
    build: () => ({ kind }),
    print: () => "",
  });
}

/** Prefixes of log lines are listed as strings; other words only where they would be none bare. */
function printOptions(options: readonly string[]): string {
  const isString = (word: string, index: number) =>
    options[index - 1]?.endsWith("-prefix") || /^$|[\s"]/.test(word);
  return options.map((word, index) => ` ${isString(word, index) ? printString(word) : word}`).join("");
}

/** A target that takes note of a packet: its options are kept as words. */
function watcher(name: (typeof WATCHERS)[number]): TargetExtension {
  return {
    name,
    kinds: ["watch"],
    lists: (one) => one.kind === "watch" && one.name === name,
    read(words) {
      const options: string[] = [];
      while (!words.done) options.push(words.next("an option"));
      return { kind: "watch", name, options };
    },
    print: (one) => (one.kind === "watch" ? printOptions(one.options) : ""),
  };
}

/** Targets that end a packet's way through a chain, and those that only look on. */
export const VERDICT_TARGETS: readonly TargetExtension[] = [
  verdict("accept"),
  verdict("drop"),
  verdict("return"),
  REJECT,
  ...WATCHERS.map(watcher),
];

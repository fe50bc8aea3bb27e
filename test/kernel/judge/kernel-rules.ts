import { printIpSets } from "../../../src/ruleset/ipset.js";
import { printIptables } from "../../../src/ruleset/iptables-text.js";
import { printIpvs } from "../../../src/ruleset/ipvs.js";
import { printNft } from "../../../src/ruleset/nft-listing.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { callIn } from "./shell.js";

/** Which of iptables' two implementations loads the rules. */
export type Backend = "legacy" | "nft";

/** A ruleset's text as the kernel's tools read it, and the tool of each part. */
export interface RuleText {
  readonly program: string;
  readonly words: readonly string[];
  readonly text: string;
}

/** The parts of a ruleset that the kernel's tools load, in the order in which they are needed. */
export function textsOf(ruleset: Ruleset, backend: Backend): RuleText[] {
  const { ipsets, ipvs, iptables, ip6tables, nftables, nftables6 } = ruleset;
  const texts: RuleText[] = [];
  const add = (program: string, words: readonly string[], text: string) =>
    texts.push({ program, words, text });
  if (ipsets !== undefined) add("ipset", ["restore"], printIpSets(ipsets));
  if (iptables !== undefined) add(`iptables-${backend}-restore`, [], printIptables(iptables));
  if (ip6tables !== undefined) add(`ip6tables-${backend}-restore`, [], printIptables(ip6tables));
  if (ipvs !== undefined) add("ipvsadm", ["--restore"], printIpvs(ipvs));
  for (const table of [nftables, nftables6]) {
    if (table !== undefined) add("nft", ["-f", "-"], printNft(table));
  }
  return texts;
}

/** Loads them. Error with what a tool complained of. */
export function loadRules(space: string, texts: readonly RuleText[]): void {
  for (const { program, words, text } of texts) callIn(space, program, words, text);
}

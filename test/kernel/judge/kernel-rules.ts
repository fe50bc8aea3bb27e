import { printIpSets } from "../../../src/ruleset/ipset.js";
import { printIptables } from "../../../src/ruleset/iptables-text.js";
import { printIpvs } from "../../../src/ruleset/ipvs-save.js";
import { printNft } from "../../../src/ruleset/nft-listing.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import type { Call } from "./shell.js";

/** Which of iptables' two implementations loads the rules. */
export type Backend = "legacy" | "nft";

/** What loads the parts of a ruleset, in the order in which they are needed. */
export function loading(ruleset: Ruleset, backend: Backend): Call[] {
  const { ipsets, ipvs, iptables, ip6tables, nftables, nftables6 } = ruleset;
  const texts: Call[] = [];
  const add = (program: string, words: readonly string[], input: string) =>
    texts.push({ program, words, input });
  if (ipsets !== undefined) add("ipset", ["restore"], printIpSets(ipsets));
  if (iptables !== undefined) add(`iptables-${backend}-restore`, [], printIptables(iptables));
  if (ip6tables !== undefined) add(`ip6tables-${backend}-restore`, [], printIptables(ip6tables));
  if (ipvs !== undefined) add("ipvsadm", ["--restore"], printIpvs(ipvs));
  for (const table of [nftables, nftables6]) {
    if (table !== undefined) add("nft", ["-f", "-"], printNft(table));
  }
  return texts;
}

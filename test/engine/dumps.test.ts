import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { ruleDoubt } from "../../src/engine/entries/iptables.js";
import { type Family, type Ip, parseIp, printIp } from "../../src/net/ip.js";
import { printHostPort } from "../../src/net/port.js";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { Rule } from "../../src/ruleset/iptables.js";
import { rulesetFromDump } from "../../src/ruleset/node-dump.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { SHARED } from "../shared-folder.js";
import { skipWithout } from "../skipped.js";

const FOLDER = join(SHARED, "data", "iptables");
const NO_LISTING = /^istio-cni-nftables\/|\.Ln\.(FWD|INP)\.(lower|upper)\.txt$/;

function listings(): readonly string[] {
  if (!existsSync(FOLDER)) return [];
  const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.(txt|dump)$/.test(name) && !NO_LISTING.test(name)).sort();
}

const SOCKET = "whose socket a packet is of is known to the node alone";
const ZONE = "zones of connections are not modelled";
const RATE = "rates are not kept";
const RECENT = "of a recent address the last 8 times are remembered";
const REWRITE = "the header is rewritten in a way that is not modelled";
const BRIDGE = "which port of a bridge a packet passes is not modelled";
const COUNTED = "connections are not counted by address";
const UNKNOWN = "the match is not known";
const SET = "the set is not given";

/** Of all rules of all listings, those of which some packets are undecided, by the reason. */
const DOUBTS: Readonly<Record<string, number>> = {
  [SOCKET]: 212,
  [ZONE]: 54,
  [SET]: 46,
  [RATE]: 22,
  [UNKNOWN]: 4,
  [REWRITE]: 3,
  [RECENT]: 2,
  [BRIDGE]: 2,
  [COUNTED]: 1,
};

function rulesetOf(name: string): Ruleset {
  const path = join(FOLDER, name);
  return rulesetFromDump({ "iptables-save": { file: name, text: readFileSync(path, "utf8") } });
}

function rulesOf({ iptables, ip6tables }: Ruleset): readonly Rule[] {
  const tables = [...(iptables?.tables ?? []), ...(ip6tables?.tables ?? [])];
  return tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules));
}

function doubtOf(rule: Rule): string | undefined {
  return ruleDoubt(rule) ?? (rule.matches.some(({ kind }) => kind === "set") ? SET : undefined);
}

/** Addresses that rules name, and others. */
function addressesIn(ruleset: Ruleset, family: Family): readonly Ip[] {
  const named = rulesOf(ruleset).flatMap(({ matches }) =>
    matches.flatMap((match) => ("prefix" in match ? [match.prefix.address] : [])),
  );
  const own = ruleset.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address));
  const others = ["198.51.100.9", "10.0.0.7", "2001:db8::9", "fd00::7"].map((text) => parseIp(text) as Ip);
  const isOfFamily = (ip: Ip) => typeof ip === (family === 4 ? "number" : "bigint");
  return [...named, ...own, ...others].filter(isOfFamily);
}

/** Any packet between such addresses. */
function frameBetween(addresses: readonly Ip[]): fc.Arbitrary<Uint8Array> {
  const end = fc.record({
    address: fc.constantFrom(...addresses),
    port: fc.constantFrom(22, 53, 80, 443, 15001, 15008, 40000),
  });
  const kind = fc.constantFrom("S", "S", "S", "A", "F", "", "udp", "udp", "icmp");
  return fc.tuple(end, end, kind).map(([from, to, what]) => {
    if (what === "icmp") return icmpEcho(printIp(from.address), printIp(to.address));
    const ends = [printHostPort(from.address, from.port), printHostPort(to.address, to.port)] as const;
    return what === "udp" ? udp(...ends) : tcp(...ends, { flags: what });
  });
}

/** Runs packets of a family by every interface and the node itself; the verdicts, each rule that is undecided looked at. */
async function runAll(ruleset: Ruleset, family: Family): Promise<readonly string[]> {
  const engine = await Engine.load(ruleset, { connections: 1024 });
  const frames = fc.sample(frameBetween(addressesIn(ruleset, family)), { numRuns: 300, seed: 1 });
  const batch = engine.batch(frames.length);
  const inNumbers = ruleset.interfaces.length + 1;
  for (const [index, frame] of frames.entries()) batch.set(index, frame, index % inNumbers);
  engine.run(batch, 1);
  return frames.map((_, index) => {
    if (batch.reason(index) === "UNDECIDED") {
      const chain = engine.numbering.chains[batch.outs[index] ?? 0];
      const rule = chain?.rules[batch.nextHops[index] ?? 0] as Rule | undefined;
      expect(rule && doubtOf(rule), `${chain?.name} ${batch.nextHops[index]}`).toBeDefined();
    }
    return `${batch.verdict(index)} ${batch.reason(index)}`;
  });
}

describe("dumps of real nodes", () => {
  const names = listings();
  skipWithout(names, FOLDER);

  it.skipIf(names.length === 0)("are understood rule by rule, but for reasons that are known", () => {
    const seen = new Map<string, number>();
    for (const doubt of names.flatMap((name) =>
      rulesOf(rulesetOf(name)).flatMap((rule) => doubtOf(rule) ?? []),
    ))
      seen.set(doubt, (seen.get(doubt) ?? 0) + 1);
    expect(Object.fromEntries(seen)).toEqual(DOUBTS);
  });

  it.each(names)("%s judges packets, and says which rule it cannot ask", async (name) => {
    const ruleset = rulesetOf(name);
    const families = [...(ruleset.iptables ? [4 as const] : []), ...(ruleset.ip6tables ? [6 as const] : [])];
    for (const family of families) {
      const verdicts = await runAll(ruleset, family);
      expect(new Set(verdicts).size).toBeGreaterThan(1);
    }
  });
});

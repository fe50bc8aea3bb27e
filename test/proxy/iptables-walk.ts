import type { Ip } from "../../src/net/ip.js";
import { type Protocol, printHostPort } from "../../src/net/port.js";
import { prefixContains } from "../../src/net/prefix.js";
import type { Iptables, Match, Rule, Target } from "../../src/ruleset/iptables.js";

/** The first packet of a connection, on its way into the node. */
export interface FirstPacket {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: Protocol;
  readonly dport: number;
  /** Made on the node itself: goes through OUTPUT instead of PREROUTING. */
  readonly fromNode?: boolean;
  /** What it comes in by; default an interface that no rule names. */
  readonly iif?: string;
}

/** One of the packet's possible ways. */
interface Way extends FirstPacket {
  readonly probability: number;
  readonly mark: number;
  readonly masquerade: boolean;
  readonly end?: "DROP" | "REJECT";
}

/** "on": with the next rule; "return": with the next rule of the chain that jumped here. */
type Verdict = "on" | "return" | "accept" | "end";

/**
 * Walks a packet through nat and filter as the kernel does, rule by rule, down both branches of every random
 * match. Gives where it ends (`10.244.1.9:8080`, with `masquerade` after it, or DROP or REJECT) and how
 * probably. Slow and meant to be right by inspection.
 */
export function walk(
  iptables: Iptables,
  packet: FirstPacket,
  local: readonly Ip[],
): ReadonlyMap<string, number> {
  const chains = (table: string) => {
    const found = iptables.tables.find(({ name }) => name === table);
    return new Map(found?.chains.map((chain) => [chain.name, chain.rules]));
  };
  const [nat, filter] = [chains("nat"), chains("filter")];
  const run = (table: ReadonlyMap<string, readonly Rule[]>, hook: string, ways: readonly Way[]) =>
    ways.flatMap((way) =>
      way.end ? [way] : runRules(table, table.get(hook) ?? [], way, local).map(([next]) => next),
    );
  const here = (way: Way) => local.includes(way.dst);
  let ways: readonly Way[] = [{ ...packet, probability: 1, mark: 0, masquerade: false }];
  ways = run(nat, packet.fromNode ? "OUTPUT" : "PREROUTING", ways);
  if (packet.fromNode) ways = run(filter, "OUTPUT", ways);
  else
    ways = [
      ...run(filter, "INPUT", ways.filter(here)),
      ...run(
        filter,
        "FORWARD",
        ways.filter((way) => !here(way)),
      ),
    ];
  ways = run(nat, "POSTROUTING", ways);
  const ends = new Map<string, number>();
  for (const way of ways) ends.set(printEnd(way), (ends.get(printEnd(way)) ?? 0) + way.probability);
  return ends;
}

function printEnd(way: Way): string {
  if (way.end) return way.end;
  return printHostPort(way.dst, way.dport) + (way.masquerade ? " masquerade" : "");
}

function runRules(
  chains: ReadonlyMap<string, readonly Rule[]>,
  rules: readonly Rule[],
  way: Way,
  local: readonly Ip[],
): readonly (readonly [Way, Verdict])[] {
  const [rule, ...rest] = rules;
  if (rule === undefined) return [[way, "on"]];
  const random = rule.matches.find((match) => match.kind === "statistic");
  const chance = random?.kind === "statistic" ? random.threshold / 2 ** 31 : 1;
  if (!rule.matches.every((match) => matches(match, way, local))) return runRules(chains, rest, way, local);
  const hit = follow(chains, rule.target, { ...way, probability: way.probability * chance }, local).flatMap(
    ([next, verdict]) =>
      verdict === "on" ? runRules(chains, rest, next, local) : [[next, verdict] as const],
  );
  if (chance === 1) return hit;
  return [...hit, ...runRules(chains, rest, { ...way, probability: way.probability * (1 - chance) }, local)];
}

function follow(
  chains: ReadonlyMap<string, readonly Rule[]>,
  target: Target | undefined,
  way: Way,
  local: readonly Ip[],
): readonly (readonly [Way, Verdict])[] {
  switch (target?.kind) {
    case undefined:
      return [[way, "on"]];
    case "accept":
      return [[way, "accept"]];
    case "drop":
      return [[{ ...way, end: "DROP" }, "end"]];
    case "reject":
      return [[{ ...way, end: "REJECT" }, "end"]];
    case "return":
      return [[way, "return"]];
    case "mark":
      return [[{ ...way, mark: (way.mark & ~target.mask) ^ target.value }, "on"]];
    case "dnat":
      return [[{ ...way, dst: target.address, dport: target.port }, "accept"]];
    case "masquerade":
      return [[{ ...way, masquerade: true }, "accept"]];
    case "jump": {
      const rules = chains.get(target.chain);
      if (rules === undefined) throw new Error(`no chain ${target.chain}`);
      return runRules(chains, rules, way, local).map(([next, verdict]) =>
        verdict === "return" ? [next, "on"] : [next, verdict],
      );
    }
    default:
      throw new Error(`kube-proxy's iptables rules have no ${target?.kind}`);
  }
}

function matches(match: Match, way: Way, local: readonly Ip[]): boolean {
  const hit = hits(match, way, local);
  return "invert" in match && match.invert ? !hit : hit;
}

function hits(match: Match, way: Way, local: readonly Ip[]): boolean {
  switch (match.kind) {
    case "protocol":
      return match.protocol === way.protocol;
    case "source":
      return prefixContains(match.prefix, way.src);
    case "in-interface":
      return match.name.endsWith("+")
        ? (way.iif ?? "").startsWith(match.name.slice(0, -1))
        : way.iif === match.name;
    case "destination":
      return prefixContains(match.prefix, way.dst);
    case "dport":
      return match.from <= way.dport && way.dport <= match.to;
    case "mark":
      return (way.mark & match.mask) === match.value;
    case "ctstate":
      return match.states.includes("NEW");
    case "addrtype":
      return local.includes(match.side === "src" ? way.src : way.dst);
    case "statistic":
      return true;
    default:
      throw new Error(`${match.kind} is not walked`);
  }
}

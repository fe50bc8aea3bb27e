import { familyOf, type Ip } from "../../src/net/ip.js";
import { printHostPort } from "../../src/net/port.js";
import { prefixContains } from "../../src/net/prefix.js";
import type { NftChain, NftRule, NftStatement, NftTable, NftVerdict } from "../../src/ruleset/nftables.js";
import type { FirstPacket } from "./iptables-walk.js";

/** As the walker of iptables, with what sets know of it. */
export interface Walker extends FirstPacket {
  /** The affinity sets that hold its source. */
  readonly heldIn?: readonly string[];
}

interface State extends Walker {
  readonly mark: number;
  readonly masquerade: boolean;
}

/** What became of one of the packet's possible ways. */
type End = { readonly end: "DROP" | "REJECT"; readonly state: State } | { readonly state: State };

type Chains = ReadonlyMap<string, NftChain>;

/**
 * Walks a packet through the table as the kernel does, statement by statement, down every branch of numgen.
 * Slow and meant to be right by inspection: verdicts are followed by a stack of what is left to run.
 */
export function walk(table: NftTable, packet: Walker, local: readonly Ip[]): readonly string[] {
  const hooks = packet.fromNode ? ["output"] : ["prerouting"];
  const start: State = { ...packet, mark: 0, masquerade: false };
  let ends: readonly End[] = [{ state: start }];
  const at = (hook: string, from: number, to: number) =>
    table.chains
      .filter(({ base }) => base?.hook === hook && base.priority >= from && base.priority < to)
      .sort((a, b) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0));
  const run = (chains: readonly NftChain[]) => {
    for (const chain of chains) {
      ends = ends.flatMap((way) => ("end" in way ? [way] : runChain(table, chain, way.state, local)));
    }
  };
  // Up to and with destination NAT; then routing decides between INPUT and FORWARD.
  run(at(hooks[0] ?? "", -1000, -99));
  if (packet.fromNode) run(at("output", -99, 1000));
  else {
    const before = ends;
    const here = (way: End) => local.includes(way.state.dst);
    ends = before.filter(here);
    run(at("input", -1000, 1000));
    const input = ends;
    ends = before.filter((way) => !here(way));
    run(at("forward", -1000, 1000));
    ends = [...input, ...ends];
  }
  run(at("postrouting", -1000, 1000));
  return [...new Set(ends.map(printEnd))].sort();
}

function printEnd(way: End): string {
  if ("end" in way) return way.end;
  const to = printHostPort(way.state.dst, way.state.dport);
  return way.state.masquerade ? `${to} masquerade` : to;
}

function runChain(table: NftTable, chain: NftChain, state: State, local: readonly Ip[]): readonly End[] {
  const chains: Chains = new Map(table.chains.map((known) => [known.name, known]));
  return runRules(table, chains, [chain.rules], state, local);
}

/** `stack`: the rules still to run in this chain, and below it those of the chains that jumped here. */
function runRules(
  table: NftTable,
  chains: Chains,
  stack: readonly (readonly NftRule[])[],
  state: State,
  local: readonly Ip[],
): readonly End[] {
  const [rules, ...below] = stack;
  if (rules === undefined) return [{ state }];
  const [rule, ...rest] = rules;
  if (rule === undefined) return runRules(table, chains, below, state, local);
  let now = state;
  for (const statement of rule.statements) {
    const outcome = execute(table, statement, now, local);
    if (outcome === "no match") return runRules(table, chains, [rest, ...below], now, local);
    if ("state" in outcome) now = outcome.state;
    else if ("reject" in outcome) return [{ end: "REJECT", state: now }];
    else {
      return outcome.verdicts.flatMap((verdict) =>
        follow(table, chains, verdict, [rest, ...below], now, local),
      );
    }
  }
  // dnat and masquerade end the walk through the hook's chains.
  const ends = rule.statements.some(({ kind }) => kind === "dnat" || kind === "masquerade");
  return ends ? [{ state: now }] : runRules(table, chains, [rest, ...below], now, local);
}

/** `stack` begins with what is left of the chain in which the verdict stands. */
function follow(
  table: NftTable,
  chains: Chains,
  verdict: NftVerdict,
  stack: readonly (readonly NftRule[])[],
  state: State,
  local: readonly Ip[],
): readonly End[] {
  if (verdict.kind === "accept") return [{ state }];
  if (verdict.kind === "drop") return [{ end: "DROP", state }];
  const below = stack.slice(1);
  if (verdict.kind === "jump" || verdict.kind === "goto") {
    const chain = chains.get(verdict.chain);
    if (chain === undefined) throw new Error(`no chain ${verdict.chain}`);
    const next = verdict.kind === "jump" ? stack : below;
    return runRules(table, chains, [chain.rules, ...next], state, local);
  }
  return runRules(table, chains, verdict.kind === "continue" ? stack : below, state, local);
}

/** `cali*` is every interface whose name begins so. */
function isNamed(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

type Outcome =
  | "no match"
  | { readonly state: State }
  | { readonly verdicts: readonly NftVerdict[] }
  | { readonly reject: true };

function execute(table: NftTable, statement: NftStatement, state: State, local: readonly Ip[]): Outcome {
  const matches = (hit: boolean, invert = false): Outcome => (hit !== invert ? { state } : "no match");
  const side = (which: "saddr" | "daddr") => (which === "saddr" ? state.src : state.dst);
  switch (statement.kind) {
    case "match-address": {
      const address = side(statement.side);
      return matches(
        statement.prefixes.some((prefix) => prefixContains(prefix, address)),
        statement.invert,
      );
    }
    case "match-address-set": {
      const set = table.sets.find(({ name }) => name === statement.set);
      if (set === undefined) throw new Error(`no set ${statement.set}`);
      if (set.dynamic !== undefined) return matches(state.heldIn?.includes(set.name) ?? false);
      return matches(
        set.addresses.some(({ address }) => address === side(statement.side)),
        statement.invert,
      );
    }
    case "match-protocol":
      return matches(statement.protocol === state.protocol, statement.invert);
    case "match-dport":
      return matches(statement.port === state.dport, statement.invert);
    case "match-ctstate":
      return matches(statement.states.includes("new"));
    case "match-mark":
      return matches((state.mark & statement.mask) === statement.value, statement.invert);
    case "match-fib-local":
      return matches(local.includes(side(statement.side)), statement.invert);
    case "match-interface":
      return matches(isNamed(statement.name, state.fromNode ? "" : (state.iif ?? "eth9")), statement.invert);
    case "vmap": {
      const map = table.maps.find(({ name }) => name === statement.map);
      if (map?.key !== statement.key) throw new Error(`no map ${statement.map} of that key`);
      const found = map.elements.find(
        ({ address, protocol, port }) =>
          (address ?? state.dst) === state.dst && protocol === state.protocol && port === state.dport,
      );
      return found === undefined ? "no match" : { verdicts: [found.verdict] };
    }
    case "numgen-vmap":
      return { verdicts: statement.chains.map((chain) => ({ kind: "goto", chain })) };
    case "set-mark":
      return {
        state: {
          ...state,
          mark: statement.op === "or" ? state.mark | statement.value : state.mark ^ statement.value,
        },
      };
    case "dnat": {
      if (statement.protocol !== state.protocol) return "no match";
      if (familyOf(statement.address) !== familyOf(state.dst)) throw new Error("DNAT to another family");
      return { state: { ...state, dst: statement.address, dport: statement.port } };
    }
    case "masquerade":
      return { state: { ...state, masquerade: true } };
    case "reject":
      return { reject: true };
    case "update-set": {
      const set = table.sets.find(({ name }) => name === statement.set);
      if (set?.dynamic === undefined) throw new Error(`no set ${statement.set} that rules fill`);
      return { state };
    }
    case "verdict":
      return { verdicts: [statement.verdict] };
  }
}

import {
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  MATCH_CLIENT,
  MATCH_CTSTATE,
  MATCH_LOCAL,
  MATCH_MARK,
  MATCH_NOTE,
  MATCH_PORTS,
  MATCH_SET,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_NUMGEN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../../assembly/abi/entry.js";
import { KEY_DST, KEY_DST_PROTO_DPORT, KEY_PROTO_DPORT, KEY_SRC } from "../../../assembly/abi/rule.js";
import { PROTOCOL_NUMBER } from "../../net/port.js";
import type { NftRule, NftStatement, NftVerdict } from "../../ruleset/nftables.js";
import { addInterface, interfacesNamed } from "./interfaces.js";
import type { RuleDraft } from "./rules.js";
import { isClients, type Scope } from "./scope.js";

const CTSTATES = {
  new: CTSTATE_NEW,
  established: CTSTATE_ESTABLISHED,
  related: CTSTATE_RELATED,
  invalid: CTSTATE_INVALID,
} as const;

const VERDICTS = {
  accept: TARGET_ACCEPT,
  drop: TARGET_DROP,
  return: TARGET_RETURN,
  continue: TARGET_NONE,
  jump: TARGET_JUMP,
  goto: TARGET_GOTO,
} as const;

/** A verdict word: TARGET code and, for jump and goto, the chain. Never 0: that is no element in a map. */
export function verdictWord(verdict: NftVerdict, scope: Scope): number {
  const chain = "chain" in verdict ? scope.chainNumber(verdict.chain) : 1;
  return (VERDICTS[verdict.kind] | (chain << WORD_CHAIN_SHIFT)) >>> 0;
}

/** One prefix is the rule's own field, a list a further match. */
function addPrefixes(
  draft: RuleDraft,
  { side, prefixes }: Extract<NftStatement, { kind: "match-address" }>,
  invert: boolean,
): RuleDraft {
  const [only] = prefixes;
  const isSrc = side === "saddr";
  if (only === undefined || prefixes.length > 1) return draft.prefixes(isSrc, invert, prefixes);
  return isSrc ? draft.src(only, invert) : draft.dst(only, invert);
}

const keyOf = (side: "saddr" | "daddr") => (side === "saddr" ? KEY_SRC : KEY_DST);

/** Where the set is full the rule ends there: it matches, as it were, what it can note. */
function addNote(draft: RuleDraft, name: string, side: "saddr" | "daddr", scope: Scope): RuleDraft {
  const set = scope.setOf(name);
  if (!isClients(set))
    throw new TypeError(`Rules fill set ${name}: give it the flags dynamic,timeout and a timeout.`);
  return draft.list(MATCH_NOTE, false, [set.number, set.timeout, keyOf(side)], [set.size]);
}

/** Adds a statement that matches; undefined for one that acts. */
function addMatch(draft: RuleDraft, statement: NftStatement, scope: Scope): RuleDraft | undefined {
  const invert = "invert" in statement && statement.invert === true;
  switch (statement.kind) {
    case "match-address":
      return addPrefixes(draft, statement, invert);
    case "match-address-set": {
      const set = scope.setOf(statement.set);
      const key = keyOf(statement.side);
      if (isClients(set)) return draft.match(MATCH_CLIENT, invert, set.number, set.timeout, key);
      return draft.match(MATCH_SET, invert, set.number, key);
    }
    case "update-set":
      return addNote(draft, statement.set, statement.side, scope);
    case "match-protocol":
      return draft.protocol(PROTOCOL_NUMBER[statement.protocol], invert);
    case "match-dport":
      if (!draft.hasProtocol) draft.match(MATCH_PORTS, false);
      return draft.dport(statement.port, statement.port, invert);
    case "match-ctstate": {
      const bits = statement.states.reduce((all, state) => all | CTSTATES[state], 0);
      return draft.match(MATCH_CTSTATE, false, bits);
    }
    case "match-mark":
      return draft.match(MATCH_MARK, invert, statement.value, statement.mask);
    case "match-fib-local":
      return draft.match(MATCH_LOCAL, invert, statement.side === "saddr" ? 0 : 1);
    case "match-interface": {
      const wanted = interfacesNamed(statement.name, "*");
      return addInterface(draft, statement.side === "iifname", invert, wanted, scope);
    }
    default:
      return undefined;
  }
}

function addAction(draft: RuleDraft, statement: NftStatement, scope: Scope): RuleDraft {
  if (draft.hasTarget)
    throw new TypeError("The machine takes one action in an nftables rule; split the rule.");
  switch (statement.kind) {
    case "vmap": {
      const key = statement.key === "daddr-proto-dport" ? KEY_DST_PROTO_DPORT : KEY_PROTO_DPORT;
      return draft.target(TARGET_VMAP, scope.setOf(statement.map).number, key);
    }
    case "numgen-vmap": {
      if (statement.chains.length === 0)
        throw new TypeError("An nftables rule draws (numgen) from no chains.");
      const words = statement.chains.map((chain) => verdictWord({ kind: "goto", chain }, scope));
      return draft.target(TARGET_NUMGEN, words.length, ...words);
    }
    case "set-mark":
      return draft.target(TARGET_MARK, statement.value, statement.op === "or" ? statement.value : 0);
    case "dnat":
      return draft.dnat(statement.address, statement.port);
    case "masquerade":
      return draft.target(TARGET_MASQUERADE, statement.fullyRandom ? 1 : 0, 0);
    case "reject":
      return draft.target(TARGET_REJECT);
    case "verdict": {
      const { verdict } = statement;
      const chain = "chain" in verdict ? [scope.chainNumber(verdict.chain)] : [];
      return draft.target(VERDICTS[verdict.kind], ...chain);
    }
    default:
      throw new TypeError(`The machine has no action for nftables' ${statement.kind}.`);
  }
}

/** One nftables rule as the machine takes it: `draft` is filled with it. */
export function nftRule(rule: NftRule, scope: Scope, draft: RuleDraft): RuleDraft {
  let isNoted = false;
  for (const statement of rule.statements) {
    if (isNoted && statement.kind.startsWith("match-"))
      throw new TypeError("An nftables rule updates a set before it has matched; put the update last.");
    isNoted ||= statement.kind === "update-set";
    if (addMatch(draft, statement, scope) === undefined) addAction(draft, statement, scope);
  }
  return draft;
}

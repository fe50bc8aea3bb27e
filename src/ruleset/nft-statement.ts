import { type HostPort, parseHostPort, printHostPort } from "../net/port.js";
import { maskOf } from "../net/prefix.js";
import { intervalsOf, prefixSet } from "./nft-intervals.js";
import {
  type NftFamily,
  ofFamily,
  parseProtocol,
  printAddresses,
  printProtocol,
  printVerdict,
  readInterval,
  readList,
  readNumber,
  readPort,
  readProtocol,
  readText,
  readVerdict,
} from "./nft-terms.js";
import type { NftRule, NftStatement } from "./nftables.js";
import type { Words } from "./words.js";

/** In the order of the kernel's bits, in which nft prints them. */
const CT_STATES = ["invalid", "established", "related", "new"] as const;

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
const not = (statement: { readonly invert?: boolean }) => (statement.invert ? "!= " : "");

/** One statement of a rule, as nft lists it in a table of that family. */
export function printStatement(statement: NftStatement, family: NftFamily): string {
  switch (statement.kind) {
    case "match-address":
      return `${family} ${statement.side} ${not(statement)}${printAddresses(statement.prefixes, statement.braced)}`;
    case "match-address-set":
      return `${family} ${statement.side} ${not(statement)}@${statement.set}`;
    case "match-protocol":
      return `meta l4proto ${not(statement)}${printProtocol(statement.protocol)}`;
    case "match-dport":
      return `th dport ${not(statement)}${statement.port}`;
    case "match-ctstate":
      return `ct state ${CT_STATES.filter((state) => statement.states.includes(state)).join(",")}`;
    case "match-mark":
      return `meta mark ${printMark(statement)}`;
    case "match-fib-local":
      return `fib ${statement.side} type ${not(statement)}local`;
    case "match-interface":
      return `${statement.side} ${not(statement)}"${statement.name}"`;
    case "vmap": {
      const daddr = statement.key === "daddr-proto-dport" ? `${family} daddr . ` : "";
      return `${daddr}meta l4proto . th dport vmap @${statement.map}`;
    }
    case "numgen-vmap": {
      const entries = statement.chains.map((chain, index) => `${index} : goto ${chain}`).join(", ");
      return `numgen random mod ${statement.chains.length} vmap { ${entries} }`;
    }
    case "set-mark":
      return `meta mark set meta mark ${statement.op === "or" ? "|" : "^"} ${hex(statement.value)}`;
    case "dnat": {
      const target = printHostPort(statement.address, statement.port);
      return `meta l4proto ${printProtocol(statement.protocol)} dnat to ${target}`;
    }
    case "masquerade":
      return statement.fullyRandom ? "masquerade fully-random" : "masquerade";
    case "reject":
      return "reject";
    case "update-set":
      return `update @${statement.set} { ${family} ${statement.side} }`;
    case "verdict":
      return printVerdict(statement.verdict);
  }
}

/** nft takes a mask of leading bits for a prefix: `meta mark 0x00000000/1`. */
function printMark(match: Extract<NftStatement, { kind: "match-mark" }>): string {
  const { mask, value } = match;
  const length = Math.clz32(~mask >>> 0);
  if (mask !== maskOf(length)) return `& ${hex(mask)} ${match.invert ? "!=" : "=="} ${hex(value)}`;
  return `${not(match)}${hex(value)}${length === 32 ? "" : `/${length}`}`;
}

/** nft lists a match of one protocol before a match of a port as `tcp dport 80`. */
export function printRule(rule: NftRule, family: NftFamily): string {
  const words: string[] = [];
  for (const [index, statement] of rule.statements.entries()) {
    const next = rule.statements[index + 1];
    const previous = rule.statements[index - 1];
    if (namesProtocol(statement) && next?.kind === "match-dport") continue;
    if (statement.kind === "match-dport" && previous !== undefined && namesProtocol(previous)) {
      words.push(`${printProtocol(previous.protocol)} dport ${not(statement)}${statement.port}`);
    } else words.push(printStatement(statement, family));
  }
  if (rule.comment !== undefined) words.push(`comment "${rule.comment}"`);
  return words.join(" ");
}

function namesProtocol(
  statement: NftStatement,
): statement is Extract<NftStatement, { kind: "match-protocol" }> {
  return statement.kind === "match-protocol" && statement.invert !== true;
}

/** `invert` of a match whose value follows, as a property to spread: absent unless `!=` stands there. */
function readInvert(words: Words): { readonly invert?: true } {
  return words.take("!=") ? { invert: true } : {};
}

/** The name of a set or map. */
function readReference(words: Words): string {
  return words.read("a set or map (@name)", (word) => /^@(.+)$/.exec(word)?.[1]);
}

function parseSide(word: string): "saddr" | "daddr" | undefined {
  return word === "saddr" || word === "daddr" ? word : undefined;
}

function readAddressMatch(words: Words, family: NftFamily): NftStatement {
  const side = words.read("saddr or daddr", parseSide);
  if (side === "daddr" && words.take(".", "meta", "l4proto")) {
    words.expect(".", "th", "dport", "vmap");
    return { kind: "vmap", key: "daddr-proto-dport", map: readReference(words) };
  }
  const invert = readInvert(words);
  if (words.peek()?.startsWith("@")) {
    return { kind: "match-address-set", side, set: readReference(words), ...invert };
  }
  if (!words.take("{")) {
    return { kind: "match-address", side, prefixes: readInterval(words, family), ...invert };
  }
  const prefixes = prefixSet(readList(words, () => readInterval(words, family)).flat());
  const braced = intervalsOf(prefixes).length === 1 ? { braced: true as const } : {};
  return { kind: "match-address", side, prefixes, ...invert, ...braced };
}

function readMark(words: Words): NftStatement {
  if (words.take("set", "meta", "mark")) {
    const op = words.read("| or ^", (word) =>
      word === "|" || word === "or" ? "or" : word === "^" || word === "xor" ? "xor" : undefined,
    );
    return { kind: "set-mark", op, value: readNumber(words) };
  }
  const mask = words.take("&") ? readNumber(words) : undefined;
  const invert = readInvert(words);
  words.take("==");
  if (mask !== undefined) return { kind: "match-mark", mask, value: readNumber(words), ...invert };
  const [value, length] = words.read("a mark, or a mark and how many bits of it count", (word) => {
    const parts = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})(?:\/([0-9]{1,2}))?$/.exec(word);
    const found = [Number(parts?.[1]), Number(parts?.[2] ?? 32)] as const;
    return found[0] <= 0xffffffff && found[1] <= 32 ? found : undefined;
  });
  return { kind: "match-mark", mask: maskOf(length), value, ...invert };
}

function readProtocolMatch(words: Words, family: NftFamily): NftStatement {
  if (words.take(".", "th", "dport", "vmap")) {
    return { kind: "vmap", key: "proto-dport", map: readReference(words) };
  }
  const invert = readInvert(words);
  const protocol = readProtocol(words);
  if (invert.invert || !words.take("dnat", "to")) return { kind: "match-protocol", protocol, ...invert };
  const { address, port } = words.read(
    `an address:port of family ${family}`,
    (word): HostPort | undefined => {
      const target = parseHostPort(word);
      return ofFamily(target?.address, family) === undefined ? undefined : target;
    },
  );
  return { kind: "dnat", protocol, address, port };
}

function readNumgen(words: Words): NftStatement {
  words.expect("random", "mod");
  const modulus = words.readCount("a modulus");
  words.expect("vmap", "{");
  let index = 0;
  const chains = readList(words, () => {
    words.expect(String(index), ":", "goto");
    index += 1;
    return words.next("a chain");
  });
  if (chains.length !== modulus) throw words.refusal(`«mod ${modulus}» has ${chains.length} entries.`);
  return { kind: "numgen-vmap", chains };
}

function readStates(words: Words): NftStatement {
  words.expect("state");
  const states = words.read("a list of connection states", (word) => {
    const found = word.split(",");
    const known = CT_STATES.filter((state) => found.includes(state));
    return known.length === found.length ? known : undefined;
  });
  return { kind: "match-ctstate", states };
}

/** Some versions of nft spell the default out: `reject with icmp port-unreachable`. */
function readReject(words: Words): NftStatement {
  if (words.take("with")) {
    words.read("icmp or icmpv6", (word) => (word === "icmp" || word === "icmpv6" ? word : undefined));
    words.take("type");
    words.expect("port-unreachable");
  }
  return { kind: "reject" };
}

function readDport(words: Words): NftStatement {
  words.expect("dport");
  const invert = readInvert(words);
  return { kind: "match-dport", port: readPort(words), ...invert };
}

function readFib(words: Words): NftStatement {
  const side = words.read("saddr or daddr", parseSide);
  words.expect("type");
  const invert = readInvert(words);
  words.expect("local");
  return { kind: "match-fib-local", side, ...invert };
}

function readInterface(side: "iifname" | "oifname", words: Words): NftStatement {
  const invert = readInvert(words);
  return { kind: "match-interface", side, name: readText(words), ...invert };
}

function readUpdate(words: Words, family: NftFamily): NftStatement {
  const set = readReference(words);
  words.expect("{", family);
  const side = words.read("saddr or daddr", parseSide);
  words.expect("}");
  return { kind: "update-set", set, side };
}

function readMeta(words: Words, family: NftFamily): NftStatement {
  if (words.take("mark")) return readMark(words);
  words.expect("l4proto");
  return readProtocolMatch(words, family);
}

/** Reads one statement that begins with the word; throws InputError at a word outside of the subset. */
function readStatement(word: string, words: Words, family: NftFamily): NftStatement {
  switch (word) {
    case family:
      return readAddressMatch(words, family);
    case "meta":
      return readMeta(words, family);
    case "th":
      return readDport(words);
    case "ct":
      return readStates(words);
    case "fib":
      return readFib(words);
    case "iifname":
    case "oifname":
      return readInterface(word, words);
    case "numgen":
      return readNumgen(words);
    case "masquerade":
      return { kind: "masquerade", fullyRandom: words.take("fully-random") };
    case "reject":
      return readReject(words);
    case "update":
      return readUpdate(words, family);
  }
  const verdict = readVerdict(word, words);
  if (verdict === undefined) throw words.refusal(`«${word}» is not modelled in a rule of family ${family}.`);
  return { kind: "verdict", verdict };
}

/** The rest of a line as one rule. */
export function readRule(words: Words, family: NftFamily): NftRule {
  const statements: NftStatement[] = [];
  while (!words.done) {
    if (words.take("comment")) {
      const comment = readText(words);
      if (!words.done) throw words.refusal("a rule's comment must stand last.");
      return { statements, comment };
    }
    const word = words.next("a statement");
    const protocol = parseProtocol(word);
    if (protocol !== undefined) statements.push({ kind: "match-protocol", protocol }, readDport(words));
    else statements.push(readStatement(word, words, family));
  }
  return { statements };
}

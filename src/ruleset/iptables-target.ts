import type { Family } from "../net/ip.js";
import { familyOf } from "../net/ip.js";
import { parseHostPort, printHostPort } from "../net/port.js";
import type { Target } from "./iptables.js";
import { parseMark, printHex } from "./iptables-values.js";
import type { Words } from "./words.js";

/** ` -j DNAT --to-destination 10.244.1.7:8080`; nothing for a rule that only counts. */
export function printTarget(target: Target | undefined): string {
  switch (target?.kind) {
    case undefined:
      return "";
    case "accept":
    case "drop":
    case "return":
      return ` -j ${target.kind.toUpperCase()}`;
    case "jump":
      return ` -j ${target.chain}`;
    case "goto":
      return ` -g ${target.chain}`;
    case "reject":
      return ` -j REJECT --reject-with ${target.with}`;
    case "dnat":
      return ` -j DNAT --to-destination ${printHostPort(target.address, target.port)}`;
    case "masquerade":
      return ` -j MASQUERADE${target.randomFully ? " --random-fully" : ""}`;
    case "mark":
      return ` -j MARK --set-xmark ${printHex(target.value)}/${printHex(target.mask)}`;
    default:
      return "";
  }
}

function readReject(words: Words, family: Family): Target {
  const expected = family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  // The tool's own default, which its listings spell out; rules written by hand may not.
  if (words.done) return { kind: "reject", with: expected };
  words.expect("--reject-with");
  const parse = (word: string) => (word === expected ? expected : undefined);
  return { kind: "reject", with: words.read(`a kind of refusal this program models (${expected})`, parse) };
}

function readDnat(words: Words, family: Family): Target {
  words.expect("--to-destination");
  const { address, port } = words.read(`one IPv${family} address with a port`, (word) => {
    const destination = parseHostPort(word);
    return destination !== undefined && familyOf(destination.address) === family ? destination : undefined;
  });
  return { kind: "dnat", address, port };
}

function readMark(words: Words): Target {
  words.expect("--set-xmark");
  const [value, mask] = words.read("a mark and its mask", (word) => {
    const [head = "", tail = "", ...more] = word.split("/");
    const [value, mask] = [parseMark(head), parseMark(tail)];
    return value === undefined || mask === undefined || more.length > 0
      ? undefined
      : ([value, mask] as const);
  });
  return { kind: "mark", value, mask };
}

function readJump(words: Words, family: Family, chains: ReadonlyMap<string, unknown>): Target {
  const name = words.next("a target");
  switch (name) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    case "REJECT":
      return readReject(words, family);
    case "DNAT":
      return readDnat(words, family);
    case "MASQUERADE":
      return { kind: "masquerade", randomFully: words.take("--random-fully") };
    case "MARK":
      return readMark(words);
  }
  if (chains.has(name)) return { kind: "jump", chain: name };
  throw words.refusal(`«${name}» is neither a chain of this table nor a target this program models.`);
}

/** Reads the rest of a rule's line; `chains` are those of its table. The inverse of printTarget. */
export function readTarget(
  words: Words,
  family: Family,
  chains: ReadonlyMap<string, unknown>,
): Target | undefined {
  if (words.done) return undefined;
  let target: Target;
  if (words.take("-g")) {
    const chain = words.read("a chain of this table", (word) => (chains.has(word) ? word : undefined));
    target = { kind: "goto", chain };
  } else {
    words.expect("-j");
    target = readJump(words, family, chains);
  }
  if (!words.done) throw words.refusal(`«${words.next("")}» is not modelled for this target.`);
  return target;
}

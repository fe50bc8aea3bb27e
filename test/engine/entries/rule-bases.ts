import { HOOK_NAT } from "../../../assembly/abi/entry.js";
import { type Family, type Ip, parseIp } from "../../../src/net/ip.js";
import { printHostPort } from "../../../src/net/port.js";
import { parsePrefix } from "../../../src/net/prefix.js";
import { tcp } from "../../../src/packet/build.js";
import type { Match, NatRange, Rule, Target } from "../../../src/ruleset/iptables.js";
import type { BareNode } from "../../bare-node.js";
import { CALI1, draftsOf, hookOf, routedNode, scopeOf } from "./rule-node.js";

export const POD = "10.244.1.7";
export const FAR = "198.51.100.9";
export const syn = tcp(`${POD}:41000`, `${FAR}:80`);

export const ip = (text: string): Ip => parseIp(text) ?? 0;
export const prefix = (text: string) => parsePrefix(text) ?? { address: 0, length: 0 };

/** `10.244.1.7:41000 > 198.51.100.9:80` of a frame of either family, with ports and without options. */
export function addressesOf(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const is6 = view.getUint16(12) === 0x86dd;
  const address = (at: number) =>
    is6 ? (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8) : view.getUint32(at);
  const [src, dst, ports] = is6 ? [22, 38, 54] : [26, 30, 34];
  const [from, to] = [view.getUint16(ports), view.getUint16(ports + 2)];
  return `${printHostPort(address(src), from)} > ${printHostPort(address(dst), to)}`;
}

export interface Base {
  readonly hook: number;
  readonly type?: number;
  readonly rules: readonly Rule[];
}

/** A node with base chains, in the order of their hooks. */
export async function nodeWith(bases: readonly Base[], family: Family = 4): Promise<BareNode> {
  const node = await routedNode();
  for (const [number, { hook, type, rules }] of bases.entries())
    node.chain(number, ...draftsOf(rules, scopeOf(family))).hook(hookOf(hook, family), number, type);
  return node;
}

export const rule = (target: Target | undefined, ...matches: readonly Match[]): Rule =>
  target === undefined ? { matches } : { matches, target };
export const DROP: Target = { kind: "drop" };

/** What becomes of one packet's addresses where nat rules of a hook translate it. */
export async function translated(
  hook: number,
  target: Target,
  frame = syn,
  inNumber = CALI1,
): Promise<string> {
  const family: Family = frame[12] === 0x86 ? 6 : 4;
  const node = await nodeWith([{ hook, type: HOOK_NAT, rules: [rule(target)] }], family);
  const result = node.one(frame, inNumber);
  if (result.verdict !== "FORWARD" && result.verdict !== "LOCAL") return `${result.verdict} ${result.reason}`;
  return addressesOf(result.frame);
}

export const range = (
  addresses: readonly [string, string] | undefined,
  more: Omit<NatRange, "addresses"> = {},
): NatRange =>
  addresses === undefined ? more : { addresses: [ip(addresses[0]), ip(addresses[1])], ...more };
export const to = (side: "src" | "dst", of: NatRange): Target => ({ kind: "translate", side, range: of });

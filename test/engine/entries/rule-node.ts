import { HOOK_IP6 } from "../../../assembly/abi/entry.js";
import { iptablesRule } from "../../../src/engine/entries/iptables.js";
import { RuleDraft } from "../../../src/engine/entries/rules.js";
import type { NumberedSet, Scope } from "../../../src/engine/entries/scope.js";
import type { Family } from "../../../src/net/ip.js";
import { parseIp } from "../../../src/net/ip.js";
import type { Rule } from "../../../src/ruleset/iptables.js";
import type { Interface, InterfaceAddress } from "../../../src/ruleset/routes.js";
import { BareNode } from "../../bare-node.js";

function interfaceNamed(name: string, ...addresses: readonly string[]): Interface {
  const kind = name === "lo" ? "loopback" : "uplink";
  return { name, kind, mac: 0, mtu: 1500, addresses: addresses.map(addressOf) };
}

function addressOf(text: string): InterfaceAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`«${text}» is no address`);
  return { address, length: typeof address === "number" ? 24 : 64 };
}

export const ETH0 = 1;
export const CALI1 = 2;
export const CALI2 = 3;
export const LO = 4;
const INTERFACES = [
  interfaceNamed("eth0", "172.18.0.2", "2001:db8:1::2"),
  interfaceNamed("cali1", "10.244.1.1", "2001:db8:2::1"),
  interfaceNamed("cali2"),
  interfaceNamed("lo", "127.0.0.1", "::1"),
];

/** What rules of a node with these interfaces may name; chains are numbered as their names say. */
export function scopeOf(family: Family, sets: Readonly<Record<string, NumberedSet>> = {}): Scope {
  return {
    family,
    interfaces: INTERFACES,
    chainNumber: Number,
    interfaceNumber: (wanted) => INTERFACES.findIndex(({ name }) => name === wanted) + 1 || 0xffff,
    listOf: () => 1,
    ipsetOf: (name) => sets[name],
    setOf(name) {
      const set = sets[name];
      if (set === undefined) throw new TypeError(`no set ${name}`);
      return set;
    },
  };
}

/** The interfaces' addresses are the node's, Pods stand behind cali1, and everything else behind eth0. */
export async function routedNode(): Promise<BareNode> {
  return (await BareNode.make({ connections: 64 }))
    .route("0.0.0.0/0", { kind: "direct", out: ETH0, source: "172.18.0.2", source6: "2001:db8:1::2" })
    .route("10.244.1.0/24", { kind: "direct", out: CALI1 })
    .route("172.18.0.2/32", { kind: "local", out: ETH0 })
    .route("10.244.1.1/32", { kind: "local", out: CALI1 })
    .route("127.0.0.0/8", { kind: "local", out: LO })
    .route("::/0", { kind: "direct", out: ETH0, source6: "2001:db8:1::2" })
    .route("2001:db8:2::/64", { kind: "direct", out: CALI1 })
    .route("2001:db8:1::2/128", { kind: "local", out: ETH0 })
    .route("2001:db8:2::1/128", { kind: "local", out: CALI1 })
    .route("::1/128", { kind: "local", out: LO });
}

/** Rules as the machine takes them. */
export function draftsOf(rules: readonly Rule[], scope: Scope): RuleDraft[] {
  return rules.map((rule) => iptablesRule(rule, scope, new RuleDraft()));
}

/** The number of a hook for a family's packets. */
export const hookOf = (hook: number, family: Family) => (family === 6 ? HOOK_IP6 + hook : hook);

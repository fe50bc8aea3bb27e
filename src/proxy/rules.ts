import type { Family, Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { hostPrefix, type Prefix } from "../net/prefix.js";
import type { CtState, Match, Rule, Target } from "../ruleset/iptables.js";
import type { LocalDetector } from "./local-traffic.js";

/** Bit 14, kube-proxy's default --iptables-masquerade-bit. */
export const MASQUERADE_MARK = 0x4000;

export const ACCEPT: Target = { kind: "accept" };
export const DROP: Target = { kind: "drop" };
export const RETURN: Target = { kind: "return" };
export const REJECT: Target = { kind: "reject", with: "icmp-port-unreachable" };
const REJECT6: Target = { kind: "reject", with: "icmp6-port-unreachable" };

const PROTOCOL: Record<Protocol, Match> = {
  TCP: { kind: "protocol", protocol: "TCP" },
  UDP: { kind: "protocol", protocol: "UDP" },
  SCTP: { kind: "protocol", protocol: "SCTP" },
};

const PROTOCOL_WITH_MODULE: Record<Protocol, readonly Match[]> = {
  TCP: [{ kind: "protocol", protocol: "TCP", module: true }],
  UDP: [{ kind: "protocol", protocol: "UDP", module: true }],
  SCTP: [{ kind: "protocol", protocol: "SCTP", module: true }],
};

export const SRC_LOCAL: Match = { kind: "addrtype", side: "src", types: ["LOCAL"] };
export const NOT_SRC_LOCAL: Match = { kind: "addrtype", side: "src", types: ["LOCAL"], invert: true };
export const DST_LOCAL: Match = { kind: "addrtype", side: "dst", types: ["LOCAL"] };

/** What `-j REJECT` alone means in the family. */
export function reject(family: Family): Target {
  return family === 4 ? REJECT : REJECT6;
}

export function jump(chain: string): Target {
  return { kind: "jump", chain };
}

export function rule(matches: readonly Match[], target: Target): Rule {
  return { matches, target };
}

export function commented(comment: string, matches: readonly Match[], target: Target): Rule {
  return { matches, comment, target };
}

/** The prefix of one address alone. */
export function from(prefix: Prefix): Match {
  return { kind: "source", prefix };
}

export function notFrom(prefix: Prefix): Match {
  return { kind: "source", prefix, invert: true };
}

/** Packets from a network. Of a prefix of length 0 there is nothing to ask, and the tools list nothing. */
export function fromNetwork(prefix: Prefix): readonly Match[] {
  return prefix.length === 0 ? [] : [from(prefix)];
}

/** Packets of local Pods. */
export function fromPods(detector: LocalDetector): readonly Match[] {
  if (detector.kind === "source") return fromNetwork(detector.prefix);
  return [{ kind: "in-interface", name: interfaceName(detector) }];
}

/** All others; where interfaces are asked, those made on the node among them. */
export function notFromPods(detector: LocalDetector): Match {
  if (detector.kind === "source") return notFrom(detector.prefix);
  return { kind: "in-interface", name: interfaceName(detector), invert: true };
}

/** As iptables writes it: `cali+` is every interface whose name begins with cali. */
function interfaceName({ name, isPrefix }: Extract<LocalDetector, { kind: "interface" }>): string {
  return isPrefix ? `${name}+` : name;
}

export function to(prefix: Prefix): Match {
  return { kind: "destination", prefix };
}

export function protocol(name: Protocol): Match {
  return PROTOCOL[name];
}

/** kube-proxy writes `-m tcp -p tcp` also where no port follows, and the listing shows it, behind other modules. */
export function protocolWithModule(name: Protocol, before?: Match): readonly Match[] {
  if (before === undefined) return PROTOCOL_WITH_MODULE[name];
  return [PROTOCOL[name], before, { kind: "module", name: name.toLowerCase() }];
}

export function dport(port: number): Match {
  return { kind: "dport", from: port, to: port };
}

/** Destination address, protocol and port, in the order the tools list them. */
export function service(ip: Ip, name: Protocol, port: number): readonly [Match, Match, Match] {
  return [to(hostPrefix(ip)), protocol(name), dport(port)];
}

/** Counts packets for kube-proxy's own metrics, and hits all of them. */
export function nfacct(name: string): Match {
  return { kind: "nfacct", name };
}

export function ctstate(...states: readonly CtState[]): Match {
  return { kind: "ctstate", states };
}

export function inSet(set: string, ...sides: readonly ("src" | "dst")[]): Match {
  return { kind: "set", set, sides };
}

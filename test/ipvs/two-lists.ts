import { expect } from "vitest";
import { FORWARD_DIRECT, FORWARD_MASQUERADE } from "../../assembly/abi/server.js";
import * as setting from "../../assembly/abi/setting.js";
import type { IpvsDestination } from "../../src/engine/ipvs-counters.js";
import type { IpvsConnection } from "../../src/engine/ipvs-sessions.js";
import { type Ip, printIp } from "../../src/net/ip.js";
import { CHUNKS, sctp, tcp, udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { sessionStateName } from "../../src/trace/session-states.js";
import {
  type End,
  IpvsOracle,
  type Sent,
  type Server,
  type Service,
  type Session,
  type Sysctls,
} from "../oracle/ipvs.js";
import type { Tally } from "../tally.js";
import type { IpvsNode, VirtualServer } from "./ipvs-node.js";

export const [TCP, UDP, SCTP] = [6, 17, 132];

export type Family = 4 | 6;

/** Addresses by family: clients of two networks, a virtual address, servers. */
const PLACES = {
  4: {
    clients: ["192.0.2.1", "192.0.2.2", "198.51.100.1"],
    vip: "10.96.0.10",
    servers: ["10.244.1.1", "10.244.1.2", "10.244.1.3"],
    netmask: 0xffffff00,
    whole: 0xffffffff,
  },
  6: {
    clients: ["2001:db8::1", "2001:db8::2", "2001:db9::1"],
    vip: "fd00::10",
    servers: ["fd01::1", "fd01::2", "fd01::3"],
    netmask: 32,
    whole: 128,
  },
} as const;

/** What stands for the network of the netmask. */
function networkOf(address: string): string {
  return address.includes(":") ? address.replace(/::1$|::2$/, "::") : address.replace(/\.\d+$/, ".0");
}

export function endText({ address, port }: End): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

interface Plan extends VirtualServer {
  /** Protocols and ports that lead to it. */
  readonly at: readonly (readonly [protocol: number, port: number])[];
}

function plan(protocols: readonly number[], ports: readonly number[], service: VirtualServer): Plan {
  return { ...service, at: ports.flatMap((port) => protocols.map((protocol) => [protocol, port] as const)) };
}

/** Virtual servers: plain, persistent, persistent of port 0, FTP's, of marks, of one packet, and of port 0 for nothing. */
export const PLANS: readonly Plan[] = [
  plan([TCP, UDP, SCTP], [80], { port: 80 }),
  plan([TCP, UDP], [81], { port: 81, persistence: 100 }),
  plan([TCP, UDP, SCTP], [82, 83], { port: 0, persistence: 300 }),
  plan([TCP], [21, 5000], { port: 21, persistence: 50 }),
  plan([TCP, UDP], [84, 94], { port: 0, mark: 7, persistence: 120 }),
  plan([UDP], [85], { port: 85, isOnePacket: true }),
  plan([UDP], [86], { port: 86, isOnePacket: true, persistence: 30 }),
  plan([TCP], [87], { port: 0 }),
  plan([TCP, UDP], [88], { port: 0, mark: 9 }),
];
const SERVER_PORTS = [8080, 8081, 0];

export interface Setup {
  readonly family: Family;
  readonly sysctls: Sysctls;
  readonly isMasked: boolean;
  /** Servers whose answers go another way. */
  readonly direct: readonly boolean[];
  readonly upper: number;
}

export type Step =
  | {
      readonly kind: "request";
      readonly plan: number;
      readonly door: number;
      readonly client: number;
      readonly port: number;
      readonly flags: string;
      readonly chunk: number;
    }
  | {
      readonly kind: "answer" | "again";
      readonly which: number;
      readonly flags: string;
      readonly chunk: number;
    }
  | { readonly kind: "wait"; readonly after: number }
  | {
      readonly kind: "weight" | "leave" | "upper";
      readonly plan: number;
      readonly server: number;
      readonly to: number;
    };

type Request = Extract<Step, { readonly door: number }>;
type Along = Extract<Step, { readonly which: number }>;
type Change = Extract<Step, { readonly server: number }>;

const VERDICTS = {
  refused: "REJECT",
  dropped: "DROP",
  ignored: "PUNT",
  request: "FORWARD",
  answer: "FORWARD",
} as const;

function frameOf({ protocol, from, to, flags, chunk }: Sent): Uint8Array {
  const [src, dst] = [endText(from), endText(to)];
  if (protocol === TCP) return tcp(src, dst, { flags });
  return protocol === UDP ? udp(src, dst) : sctp(src, dst, { chunk: CHUNKS[chunk] ?? "DATA" });
}

/** IPVS' connections in a node, and the list of them that a person keeps. */
export class TwoLists {
  readonly oracle: IpvsOracle;
  readonly servers: readonly (readonly Server[])[];
  readonly services: readonly Service[];
  #now = 1000;

  constructor(
    readonly node: IpvsNode,
    readonly setup: Setup,
    readonly tally: Tally,
  ) {
    const { sysctls, family, isMasked, upper, direct } = setup;
    this.oracle = new IpvsOracle(sysctls);
    this.services = PLANS.map(({ port, mark = 0, persistence, isOnePacket = false }) => {
      const network = isMasked ? networkOf : (client: string) => client;
      return { port, mark, persistence, isOnePacket, network };
    });
    this.servers = PLANS.map(() =>
      PLACES[family].servers.map((address, index) => {
        const at = { address, port: SERVER_PORTS[index] ?? 0, isDirect: direct[index] ?? false };
        const counts = { active: 0, inactive: 0, persistent: 0, isOverloaded: false };
        return { ...at, ...counts, weight: 1, upper, lower: 0, isThere: true };
      }),
    );
    node.settings({
      [setting.SETTING_VS_EXPIRE_NODEST_CONN]: Number(sysctls.expireNodest),
      [setting.SETTING_VS_EXPIRE_QUIESCENT_TEMPLATE]: Number(sysctls.expireQuiescent),
      [setting.SETTING_VS_CONN_REUSE_MODE]: sysctls.reuseMode,
      [setting.SETTING_VS_SECURE_TCP]: sysctls.isSecure ? 3 : 0,
      [setting.SETTING_VS_TIMEOUT_TCP]: sysctls.timeouts.tcp,
      [setting.SETTING_VS_TIMEOUT_TCP_FIN]: sysctls.timeouts.fin,
      [setting.SETTING_VS_TIMEOUT_UDP]: sysctls.timeouts.udp,
    });
    for (const [number, { at }] of PLANS.entries()) {
      this.#set(number);
      for (const [protocol, port] of at) node.listen(number, PLACES[family].vip, protocol, port);
    }
    this.wait(0);
  }

  #set(number: number): void {
    const { netmask, whole } = PLACES[this.setup.family];
    const servers = (this.servers[number] ?? []).filter(({ isThere }) => isThere);
    this.node.set(
      number,
      { ...(PLANS[number] as Plan), netmask: this.setup.isMasked ? netmask : whole },
      servers.map((real) => ({ ...real, forward: real.isDirect ? FORWARD_DIRECT : FORWARD_MASQUERADE })),
    );
  }

  wait(after: number): void {
    this.#now += after;
    this.node.wait(this.#now);
    this.oracle.advance(this.#now);
  }

  take(step: Step): void {
    if (step.kind === "wait") this.wait(step.after);
    else if (step.kind === "request") this.#request(step);
    else if ("which" in step) this.#along(step);
    else this.#change(step);
    this.compare();
  }

  #request({ plan: number, door, client, port, flags, chunk }: Request): void {
    const { at } = PLANS[number] as Plan;
    const [protocol, vport] = at[door % at.length] ?? [TCP, 0];
    const { clients, vip } = PLACES[this.setup.family];
    const from = { address: clients[client] ?? "", port };
    this.#send({ protocol, from, to: { address: vip, port: vport }, flags, chunk });
  }

  /** A packet of a connection that is there, of its client's or of its server's. */
  #along({ kind, which, flags, chunk }: Along): void {
    const all = this.oracle.sessions.filter(({ isTemplate }) => !isTemplate);
    const session = all[which % Math.max(1, all.length)];
    if (session === undefined) return;
    const { protocol, client, virtual, real, server } = session;
    const said = { protocol, flags, chunk };
    if (kind === "again") this.#send({ ...said, from: client, to: virtual });
    else this.#send({ ...said, from: server.isDirect ? virtual : real, to: client });
  }

  #send(sent: Sent): void {
    this.wait(0);
    const counted = this.node.counters.destinations;
    const result = this.node.one(frameOf(sent), this.#now);
    const isToVip = sent.to.address === PLACES[this.setup.family].vip;
    const number = PLANS.findIndex(
      ({ at }) =>
        isToVip && at.some(([protocol, port]) => protocol === sent.protocol && port === sent.to.port),
    );
    const before = new Set(this.oracle.sessions);
    const fate = this.oracle.meet(sent, this.services[number], () => this.#chosen(counted));
    this.tally.count(fate.kind);
    expect(result.verdict, `${JSON.stringify(sent)}: ${fate.kind}`).toBe(VERDICTS[fate.kind]);
    if (fate.kind !== "request" && fate.kind !== "answer") return;
    const { session } = fate;
    if (fate.kind === "request" && !before.has(session)) this.tally.count("opened");
    const isAway = session.server.isDirect;
    const { src, srcPort, dst, dstPort } = describePacket(result.frame);
    expect([src, srcPort, dst, dstPort]).toEqual(
      [
        fate.kind === "request" || isAway ? sent.from : session.virtual,
        fate.kind === "request" && !isAway ? session.real : sent.to,
      ].flatMap(({ address, port }) => [address, port]),
    );
  }

  /** The server that the machine chose: it has a connection more than was counted. */
  #chosen(counted: readonly IpvsDestination[]): Server | undefined {
    const chosen = this.node.counters.destinations.find(
      ({ statistics: { connections } }, index) =>
        connections > (counted[index]?.statistics.connections ?? 0) && connections > 0,
    );
    if (chosen?.service === undefined) return undefined;
    return this.servers[chosen.service]?.find(({ address }) => address === printIp(chosen.address));
  }

  #change({ kind, plan: number, server, to }: Change): void {
    const real = this.servers[number]?.[server] as Server;
    if (kind === "weight") real.weight = real.weight === 0 ? 1 : 0;
    else if (kind === "upper") this.oracle.edit(real, to, Math.min(to, 1));
    else real.isThere = !real.isThere;
    this.#set(number);
    if (kind !== "leave") return;
    this.tally.count(real.isThere ? "returned" : "left");
    this.wait(0);
    if (!real.isThere) this.oracle.leave(real);
  }

  compare(): void {
    this.wait(0);
    const known = this.oracle.sessions.map((session) => wordsOfOracle(session, this.#now));
    expect(this.node.sessions.map(wordsOfMachine).sort()).toEqual(known.sort());
    const { destinations } = this.node.counters;
    for (const [number, servers] of this.servers.entries())
      for (const { address, port, active, inactive, persistent, isOverloaded, isThere } of servers) {
        const row = destinations.find(
          (one) => one.service === number && printIp(one.address) === address && one.port === port,
        );
        if (isThere) expect(row).toMatchObject({ active, inactive, persistent, isOverloaded });
        else expect(row).toBeUndefined();
        if (isOverloaded) this.tally.count("overloaded");
      }
    for (const { isTemplate, virtual } of this.oracle.sessions)
      if (isTemplate) this.tally.count(virtual.port === 65535 ? "dismissed" : "template");
  }
}

function endOf({ address, port }: { readonly address: Ip; readonly port: number }): string {
  return endText({ address: printIp(address), port });
}

function wordsOfMachine(one: IpvsConnection): string {
  const { protocol, virtual, state, timeout, isActive, isTemplate, packets, held, template } = one;
  const { address } = virtual;
  // A mark stands in the first word of an IPv6 address (union nf_inet_addr).
  const mark = typeof address === "bigint" ? address >> 96n : address;
  const to = protocol === 0 ? `mark ${mark}:${virtual.port}` : endOf(virtual);
  const ends = `${protocol} ${endOf(one.client)} ${to} ${endOf(one.real)}`;
  return [ends, state, timeout, isActive, isTemplate, packets, held, template !== undefined].join(" ");
}

function wordsOfOracle(one: Session, now: number): string {
  const { protocol, virtual, state, expires, isActive, isTemplate, packets, held, control } = one;
  const to = protocol === 0 ? `${virtual.address}:${virtual.port}` : endText(virtual);
  const ends = `${protocol} ${endText(one.client)} ${to} ${endText(one.real)}`;
  const name = sessionStateName(protocol, state, isTemplate);
  return [ends, name, expires - now, isActive, isTemplate, packets, held, control !== undefined].join(" ");
}

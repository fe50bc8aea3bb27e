import * as abi from "../../assembly/abi/entry.js";
import * as verdict from "../../assembly/abi/verdict.js";
import * as wire from "../../assembly/abi/wire.js";
import type { RulesetEntries } from "../../src/engine/live/ruleset.js";
import type { PlainBatch } from "./batch.js";
import { Connections, FLAG_IPVS } from "./connections.js";
import { ExactTable } from "./exact.js";
import { Hops } from "./hops.js";
import { Packet } from "./packet.js";
import { decap, parse } from "./parse.js";
import { Random } from "./random.js";
import { decrementTtl, finishOuter, GENEVE_PORTS, translate, VXLAN_PORTS } from "./rewrite.js";
import { Rings } from "./rings.js";
import { Rules } from "./rules.js";

type Hook = RulesetEntries["hooks"][number];

function tablesOf(entries: RulesetEntries): ExactTable[] {
  const tables: ExactTable[] = [];
  for (const { number, rows } of entries.tables) {
    const table = new ExactTable();
    for (let at = 0; at < rows.length; at += 3)
      table.set(rows[at] as number, rows[at + 1] as number, rows[at + 2] as number);
    tables[number] = table;
  }
  return tables;
}

/**
 * The machine in plain TypeScript over typed arrays: from the same entries, seed and packets the same verdicts and
 * frames (but for the tunnel's source port, a hash). It knows what benchmarks send, TCP and UDP that come in by an
 * interface, and no more: checksums are not verified, nothing expires.
 */
export class PlainNode {
  readonly #hops: Hops;
  readonly #rules: Rules;
  readonly #services: ExactTable | undefined;
  readonly #rings: Rings;
  readonly #hooks: readonly (readonly Hook[])[];
  readonly #tunnel: RulesetEntries["tunnels"][number] | undefined;
  readonly #connections: Connections;
  readonly #packet = new Packet();
  #outerId = 0;
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#octets.buffer);

  constructor(entries: RulesetEntries, seed: number, connections: number) {
    const tables = tablesOf(entries);
    const random = new Random(seed);
    this.#hops = new Hops(entries);
    this.#rules = new Rules(entries.chains, tables, this.#hops, random);
    this.#services = entries.servers.rows.length === 0 ? undefined : tables[abi.EXACT_SERVICES];
    this.#rings = new Rings(entries.servers);
    this.#hooks = Array.from({ length: abi.HOOK_COUNT }, (_, hook) =>
      entries.hooks.filter((entry) => entry.hook === hook),
    );
    this.#tunnel = entries.tunnels[0];
    this.#connections = new Connections(connections, random);
  }

  clearConnections(): void {
    this.#connections.clear();
  }

  /** Runs the first packets of a batch. */
  run(batch: PlainBatch, count: number): void {
    this.#octets = batch.octets;
    this.#view = batch.view;
    for (let index = 0; index < count; index++) this.#runOne(batch, index);
  }

  #runOne(batch: PlainBatch, index: number): void {
    const packet = this.#packet;
    packet.frame = batch.frames[index] as number;
    packet.length = batch.lengths[index] as number;
    packet.in = batch.ins[index] as number;
    packet.mark = packet.flow = packet.flowFlags = packet.masquerade = packet.walked = 0;
    packet.verdict = packet.reason = 0;
    packet.hop = -1;
    const view = this.#view;
    const isWhole = parse(view, packet);
    if (isWhole && (this.#tunnel === undefined || decap(view, packet, this.#tunnel, this.#hops)))
      this.#ingress(packet);
    batch.frames[index] = packet.frame;
    batch.lengths[index] = packet.length;
    batch.ins[index] = packet.in;
    batch.verdicts[index] = packet.verdict | (packet.reason << 8);
    batch.nextHops[index] = packet.hop;
    batch.walked[index] = packet.walked;
  }

  #ingress(packet: Packet): void {
    const first = this.#connections.track(packet);
    this.#connections.redirect(packet);
    if (!this.#netfilter(packet, abi.HOOK_PREROUTING, first) || !this.#route(packet)) return;
    if (this.#hops.kindOf(packet.hop) === abi.NEXT_HOP_KIND_LOCAL) this.#deliver(packet, first);
    else if (this.#mayPass(packet) && this.#netfilter(packet, abi.HOOK_FORWARD, first))
      this.#leave(packet, first);
  }

  #netfilter(packet: Packet, hook: number, first: boolean): boolean {
    const bases = this.#hooks[hook] as readonly Hook[];
    for (let index = 0; index < bases.length; index++) {
      const { type, chain, policy } = bases[index] as Hook;
      if (type === abi.HOOK_NAT && !first) continue;
      const walked = this.#rules.walk(packet, chain);
      const decided = walked === abi.TARGET_NONE ? policy : walked;
      if (decided === abi.TARGET_DROP) return packet.decide(verdict.VERDICT_DROP, verdict.DROP_RULE);
      if (decided === abi.TARGET_REJECT)
        return packet.decide(verdict.VERDICT_REJECT, verdict.DROP_PORT_UNREACHABLE);
    }
    return true;
  }

  #route(packet: Packet): boolean {
    packet.hop = this.#hops.route(packet.dst);
    if (packet.hop < 0) return packet.decide(verdict.VERDICT_DROP, verdict.DROP_NO_ROUTE);
    const refusal = this.#hops.refusalOf(packet.hop);
    if (refusal !== verdict.DROP_NONE) return packet.decide(verdict.VERDICT_DROP, refusal);
    const isReachable = this.#hops.kindOf(packet.hop) !== abi.NEXT_HOP_KIND_UNREACHABLE;
    return isReachable || packet.decide(verdict.VERDICT_DROP, verdict.DROP_NO_NEIGHBOUR);
  }

  #isSwitched(packet: Packet): boolean {
    if (packet.flowFlags !== 0 && packet.dst !== packet.frameDst) return false;
    return this.#hops.outOf(packet.hop) === packet.in && this.#hops.isBridge(packet.hop);
  }

  /** TTL to spare, and it fits the way out. */
  #mayPass(packet: Packet): boolean {
    const isAlive = this.#view.getUint8(packet.ip + wire.IP4_TTL) > 1 || this.#isSwitched(packet);
    if (!isAlive) return packet.decide(verdict.VERDICT_DROP, verdict.DROP_TTL_EXCEEDED);
    const fits = this.#view.getUint16(packet.ip + wire.IP4_TOTAL_LENGTH) <= this.#hops.mtuOf(packet.hop);
    return fits || packet.decide(verdict.VERDICT_DROP, verdict.DROP_FRAGMENTATION_NEEDED);
  }

  /** INPUT, where IPVS waits. */
  #deliver(packet: Packet, first: boolean): void {
    if (!this.#netfilter(packet, abi.HOOK_INPUT, first)) return;
    if (this.#balance(packet, first)) {
      if (packet.verdict !== 0 || !this.#route(packet)) return;
      if (this.#hops.kindOf(packet.hop) !== abi.NEXT_HOP_KIND_LOCAL) {
        if (this.#mayPass(packet) && this.#netfilter(packet, abi.HOOK_OUTPUT, false))
          this.#leave(packet, first);
        return;
      }
    }
    if (first) this.#connections.open(packet);
    else this.#connections.resource(packet);
    translate(this.#view, packet);
    packet.decide(verdict.VERDICT_LOCAL, 0);
  }

  /** Whether IPVS took the packet, or refused it, which is a verdict. */
  #balance(packet: Packet, first: boolean): boolean {
    if (packet.flow !== 0 && packet.flowFlags !== 0) {
      if ((packet.flow & 1) === 1) return false;
      this.#connections.takeDestination(packet);
      return true;
    }
    // Of TCP, SYNs: its connections are taken to begin with one.
    const isNews = first || packet.protocol !== wire.PROTO_TCP;
    if (this.#services === undefined || !isNews) return false;
    packet.walked++;
    const service = this.#services.find(packet.dst, (packet.protocol << 16) | (packet.ports & 0xffff));
    if (service === 0) return false;
    const real = this.#rings.pick(service - 1);
    if (real < 0) {
      packet.decide(verdict.VERDICT_REJECT, verdict.DROP_NO_DESTINATION);
      return true;
    }
    packet.dst = this.#rings.addressAt(real);
    packet.ports = (packet.ports & 0xffff0000) | this.#rings.portAt(real);
    packet.flowFlags = FLAG_IPVS;
    return true;
  }

  #leave(packet: Packet, first: boolean): void {
    const [view, hops] = [this.#view, this.#hops];
    if (!this.#netfilter(packet, abi.HOOK_POSTROUTING, first)) return;
    if (first) {
      if (packet.masquerade !== 0) packet.src = hops.sourceOf(packet.hop);
      this.#connections.open(packet);
    } else this.#connections.resource(packet);
    translate(view, packet);
    packet.length = wire.ETH_LEN + view.getUint16(packet.ip + wire.IP4_TOTAL_LENGTH);
    if (!this.#isSwitched(packet)) decrementTtl(view, packet);
    this.#octets.set(hops.macs[packet.hop] as Uint8Array, packet.frame);
    if (hops.kindOf(packet.hop) >= abi.NEXT_HOP_KIND_VXLAN) this.#encap(packet);
    packet.decide(verdict.VERDICT_FORWARD, 0);
  }

  #encap(packet: Packet): void {
    const hops = this.#hops;
    const template = hops.templates[packet.hop] as Uint8Array;
    packet.frame -= template.length;
    packet.length += template.length;
    this.#octets.set(template, packet.frame);
    this.#outerId = this.#outerId >= 0xffff ? 1 : this.#outerId + 1;
    const ports = hops.kindOf(packet.hop) === abi.NEXT_HOP_KIND_GENEVE ? GENEVE_PORTS : VXLAN_PORTS;
    const outerSum = hops.outerSums[packet.hop] as number;
    finishOuter(this.#view, packet, outerSum, this.#outerId, ports, hops.isSummed(packet.hop));
  }
}

import * as verdict from "../../assembly/abi/verdict.js";
import { PROTO_TCP, TCP_FLAG_RST, TCP_FLAG_SYN } from "../../assembly/abi/wire.js";
import type { PlainBatch } from "./batch.js";
import { ExactTable } from "./exact.js";
import { Packet } from "./packet.js";
import { parse } from "./parse.js";
import { translate } from "./rewrite.js";
import {
  CLIENT,
  DESTINATION,
  PORTS_AT,
  PROTOCOL,
  SERVER,
  SERVER_PORT,
  SERVICE,
  SESSION_WORDS,
  Sessions,
  VIRTUAL,
} from "./sessions.js";

/** Milliseconds of a connection behind its SYN. */
const SYN_RECV = 60_000;
const IP_AT = 14;

export type PlainScheduler = "rr" | "wrr" | "sh" | "mh" | "lc" | "wlc" | "sed" | "nq";

export interface PlainServices {
  readonly scheduler: PlainScheduler;
  /** Addresses, all with one port. */
  readonly virtual: Int32Array;
  readonly port: number;
  /** So many servers each, one behind another; their port, and their weights by turns. */
  readonly reals: number;
  readonly servers: Int32Array;
  readonly serverPort: number;
  readonly weights: readonly number[];
  /** Of schedulers that hash, how many slots; the hash is another than the machine's. */
  readonly slots: number;
}

/** The machine's director in plain TypeScript, as far as TCP's new connections need it: NAT, no persistence, no thresholds. */
export class PlainDirector {
  readonly sessions: Sessions;
  readonly #table = new ExactTable();
  readonly #at: Int32Array;
  readonly #required: Int32Array;
  readonly #slots: Uint16Array;
  readonly #active: Int32Array;
  /** Connections, packets and octets: of servers, then of services, then of all. */
  readonly #statistics: Float64Array;
  readonly #packet = new Packet();

  constructor(
    readonly services: PlainServices,
    room: number,
  ) {
    const { virtual, port, reals, servers, slots } = services;
    this.sessions = new Sessions(room);
    this.#at = new Int32Array(virtual.length).fill(reals);
    // Servers that are added one by one leave the first round with the least weight (ip_vs_wrr_dest_changed).
    this.#required = new Int32Array(virtual.length).fill(1);
    this.#slots = Uint16Array.from({ length: virtual.length * slots }, (_, at) => at % reals);
    this.#active = new Int32Array(servers.length);
    this.#statistics = new Float64Array((servers.length + virtual.length + 1) * 3);
    for (const [index, address] of virtual.entries())
      this.#table.set(address, (PROTO_TCP << 16) | port, index + 1);
  }

  #weight(server: number): number {
    return this.services.weights[server % this.services.weights.length] as number;
  }

  #round(service: number): number {
    const { reals } = this.services;
    const at = (this.#at[service] as number) || reals;
    this.#at[service] = at - 1;
    return at - 1;
  }

  /** The next server with the weight that is required now. */
  #weightedRound(service: number): number {
    while (true) {
      if (this.#at[service] === 0) {
        const required = (this.#required[service] as number) - 1;
        this.#required[service] = required > 0 ? required : Math.max(...this.services.weights);
      }
      const server = this.#round(service);
      if (this.#weight(service * this.services.reals + server) >= (this.#required[service] as number))
        return server;
    }
  }

  /** The least loaded, from newer to older; of nq the first that has nothing. */
  #least(service: number): number {
    const { reals, scheduler } = this.services;
    const first = service * reals;
    let [least, leastLoad, leastWeight] = [-1, 0, 0];
    const more = scheduler === "sed" || scheduler === "nq" ? 1 : 0;
    for (let server = reals - 1; server >= 0; server--) {
      const active = this.#active[first + server] as number;
      if (scheduler === "nq" && active === 0) return server;
      const load = more === 0 ? active * 256 : active + 1;
      const weight = scheduler === "lc" ? 1 : this.#weight(first + server);
      if (least >= 0 && leastLoad * weight <= load * leastWeight) continue;
      [least, leastLoad, leastWeight] = [server, load, weight];
    }
    return least;
  }

  #pick(service: number, src: number): number {
    const { scheduler, slots } = this.services;
    if (scheduler === "rr") return this.#round(service);
    if (scheduler === "wrr") return this.#weightedRound(service);
    if (scheduler !== "sh" && scheduler !== "mh") return this.#least(service);
    const hash = Math.imul(src ^ (src >>> 15), 0x61c88647) >>> 0;
    return this.#slots[service * slots + (hash % slots)] as number;
  }

  #count(row: number, octets: number): void {
    const statistics = this.#statistics;
    const at = row * 3;
    statistics[at] = (statistics[at] as number) + 1;
    statistics[at + 1] = (statistics[at + 1] as number) + 1;
    statistics[at + 2] = (statistics[at + 2] as number) + octets;
  }

  #open(packet: Packet, service: number, now: number): boolean {
    const { reals, servers, serverPort, virtual } = this.services;
    const { src, dst, ports, protocol } = packet;
    const destination = service * reals + this.#pick(service, src);
    const server = servers[destination] as number;
    const back = (serverPort << 16) | (ports >>> 16);
    if (this.sessions.find(server, src, back, protocol, 1) !== 0) return false;
    const record = this.sessions.reserve();
    if (record === 0) return false;
    const [words, at] = [this.sessions.records, record * SESSION_WORDS];
    words[at + CLIENT] = src;
    words[at + VIRTUAL] = dst;
    words[at + PORTS_AT] = ports;
    words[at + SERVER] = server;
    words[at + SERVER_PORT] = serverPort;
    words[at + DESTINATION] = destination;
    words[at + SERVICE] = service;
    words[at + PROTOCOL] = protocol;
    this.sessions.open(record, now + SYN_RECV);
    this.#active[destination] = (this.#active[destination] as number) + 1;
    for (const row of [destination, servers.length + service, servers.length + virtual.length])
      this.#count(row, packet.length - IP_AT);
    packet.dst = server;
    packet.ports = (ports & 0xffff0000) | serverPort;
    return true;
  }

  #direct(packet: Packet, now: number): boolean {
    const { src, dst, ports, protocol } = packet;
    if (this.sessions.find(src, dst, ports, protocol, 1) !== 0) return false;
    if (this.sessions.find(src, dst, ports, protocol, 0) !== 0) return false;
    if ((packet.tcpFlags & (TCP_FLAG_SYN | TCP_FLAG_RST)) !== TCP_FLAG_SYN) return false;
    const service = this.#table.find(dst, (protocol << 16) | (ports & 0xffff));
    return service !== 0 && this.#open(packet, service - 1, now);
  }

  #expire(now: number): void {
    for (let record = this.sessions.end(now); record !== 0; record = this.sessions.end(now)) {
      const destination = this.sessions.records[record * SESSION_WORDS + DESTINATION] as number;
      this.#active[destination] = (this.#active[destination] as number) - 1;
      this.sessions.give(record);
    }
  }

  /** Packets first … end - 1; what is no new connection is dropped. */
  run(batch: PlainBatch, first: number, end: number, now: number): void {
    const packet = this.#packet;
    this.#expire(now);
    for (let index = first; index < end; index++) {
      packet.frame = batch.frames[index] as number;
      packet.length = batch.lengths[index] as number;
      packet.verdict = packet.reason = 0;
      if (parse(batch.view, packet)) {
        if (this.#direct(packet, now)) {
          translate(batch.view, packet);
          packet.decide(verdict.VERDICT_FORWARD, 0);
        } else packet.decide(verdict.VERDICT_DROP, verdict.DROP_NO_CONNECTION);
      }
      batch.verdicts[index] = packet.verdict | (packet.reason << 8);
    }
  }
}

import { CTSTATE_DNAT, CTSTATE_ESTABLISHED, CTSTATE_NEW, CTSTATE_SNAT } from "../../assembly/abi/entry.js";
import * as flow from "./flow.js";
import type { Packet } from "./packet.js";
import type { Random } from "./random.js";

/** IPVS chose the destination. */
export const FLAG_IPVS = 256;

const PORT_FIRST = 1024;
const PORTS = 65536 - PORT_FIRST;
const TRIES = 128;
const FOREVER = 86_400_000;

/** Connection tracking and its two halves of address translation. */
export class Connections {
  readonly #flows: flow.FlowTable;
  readonly #random: Random;

  constructor(connections: number, random: Random) {
    this.#flows = new flow.FlowTable(connections);
    this.#random = random;
  }

  clear(): void {
    this.#flows.clear();
  }

  #word(packet: Packet, field: number): number {
    return this.#flows.records[(packet.flow >> 1) * flow.RECORD_WORDS + field] as number;
  }

  /** Finds the packet's connection and moves it on; true for the first packet of one. */
  track(packet: Packet): boolean {
    packet.flow = this.#flows.find(packet.frameSrc, packet.frameDst, packet.framePorts, packet.protocol);
    if (packet.flow === 0) {
      packet.ctstate = CTSTATE_NEW;
      return true;
    }
    this.#advance(packet.flow >> 1, packet.flow & 1);
    const flags = this.#word(packet, flow.FLAGS_AT);
    const isNew = this.#word(packet, flow.STATE_AT) === flow.STATE_NEW;
    packet.flowFlags = flags & FLAG_IPVS;
    packet.ctstate = (flags & (CTSTATE_DNAT | CTSTATE_SNAT)) | (isNew ? CTSTATE_NEW : CTSTATE_ESTABLISHED);
    return false;
  }

  #advance(record: number, direction: number): void {
    const { records } = this.#flows;
    const at = record * flow.RECORD_WORDS;
    if (direction === 1 && records[at + flow.STATE_AT] === flow.STATE_NEW)
      records[at + flow.STATE_AT] = flow.STATE_ESTABLISHED;
    records[at + flow.EXPIRES_AT] = FOREVER;
  }

  /** The destination of a packet of a known connection. */
  redirect(packet: Packet): void {
    if (packet.flow === 0) return;
    if ((packet.flow & 1) === 1) {
      packet.dst = this.#word(packet, flow.SRC_AT);
      packet.ports = (packet.ports & 0xffff0000) | (this.#word(packet, flow.PORTS_AT) >>> 16);
    } else if (packet.flowFlags === 0) this.takeDestination(packet);
  }

  takeDestination(packet: Packet): void {
    packet.dst = this.#word(packet, flow.REPLY_SRC_AT);
    packet.ports = (packet.ports & 0xffff0000) | (this.#word(packet, flow.REPLY_PORTS_AT) >>> 16);
  }

  /** The source of a packet of a known connection. */
  resource(packet: Packet): void {
    const isOriginal = (packet.flow & 1) === 0;
    packet.src = this.#word(packet, isOriginal ? flow.REPLY_DST_AT : flow.DST_AT);
    const ports = this.#word(packet, isOriginal ? flow.REPLY_PORTS_AT : flow.PORTS_AT);
    packet.ports = (packet.ports & 0xffff) | (ports << 16);
  }

  #isFree(packet: Packet, port: number): boolean {
    const ports = (packet.ports << 16) | port;
    return this.#flows.find(packet.dst, packet.src, ports, packet.protocol) === 0;
  }

  /** Gives a masqueraded packet random ports until its reply tuple is free. */
  #choosePort(packet: Packet): void {
    if (packet.masquerade !== 2 && this.#isFree(packet, packet.ports >>> 16)) return;
    const start = this.#random.draw() >>> 16;
    for (let tried = 0; tried < TRIES; tried++) {
      const port = PORT_FIRST + (((start + tried) & 0xffff) % PORTS);
      if (!this.#isFree(packet, port)) continue;
      packet.ports = (packet.ports & 0xffff) | (port << 16);
      return;
    }
  }

  /** Opens the connection of a first packet. */
  open(packet: Packet): void {
    this.#choosePort(packet);
    const { records } = this.#flows;
    const number = this.#flows.reserve();
    const at = number * flow.RECORD_WORDS;
    records[at + flow.SRC_AT] = packet.frameSrc;
    records[at + flow.DST_AT] = packet.frameDst;
    records[at + flow.PORTS_AT] = packet.framePorts;
    records[at + flow.REPLY_SRC_AT] = packet.dst;
    records[at + flow.REPLY_DST_AT] = packet.src;
    records[at + flow.REPLY_PORTS_AT] = (packet.ports << 16) | (packet.ports >>> 16);
    records[at + flow.PROTOCOL_AT] = packet.protocol;
    const changed = packet.ports ^ packet.framePorts;
    const dstStays = packet.dst === packet.frameDst && (changed & 0xffff) === 0;
    const srcStays = packet.src === packet.frameSrc && changed >>> 16 === 0;
    records[at + flow.FLAGS_AT] =
      (dstStays ? 0 : CTSTATE_DNAT) | (srcStays ? 0 : CTSTATE_SNAT) | packet.flowFlags;
    this.#flows.commit(number);
    this.#advance(number, 0);
    packet.flow = number << 1;
  }
}

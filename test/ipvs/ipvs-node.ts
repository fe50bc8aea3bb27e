import { EXACT_SERVICES, EXACT_SERVICES6 } from "../../assembly/abi/entry.js";
import { STATUS_OK } from "../../assembly/abi/image.js";
import * as server from "../../assembly/abi/server.js";
import { Batch } from "../../src/engine/batch.js";
import { halvesOf6, wordsOf6 } from "../../src/engine/entries/words.js";
import { type IpvsCounters, readCounters } from "../../src/engine/ipvs-counters.js";
import { type IpvsConnection, readSessions } from "../../src/engine/ipvs-sessions.js";
import { parseIp } from "../../src/net/ip.js";
import { BareImage, type BareOptions } from "../bare-image.js";

export interface RealServer {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly upper?: number;
  readonly lower?: number;
  /** FORWARD_ code. */
  readonly forward?: number;
}

export interface VirtualServer {
  readonly scheduler?: number;
  readonly isOnePacket?: boolean;
  /** Seconds. */
  readonly persistence?: number;
  /** An IPv4 mask, or the length of an IPv6 prefix. */
  readonly netmask?: number;
  readonly port: number;
  readonly mark?: number;
}

export interface Directed {
  readonly verdict: string;
  readonly reason: string;
  readonly session: number;
  readonly frame: Uint8Array;
}

function wordsOf(address: string): readonly number[] {
  const ip = parseIp(address);
  return typeof ip === "bigint" ? wordsOf6(ip) : [0, 0, 0, ip ?? 0];
}

function realRow({ address, port, weight, upper = 0, lower = 0, forward = 0 }: RealServer): number[] {
  const [first = 0, second = 0, third = 0, last = 0] = wordsOf(address);
  return [last, port, weight, 0, first, second, third, 0, upper, lower, forward, 0, 0, 0, 0, 0];
}

/** IPVS alone: virtual servers, and packets that go through nothing else. */
export class IpvsNode {
  readonly #batches = new Map<number, Batch>();

  private constructor(readonly image: BareImage) {}

  static async make(options: BareOptions = {}): Promise<IpvsNode> {
    return new IpvsNode(await BareImage.make(options));
  }

  /** Sets SETTING_ codes. */
  settings(values: Readonly<Record<number, number>>): this {
    const { machine, address } = this.image;
    for (const [code, value] of Object.entries(values)) machine.settingSet(address, Number(code), value);
    return this;
  }

  /** Makes virtual server `number` what is said, with these real ones. */
  set(number: number, service: VirtualServer, servers: readonly RealServer[]): this {
    const { persistence, isOnePacket = false, netmask = 0xffffffff, mark = 0, port } = service;
    const flags =
      (persistence === undefined ? 0 : server.SERVICE_FLAG_PERSISTENT) |
      (isOnePacket ? server.SERVICE_FLAG_ONE_PACKET : 0);
    const { scheduler = server.SCHEDULER_RR } = service;
    const head = [number, servers.length, scheduler, flags, persistence ?? 0, netmask, port, mark];
    const { machine, address, state } = this.image;
    const status = this.image.withWords([...head, ...servers.flatMap(realRow)], (at) =>
      machine.serverSet(address, at, at + server.SERVER_ROW_LEN),
    );
    if (status !== STATUS_OK) throw new Error(`virtual server ${number}: status ${status}`);
    machine.serverSettle(address, state, number);
    return this;
  }

  /** Packets to an address, protocol and port are virtual server `number`'s. */
  listen(number: number, address: string, protocol: number, port: number): this {
    const { machine, address: image } = this.image;
    const protoPort = (protocol << 16) | port;
    const ip = parseIp(address);
    const status =
      typeof ip === "bigint"
        ? this.image.withWords([...halvesOf6(ip), protoPort, number + 1], (at) =>
            machine.exact6Insert(image, EXACT_SERVICES6, at, 1),
          )
        : this.image.withWords([ip ?? 0, protoPort, number + 1], (at) =>
            machine.exactInsert(image, EXACT_SERVICES, at, 1),
          );
    if (status !== STATUS_OK) throw new Error(`${address}:${port}: status ${status}`);
    return this;
  }

  /** Sends frames as one batch. */
  send(frames: readonly Uint8Array[], now: number): Directed[] {
    const { machine, memory, address, state } = this.image;
    const batch = this.#batches.get(frames.length) ?? new Batch(machine, memory, frames.length, {});
    this.#batches.set(frames.length, batch);
    for (const [index, frame] of frames.entries()) batch.set(index, frame, 1);
    const status = machine.direct(address, state, batch.address, frames.length, now);
    if (status !== STATUS_OK) throw new Error(`direct: status ${status}`);
    return frames.map((_, index) => ({
      verdict: batch.verdict(index),
      reason: batch.reason(index),
      session: batch.connections[index] ?? 0,
      frame: batch.frame(index).slice(),
    }));
  }

  one(frame: Uint8Array, now: number): Directed {
    return this.send([frame], now)[0] as Directed;
  }

  /** Time passes. */
  wait(now: number): void {
    this.image.machine.sessionsExpire(this.image.address, this.image.state, now);
  }

  get sessions(): readonly IpvsConnection[] {
    return readSessions(this.image.machine, this.image.memory, this.image.state);
  }

  get counters(): IpvsCounters {
    const { machine, memory, address, state } = this.image;
    return readCounters({ machine, memory, image: address, state });
  }

  get count(): number {
    return this.image.machine.sessionsCount(this.image.state) >>> 0;
  }
}

import { EXACT_SERVICES } from "../../assembly/abi/entry.js";
import * as server from "../../assembly/abi/server.js";
import {
  DESTINATION_ROW_ADDRESS,
  DESTINATION_ROW_LEN,
  DESTINATION_ROW_NUMBER,
  DESTINATION_ROW_PORT,
  DESTINATION_ROW_SERIAL,
  DESTINATION_ROW_SERVICE,
} from "../../assembly/abi/session.js";
import { printIp } from "../../src/net/ip.js";
import { udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { BareNode, ip4 } from "../bare-node.js";
import type { Client, KernelServer, Real } from "../oracle/schedulers.js";
import { schedulerWord } from "./ring-node.js";

/** Octets enough for the cache of schedulers (assembly/table/ring/cache.ts), all zero. */
const CACHE = 4 << 20;
/** Of a state (assembly/state.ts), and of IPVS' part behind its head (assembly/table/ipvs/layout.ts). */
const [RANDOM, IPVS_AT] = [24, 120];
const [COUNTERS_AT, CACHE_AT] = [128 + 16, 128 + 96];
/** COUNTER_…: the word of a count of templates, none here, says whether the server is overloaded. */
const [COUNTER_LEN, TEMPLATES, OVERLOADED] = [64, 8, 0x8000_0000];
const UPPER = 1_000_000;
/** What the virtual server serves. */
const [UDP, PORT] = [17, 80];

export interface Known {
  readonly number: number;
  readonly serial: number;
  readonly isThere: boolean;
}

/** A node with one virtual server on several addresses, whose counters are set by hand. */
export class LoadedNode {
  #now = 0;

  private constructor(readonly node: BareNode) {}

  static async make(vips: readonly string[]): Promise<LoadedNode> {
    const node = (await BareNode.make({ connections: 4096, capacity: 1 << 22 }))
      .route("0.0.0.0/0", { kind: "direct", out: 2 })
      .route("10.96.0.0/12", { kind: "local" });
    node.table(
      EXACT_SERVICES,
      vips.map((vip) => [ip4(vip), (UDP << 16) | PORT, 1]),
    );
    const { memory, state } = node.image;
    const ipvs = state + memory.view(state, 128).getUint32(IPVS_AT, true);
    memory.view(ipvs, 256).setUint32(CACHE_AT, memory.take(CACHE) - ipvs, true);
    return new LoadedNode(node);
  }

  get #ipvs(): number {
    const { memory, state } = this.node.image;
    return state + memory.view(state, 128).getUint32(IPVS_AT, true);
  }

  /** The servers that the kernel's list has, in the order of their addition; `limited`: they may be overloaded. Datagrams leave nothing behind that counts. */
  take(list: KernelServer, limited = true): this {
    const { image } = this.node;
    const upper = limited ? UPPER : 0;
    const rows = list.oldestFirst.flatMap(({ address, port, weight }) => [
      ...[address, port, weight, 0, 0, 0, 0, 0],
      ...[upper, 0, 0, 0, 0, 0, 0, 0],
    ]);
    const flags = server.SERVICE_FLAG_ONE_PACKET;
    const head = [0, list.oldestFirst.length, schedulerWord(list.scheduler), flags, 0, 0, PORT, 0];
    const size = list.scheduler.size ?? 0;
    const status = image.withWords([...head, ...rows], (at) =>
      image.machine.serverSet(image.address, at, at + server.SERVER_ROW_LEN, size),
    );
    if (status !== 0) throw new Error(`status ${status}`);
    image.machine.serverSettle(image.address, image.state, 0);
    return this;
  }

  /** Changes the virtual server alone, to seconds of persistence that nobody asks for here, and to the list's scheduler. */
  edit(list: KernelServer, seconds: number): this {
    const { image } = this.node;
    const flags = server.SERVICE_FLAG_ONE_PACKET;
    const row = [0, 0, schedulerWord(list.scheduler), flags, seconds, 0, PORT, 0];
    const status = image.withWords(row, (at) => image.machine.serverEdit(image.address, at));
    if (status !== 0) throw new Error(`status ${status}`);
    image.machine.serverSettle(image.address, image.state, 0);
    return this;
  }

  /** Destinations by address and port. */
  destinations(): ReadonlyMap<string, Known> {
    const { machine, memory, address, state } = this.node.image;
    const known = new Map<string, Known>();
    memory.borrow(1024 * DESTINATION_ROW_LEN, (at) => {
      const count = machine.destinationsRead(address, state, 0, 1024, at);
      for (let index = 0; index < count; index++) {
        const row = memory.view(at + index * DESTINATION_ROW_LEN, DESTINATION_ROW_LEN);
        const word = (field: number) => row.getUint32(field, true);
        const name = `${printIp(word(DESTINATION_ROW_ADDRESS + 12))}:${word(DESTINATION_ROW_PORT)}`;
        const isThere = word(DESTINATION_ROW_SERVICE) !== 0;
        known.set(name, {
          number: word(DESTINATION_ROW_NUMBER),
          serial: word(DESTINATION_ROW_SERIAL),
          isThere,
        });
      }
    });
    return known;
  }

  /** Writes the counters that a kernel would have. */
  #count(reals: readonly Real[]): void {
    const { memory } = this.node.image;
    const rows = this.#ipvs + memory.view(this.#ipvs, 256).getUint32(COUNTERS_AT, true);
    const destinations = this.destinations();
    for (const { address, port, active, inactive, isOverloaded } of reals) {
      const { number } = destinations.get(`${printIp(address)}:${port}`) ?? { number: 0 };
      const row = memory.view(rows + number * COUNTER_LEN, COUNTER_LEN);
      row.setUint32(0, active, true);
      row.setUint32(4, inactive, true);
      row.setUint32(TEMPLATES, isOverloaded ? OVERLOADED : 0, true);
    }
  }

  /** Where new connections go one after another, as `address:port`, or null where one is refused, at a time. */
  picks(list: KernelServer, clients: readonly Client[], now = this.#now): (string | null)[] {
    const { machine, address, state } = this.node.image;
    this.#now = now;
    machine.flowsClear(state);
    machine.sessionsClear(address, state);
    this.#count(list.known);
    const frames = clients.map(({ src, dst, ports }) =>
      udp(`${printIp(src)}:${ports >>> 16}`, `${printIp(dst)}:${ports & 0xffff}`),
    );
    return this.node.run(frames, 1, now).map(({ verdict, reason, frame }) => {
      if (verdict !== "FORWARD" && reason !== "NO_DESTINATION") throw new Error(`${verdict}: ${reason}`);
      const packet = describePacket(frame);
      return verdict === "FORWARD" ? `${packet.dst}:${packet.dstPort}` : null;
    });
  }

  pick(list: KernelServer, client: Client, now = this.#now): string | null {
    return this.picks(list, [client], now)[0] ?? null;
  }

  /** The draws that the machine will make from here on (assembly/random.ts). */
  get draws(): (n: number) => number {
    const head = this.node.image.memory.view(this.node.image.state, 128);
    let [a, b, c, count] = [0, 4, 8, 12].map((at) => head.getUint32(RANDOM + at, true)) as [
      number,
      number,
      number,
      number,
    ];
    return (n) => {
      const sum = (a + b + count++) >>> 0;
      a = (b ^ (b >>> 9)) >>> 0;
      b = (c + (c << 3)) >>> 0;
      c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
      return Number((BigInt(sum) * BigInt(n)) >> 32n);
    };
  }
}

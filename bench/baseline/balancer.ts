import * as verdict from "../../assembly/abi/verdict.js";
import type { PlainBatch } from "./batch.js";
import { hashTuple } from "./flow.js";
import { maglevPlaces } from "./maglev.js";
import { Packet } from "./packet.js";
import { parse } from "./parse.js";
import { translate } from "./rewrite.js";

/** The machine's balancing without connections in plain TypeScript; its hash is another one. */
export class Balancer {
  readonly #servers: Uint32Array;
  readonly #places: Uint32Array;
  readonly #packet = new Packet();

  /** Rows of address and port, in the order of their addition. */
  constructor(servers: Uint32Array, size: number) {
    this.#servers = servers;
    this.#places = maglevPlaces(servers, size);
  }

  run(batch: PlainBatch, count: number): void {
    const { view } = batch;
    const packet = this.#packet;
    for (let index = 0; index < count; index++) {
      packet.frame = batch.frames[index] as number;
      packet.length = batch.lengths[index] as number;
      packet.verdict = packet.reason = 0;
      if (parse(view, packet)) {
        const hash = hashTuple(packet.src, packet.dst, packet.ports, packet.protocol) >>> 0;
        const place = Math.floor((hash * this.#places.length) / 2 ** 32);
        const server = (this.#places[place] as number) * 2;
        packet.dst = (this.#servers[server] as number) | 0;
        packet.ports = (packet.ports & 0xffff0000) | (this.#servers[server + 1] as number);
        translate(view, packet);
        packet.decide(verdict.VERDICT_FORWARD, 0);
      }
      batch.verdicts[index] = packet.verdict | (packet.reason << 8);
    }
  }
}

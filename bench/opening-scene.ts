import { EXACT_SERVICES } from "../assembly/abi/entry.js";
import * as server from "../assembly/abi/server.js";
import { VERDICT_FORWARD } from "../assembly/abi/verdict.js";
import { ETH_LEN, IP4_CHECKSUM, IP4_DST, IP4_LEN, IP4_SRC, PROTO_TCP } from "../assembly/abi/wire.js";
import { Batch } from "../src/engine/batch.js";
import { tcp } from "../src/packet/build.js";
import { PlainBatch } from "./baseline/batch.js";
import { PlainDirector, type PlainScheduler, type PlainServices } from "./baseline/director.js";
import { fold, wordsOf } from "./baseline/wire.js";
import { PlainImage } from "./image.js";

/** Packets of a call, and calls of a run: packets stand in a ring of 4,096. */
const CALL = 256;
const CALLS = 16;
export const RING = CALL * CALLS;
/** Milliseconds that a connection lives behind its SYN, which is all there is of it. */
const LIFE = 60_000;
const [PORT, SERVER_PORT] = [80, 8080];
const [FIRST_VIRTUAL, FIRST_REAL, FIRST_CLIENT] = [0x0a600001, 0x0b000000, 0xc0000000];
const CODES: Readonly<Record<PlainScheduler, number>> = {
  rr: server.SCHEDULER_RR,
  wrr: server.SCHEDULER_WRR,
  sh: server.SCHEDULER_SH,
  mh: server.SCHEDULER_MH,
  lc: server.SCHEDULER_LC,
  wlc: server.SCHEDULER_WLC,
  sed: server.SCHEDULER_SED,
  nq: server.SCHEDULER_NQ,
};
const SLOTS: Partial<Record<PlainScheduler, number>> = { sh: 256, mh: 4093 };

export interface SceneOptions {
  readonly scheduler: PlainScheduler;
  readonly services: number;
  /** Real servers of each. */
  readonly reals: number;
  /** Connections there are at any time, a multiple of 256. */
  readonly live: number;
}

function servicesOf({ scheduler, services, reals }: SceneOptions): PlainServices {
  return {
    scheduler,
    virtual: Int32Array.from({ length: services }, (_, index) => FIRST_VIRTUAL + index),
    port: PORT,
    reals,
    servers: Int32Array.from({ length: services * reals }, (_, index) => FIRST_REAL + index),
    serverPort: SERVER_PORT,
    weights: scheduler === "wrr" || scheduler === "wlc" ? [1, 2, 3, 4] : [1],
    slots: SLOTS[scheduler] ?? 0,
  };
}

/** SYNs that nobody has sent before, to services drawn one by one; always the same ones. */
class Clients {
  readonly #syn = tcp("192.0.2.1:1", "10.96.0.1:80", { flags: "S" });
  #sent = 0;
  #drawn = 1;

  constructor(readonly virtual: Int32Array) {}

  write(octets: Uint8Array, view: DataView, at: number): void {
    const drawn = (Math.imul(this.#drawn, 1664525) + 1013904223) >>> 0;
    this.#drawn = drawn;
    const client = FIRST_CLIENT + (Math.imul(this.#sent, 0x9e3779b1) >>> 8);
    const virtual = this.virtual[Math.floor((drawn * this.virtual.length) / 2 ** 32)] as number;
    const ip = at + ETH_LEN;
    octets.set(this.#syn, at);
    view.setUint32(ip + IP4_SRC, client);
    view.setInt32(ip + IP4_DST, virtual);
    view.setUint16(ip + IP4_LEN, 1024 + (this.#sent++ % 60_000));
    let sum = wordsOf(client) + wordsOf(virtual);
    for (let word = 0; word < IP4_SRC; word += 2) if (word !== IP4_CHECKSUM) sum += view.getUint16(ip + word);
    view.setUint16(ip + IP4_CHECKSUM, ~fold(sum) & 0xffff);
  }

  get frameLength(): number {
    return this.#syn.length;
  }
}

/** A director to which every packet is a new connection, while as many as come are over. */
export interface Director {
  prepare(): void;
  run(): void;
  readonly frames: () => readonly Uint8Array[];
  readonly live: () => number;
  readonly refused: () => number;
}

async function imageOf(options: SceneOptions): Promise<PlainImage> {
  const { scheduler, services, reals } = options;
  const { virtual, servers, weights, slots } = servicesOf(options);
  const image = await PlainImage.make(2 ** 25 + services * (1024 + slots * 3) + services * reals * 256);
  const { machine, memory, address } = image;
  const rows = new Uint32Array(reals * (server.SERVER_ENTRY_LEN / 4));
  for (let number = 0; number < services; number++) {
    rows.fill(0);
    for (let index = 0; index < reals; index++) {
      const at = index * (server.SERVER_ENTRY_LEN / 4);
      const own = number * reals + index;
      rows.set([servers[own] as number, SERVER_PORT, weights[own % weights.length] as number], at);
    }
    const head = [number, reals, CODES[scheduler], 0, 0, 0xffffffff, PORT, 0];
    memory.borrow(server.SERVER_ROW_LEN + rows.byteLength, (at) => {
      memory.words(at, head.length).set(head);
      memory.words(at + server.SERVER_ROW_LEN, rows.length).set(rows);
      image.check(machine.serverSet(address, at, at + server.SERVER_ROW_LEN));
    });
  }
  const keys = Array.from(virtual).flatMap((vip, index) => [vip, (PROTO_TCP << 16) | PORT, index + 1]);
  image.check(machine.exactInsert(address, EXACT_SERVICES, image.words(keys).at, services));
  return image;
}

/** So far time goes on from call to call, so that as many end as there are new ones. */
function stepOf({ live }: SceneOptions): number {
  return Math.ceil(LIFE / (live / CALL));
}

export async function machineDirector(options: SceneOptions): Promise<Director> {
  const { services, reals, live } = options;
  const image = await imageOf(options);
  const { machine, memory, address } = image;
  const room = 2 ** Math.ceil(Math.log2(services));
  const own = [live, services * reals, 0] as const;
  const state = memory.take(machine.stateLength(16, room, 0, 0, ...own, 0) >>> 0);
  image.check(machine.stateCreate(state, 16, room, 1, 0, 0, 0));
  image.check(machine.stateReach(state, room, 0, ...own));
  for (let number = 0; number < services; number++) machine.serverSettle(address, state, number);
  const batches = Array.from({ length: CALLS }, () => new Batch(machine, memory, CALL));
  const views = batches.map((batch) => memory.view(batch.address, batch.octets.length));
  const clients = new Clients(servicesOf(options).virtual);
  for (const batch of batches)
    for (let index = 0; index < CALL; index++) batch.set(index, new Uint8Array(clients.frameLength), 1);
  let now = LIFE;
  return {
    prepare() {
      for (const [number, batch] of batches.entries())
        for (const at of batch.frames) clients.write(batch.octets, views[number] as DataView, at);
    },
    run() {
      for (const batch of batches) {
        now += stepOf(options);
        image.check(machine.direct(address, state, batch.address, CALL, now));
      }
    },
    frames: () => batches.flatMap((batch) => Array.from({ length: CALL }, (_, index) => batch.frame(index))),
    live: () => machine.sessionsCount(state) >>> 0,
    refused: () =>
      batches.reduce(
        (sum, { verdicts }) => sum + verdicts.filter((one) => one !== VERDICT_FORWARD).length,
        0,
      ),
  };
}

export function plainDirector(options: SceneOptions): Director {
  const director = new PlainDirector(servicesOf(options), options.live);
  const clients = new Clients(director.services.virtual);
  const batch = new PlainBatch(RING);
  for (let index = 0; index < RING; index++) batch.set(index, new Uint8Array(clients.frameLength), 1);
  let now = LIFE;
  return {
    prepare() {
      for (const at of batch.frames) clients.write(batch.octets, batch.view, at);
    },
    run() {
      for (let first = 0; first < RING; first += CALL) {
        now += stepOf(options);
        director.run(batch, first, first + CALL, now);
      }
    },
    frames: () => Array.from({ length: RING }, (_, index) => batch.frame(index)),
    live: () => director.sessions.count,
    refused: () => batch.verdicts.filter((one) => one !== VERDICT_FORWARD).length,
  };
}

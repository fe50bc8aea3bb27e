import {
  NEXT_HOP_ENTRY_LEN,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_DIRECT,
  NEXT_HOP_MTU,
} from "../../assembly/abi/entry.js";
import {
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_NEXT_HOP,
  COLUMN_VERDICT,
  SLOT_HEADROOM,
} from "../../assembly/abi/packet.js";
import { VERDICT_FORWARD } from "../../assembly/abi/verdict.js";
import { ETH_LEN, IP4_CHECKSUM, IP4_ID, IP4_LEN } from "../../assembly/abi/wire.js";
import { internetChecksum } from "../../src/packet/checksum.js";
import { RING_LEN } from "./flows.js";
import type { FrameFile } from "./frames.js";
import type { BenchImage, OrderedSum } from "./kernel.js";

/** Every packet comes in by one interface of the node. */
const IN = 1;
const NOW = 0;

/** A ring of packets in the machine's own batch: slots to fill, columns to read. */
export class PacketRing {
  readonly #image: BenchImage;
  readonly #batch: number;
  readonly #stride: number;
  readonly #octets: Uint8Array;
  readonly #words: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #frames: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #ins: Uint32Array;
  readonly #verdicts: Uint32Array;
  readonly #nextHops: Uint32Array;

  constructor(image: BenchImage, stride: number) {
    const { machine, memory } = image;
    this.#image = image;
    this.#stride = Math.ceil(stride / 128) * 128;
    const length = machine.batchLength(RING_LEN, this.#stride, 0) >>> 0;
    this.#batch = memory.take(length);
    machine.batchCreate(this.#batch, RING_LEN, this.#stride, 0);
    this.#octets = memory.octets(this.#batch, length);
    this.#words = memory.words(this.#batch, length >> 2);
    const column = (number: number) =>
      memory.words(this.#batch + BATCH_HEADER_LEN + number * RING_LEN * 4, RING_LEN);
    this.#frames = column(COLUMN_FRAME);
    this.#lengths = column(COLUMN_LENGTH);
    this.#ins = column(COLUMN_IN);
    this.#verdicts = column(COLUMN_VERDICT);
    this.#nextHops = column(COLUMN_NEXT_HOP);
    const slots = memory.words(this.#batch + BATCH_SLOTS, 1)[0] as number;
    this.#starts = Uint32Array.from(
      { length: RING_LEN },
      (_, index) => slots + index * this.#stride + SLOT_HEADROOM,
    );
  }

  /** Writes RING_LEN frames from the first-th on, as they come in. Both stand at multiples of 4. */
  refill(file: FrameFile, words: Uint32Array, first: number): void {
    const [recordWords, to] = [file.record >> 2, this.#words];
    const frameWords = Math.ceil(file.length / 4);
    for (let index = 0; index < RING_LEN; index++) {
      let at = (this.#starts[index] as number) >> 2;
      let from = (file.octets.length - file.count * file.record) / 4 + (first + index) * recordWords;
      for (const end = at + frameWords; at < end; ) to[at++] = words[from++] as number;
    }
    this.#expect(file.length);
  }

  #expect(length: number): void {
    this.#frames.set(this.#starts);
    this.#lengths.fill(length);
    this.#ins.fill(IN);
    // What asks for no route leaves these as they are: the native loops then say 1.
    this.#nextHops.fill(1);
  }

  run(count = RING_LEN): void {
    const { machine, address, state } = this.#image;
    machine.run(address, state, this.#batch, count, NOW);
  }

  /** Gives every packet a destination from virtual server 0. */
  balance(): void {
    const { machine, address, state } = this.#image;
    this.#image.check(machine.balance(address, state, 0, this.#batch, RING_LEN));
  }

  /** Takes the outer headers off every packet. */
  decapsulate(): void {
    const { machine, address, state } = this.#image;
    this.#image.check(machine.decapsulate(address, state, this.#batch, RING_LEN));
  }

  /** Gives every packet what its connection has for it. */
  translate(): void {
    const { machine, address, state } = this.#image;
    this.#image.check(machine.translate(address, state, this.#batch, RING_LEN, NOW));
  }

  /** A default route, so that every packet is forwarded. */
  routeEverything(): void {
    const { machine, address } = this.#image;
    const entry = new Uint8Array(NEXT_HOP_ENTRY_LEN);
    const view = new DataView(entry.buffer);
    view.setUint32(NEXT_HOP_KIND, NEXT_HOP_KIND_DIRECT, true);
    view.setUint32(NEXT_HOP_MTU, 1500, true);
    this.#image.check(machine.nextHopSet(address, 1, this.#image.place(entry)));
    this.#image.check(machine.routeInsert(address, 0, 0, 1));
  }

  /** Runs packets that open connections, or answer; Error unless all are forwarded. */
  open(count: number, write: (index: number, into: Uint8Array) => void): void {
    for (let first = 0; first < count; first += RING_LEN) {
      const packets = Math.min(RING_LEN, count - first);
      let length = 0;
      for (let index = 0; index < packets; index++) {
        const into = this.#octets.subarray(this.#starts[index] as number);
        write(first + index, into);
        length = Math.max(length, 60);
      }
      this.#expect(length);
      this.run(packets);
      const lost = this.#verdicts.subarray(0, packets).findIndex((verdict) => verdict !== VERDICT_FORWARD);
      if (lost >= 0)
        throw new Error(`packet ${first + lost} opens nothing: verdict ${this.#verdicts[lost]}.`);
    }
  }

  /** Adds what left: next hop, length and frame; of a tunnel's headers what a hash and a counter make is left out. */
  addTo(sum: OrderedSum): void {
    for (let index = 0; index < RING_LEN; index++) {
      const isOut = this.#verdicts[index] === VERDICT_FORWARD;
      sum.add(isOut ? (this.#nextHops[index] as number) : 0);
      if (isOut) this.#addFrame(sum, index);
    }
  }

  #addFrame(sum: OrderedSum, index: number): void {
    const [at, length] = [this.#frames[index] as number, this.#lengths[index] as number];
    const frame = this.#octets.subarray(at, at + length);
    sum.add(length);
    if (at < (this.#starts[index] as number)) {
      const ip = frame.subarray(ETH_LEN, ETH_LEN + IP4_LEN);
      sum.add(internetChecksum(ip) === 0 ? 1 : 0);
      ip.fill(0, IP4_ID, IP4_ID + 2);
      ip.fill(0, IP4_CHECKSUM, IP4_CHECKSUM + 2);
      frame.fill(0, ETH_LEN + IP4_LEN, ETH_LEN + IP4_LEN + 2);
    }
    for (const octet of frame) sum.add(octet);
  }
}

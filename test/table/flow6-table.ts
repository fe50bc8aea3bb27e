import {
  FLOW6_DST,
  FLOW6_LEN,
  FLOW6_PORTS,
  FLOW6_PROTOCOL,
  FLOW6_SRC,
  FLOW6_WORDS_LEN,
} from "../../assembly/abi/entry.js";
import type { BareImage } from "../bare-image.js";
import { type Connection6, Flow6Oracle, type Tuple6 } from "../oracle/flow6.js";
import type { Tally } from "../tally.js";

export function turn(ports: number): number {
  return ((ports << 16) | (ports >>> 16)) >>> 0;
}

/** What comes back. */
export function reverse({ src, dst, ports, protocol }: Tuple6): Tuple6 {
  return { src: dst, dst: src, ports: turn(ports), protocol };
}

/** Tuples as the machine takes them. */
function wordsOf(tuples: readonly Tuple6[]): Uint32Array {
  const octets = new Uint8Array(tuples.length * FLOW6_LEN);
  const view = new DataView(octets.buffer);
  for (const [index, { src, dst, ports, protocol }] of tuples.entries()) {
    const at = index * FLOW6_LEN;
    view.setBigUint64(at + FLOW6_SRC, src >> 64n, true);
    view.setBigUint64(at + FLOW6_SRC + 8, BigInt.asUintN(64, src), true);
    view.setBigUint64(at + FLOW6_DST, dst >> 64n, true);
    view.setBigUint64(at + FLOW6_DST + 8, BigInt.asUintN(64, dst), true);
    view.setUint32(at + FLOW6_PORTS, ports, true);
    view.setUint32(at + FLOW6_PROTOCOL, protocol, true);
  }
  return new Uint32Array(octets.buffer);
}

/** Opens a connection; its number, 0 for none. */
export function open6(image: BareImage, connection: Connection6, now: number): number {
  const { machine, state } = image;
  return image.withWords(
    wordsOf([connection.original, connection.reply]),
    (at) => machine.flow6Open(state, at, now, connection.expires) >>> 0,
  );
}

/** record << 1 | direction of each tuple. */
export function find6(image: BareImage, tuples: readonly Tuple6[]): number[] {
  const { machine, state, memory } = image;
  const keys = wordsOf(tuples);
  return memory.borrow(keys.byteLength + FLOW6_WORDS_LEN + tuples.length * 4, (at) => {
    memory.words(at, keys.length).set(keys);
    const words = at + keys.byteLength;
    const results = words + FLOW6_WORDS_LEN;
    machine.flow6FindMany(state, at, tuples.length, words, results);
    return [...memory.words(results, tuples.length)];
  });
}

/** The table under test and its oracle, changed together; what has expired is swept at once. */
export class Both6 {
  readonly oracle: Flow6Oracle;

  constructor(
    readonly image: BareImage,
    readonly records: number,
    readonly asked: readonly Tuple6[],
    readonly tally: Tally,
  ) {
    this.oracle = new Flow6Oracle();
  }

  open(connection: Connection6, now: number): void {
    const number = open6(this.image, connection, now);
    if (this.oracle.holds(connection)) this.#refuse("taken", number);
    else if (this.records - 2 * this.oracle.count < 2) this.#refuse("full", number);
    else {
      this.tally.count("opened");
      if (number === 0 || this.oracle.numbers.includes(number)) throw new Error(`record ${number} is given`);
      this.oracle.open(number, connection);
    }
  }

  #refuse(why: "taken" | "full", number: number): void {
    this.tally.count(why);
    if (number !== 0) throw new Error(`${why}, and yet record ${number} is given`);
  }

  close(index: number): void {
    const { numbers } = this.oracle;
    const number = numbers[index % numbers.length];
    if (number === undefined) return;
    this.tally.count("closed");
    this.image.machine.flowClose(this.image.state, number);
    this.oracle.close(number);
  }

  expire(now: number): void {
    const { machine, state } = this.image;
    const expired = machine.flowsExpire(state, now, this.records + 1);
    if (expired !== this.oracle.expire(now)) throw new Error(`${expired} have expired`);
    this.tally.count("expired", expired);
  }

  check(): void {
    const wanted = this.asked.map((tuple) => this.oracle.find(tuple));
    const found = find6(this.image, this.asked);
    const wrong = found.findIndex((flow, index) => flow !== wanted[index]);
    if (wrong >= 0) throw new Error(`tuple ${wrong}: ${found[wrong]}, not ${wanted[wrong]}`);
    if (this.image.machine.flowsCount(this.image.state) !== this.oracle.count) throw new Error("the count");
    this.tally.count("found", found.filter((flow) => flow !== 0).length);
  }
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NEXT_HOP_ENTRY_LEN, ROUTE_ENTRY_LEN } from "../../assembly/abi/entry.js";
import { SEGMENT_LEN, writeSegment } from "../../src/packet/segment.js";
import { BenchImage, type Kernel, OrderedSum, readWords } from "./kernel.js";
import { PacketRing } from "./packet-ring.js";
import { TUPLE_WORDS } from "./tuples.js";

/** Keys of a call to the machine: as a batch of packets has them. */
const CALL_KEYS = 256;
/** Keys of a pass: a pass is short, so that some passes of a turn are undisturbed. */
const PASS_KEYS = 1 << 16;

/** Looks up keys in linear memory; u32 results go to an address. */
type LookUpMany = (keys: number, count: number, results: number) => void;

/** Streams keys through a bulk look-up; `none` is the result that says there is nothing. */
class TableKernel implements Kernel {
  #keys = 0;
  #count = 0;
  #results = 0;
  #next = 0;

  constructor(
    readonly image: BenchImage,
    readonly name: string,
    readonly keyOctets: number,
    readonly none: number,
    readonly lookUp: LookUpMany,
    readonly arrange: (keys: Uint8Array) => Uint8Array = (keys) => keys,
  ) {}

  keys(path: string): string {
    const octets = readFileSync(path);
    this.#count = octets.length / this.keyOctets;
    if (this.#count === 0 || this.#count % CALL_KEYS !== 0)
      throw new Error(`${path} holds no whole calls of keys.`);
    this.#keys = this.image.place(this.arrange(octets));
    this.#results = this.image.memory.take(CALL_KEYS * 4);
    this.#next = 0;
    return this.name;
  }

  check(): number {
    const sum = new OrderedSum();
    const results = this.image.memory.words(this.#results, CALL_KEYS);
    for (let first = 0; first < this.#count; first += CALL_KEYS) {
      this.lookUp(this.#keys + first * this.keyOctets, CALL_KEYS, this.#results);
      for (const result of results) sum.add(result === this.none ? 0 : result);
    }
    return sum.value;
  }

  pass(): number {
    const count = Math.min(PASS_KEYS, this.#count - this.#next);
    const step = CALL_KEYS * this.keyOctets;
    let at = this.#keys + this.#next * this.keyOctets;
    const end = at + count * this.keyOctets;
    const begin = performance.now();
    for (; at < end; at += step) this.lookUp(at, CALL_KEYS, this.#results);
    const ns = (performance.now() - begin) * 1e6;
    this.#next = (this.#next + count) % this.#count;
    return ns / count;
  }
}

const CAPACITY = 2 ** 29;
const NO_ROUTE = 0xffffffff;

/** Next hops of no kind: routes may only name those that are there. */
function setHops(image: BenchImage, last: number): void {
  const entry = image.place(new Uint8Array(NEXT_HOP_ENTRY_LEN));
  for (let number = 0; number <= last; number++)
    image.check(image.machine.nextHopSet(image.address, number, entry));
}

function highest(words: Uint32Array, rowWords: number): number {
  let last = 0;
  for (let at = rowWords - 1; at < words.length; at += rowWords) last = Math.max(last, words[at] as number);
  return last;
}

export async function lpm4Kernel(folder: string): Promise<Kernel> {
  const image = await BenchImage.make(CAPACITY);
  const routes = readWords(folder, "routes.bin");
  const rowWords = ROUTE_ENTRY_LEN / 4;
  setHops(image, highest(routes, rowWords));
  const { machine, address } = image;
  image.check(machine.routesInsert(address, image.place(routes), routes.length / rowWords));
  return new TableKernel(image, "routeLookupMany", 4, NO_ROUTE, (keys, count, results) =>
    machine.routeLookupMany(address, keys, count, results),
  );
}

/** The same table, built anew in every pass: nanoseconds a route. */
export async function build4Kernel(folder: string): Promise<Kernel> {
  const looked = await lpm4Kernel(folder);
  const image = await BenchImage.make(CAPACITY);
  const routes = readWords(folder, "routes.bin");
  const rows = image.place(routes);
  const count = routes.length / (ROUTE_ENTRY_LEN / 4);
  return {
    keys: (path, stride) => looked.keys(path, stride),
    check: () => looked.check(),
    pass() {
      const { machine, address } = image;
      image.check(machine.imageCreate(address, CAPACITY));
      setHops(image, highest(routes, ROUTE_ENTRY_LEN / 4));
      const begin = performance.now();
      image.check(machine.routesInsert(address, rows, count));
      return ((performance.now() - begin) * 1e6) / count;
    },
  };
}

const ADDRESS6_LEN = 16;
const ROUTE6_LEN = 24;

/**
 * The same rows with each address's halves in the machine's own order, the high half first: as DPDK takes what stands
 * in a packet, the machine takes what parsing made of it.
 */
export function inMachineOrder(rows: Uint8Array, rowOctets: number): Uint8Array {
  const turned = rows.slice();
  for (let at = 0; at < turned.length; at += rowOctets) {
    for (let half = at; half < at + ADDRESS6_LEN; half += 8) turned.subarray(half, half + 8).reverse();
  }
  return turned;
}

export async function lpm6Kernel(folder: string): Promise<Kernel> {
  const image = await BenchImage.make(CAPACITY);
  const insert = image.find("routes6Insert");
  const lookUp = image.find("route6LookupMany");
  const words = readWords(folder, "routes.bin");
  setHops(image, highest(words, ROUTE6_LEN / 4));
  const rows = inMachineOrder(new Uint8Array(words.buffer), ROUTE6_LEN);
  image.check(insert(image.address, image.place(rows), rows.length / ROUTE6_LEN));
  return new TableKernel(
    image,
    "route6LookupMany",
    ADDRESS6_LEN,
    NO_ROUTE,
    (keys, count, results) => lookUp(image.address, keys, count, results),
    (keys) => inMachineOrder(keys, ADDRESS6_LEN),
  );
}

const IMAGE_OCTETS = 2 ** 24;

/** The connection table as a table: half as many connections as tuples, found from either side. */
export async function hashKernel(folder: string): Promise<Kernel> {
  const tuples = readWords(folder, "tuples.bin");
  const count = tuples.length / TUPLE_WORDS;
  const image = await BenchImage.make(IMAGE_OCTETS, count / 2);
  const { machine, state } = image;
  const ring = new PacketRing(image, SEGMENT_LEN + 128);
  ring.routeEverything();
  ring.open(count / 2, (index, into) => {
    const [src, dst, ports] = tuples.subarray(index * 2 * TUPLE_WORDS) as unknown as [number, number, number];
    const [srcPort, dstPort] = [ports >>> 16, ports & 0xffff];
    writeSegment(into, { protocol: "TCP", src, srcPort, dst, dstPort }, "opening");
  });
  const results = image.memory.take(count * 4);
  machine.flowFindMany(state, image.place(tuples), count, results);
  const values = image.memory.words(results, count);
  if (new Set(values).size !== count || values.includes(0)) throw new Error("a connection is not found.");
  writeFileSync(join(folder, "values.bin"), image.memory.octets(results, count * 4));
  return new TableKernel(image, "flowFindMany", TUPLE_WORDS * 4, 0, (keys, keyCount, at) =>
    machine.flowFindMany(state, keys, keyCount, at),
  );
}

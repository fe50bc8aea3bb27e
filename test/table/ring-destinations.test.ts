import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_OK } from "../../assembly/abi/image.js";
import * as server from "../../assembly/abi/server.js";
import * as session from "../../assembly/abi/session.js";
import { BareImage } from "../bare-image.js";
import { ip4 } from "../bare-node.js";
import { Tally } from "../tally.js";

const FIRST = ip4("10.244.1.2");
const LEFT_MIN = 1024;
const ROOM = 1 << 14;
const make = () => BareImage.make({ capacity: 1 << 24, destinations: ROOM });

interface Known {
  readonly number: number;
  readonly serial: number;
}

/** Gives virtual server `number` real ones that differ in their ports; `words`: the rest of a row (SERVER_…) from its weight on. */
function set(
  image: BareImage,
  number: number,
  ports: readonly number[],
  { flags = 0, words = [1] }: { readonly flags?: number; readonly words?: readonly number[] } = {},
): number {
  const reals = ports.flatMap((port) => {
    const row = [FIRST + (port % 5), port, ...words];
    return [...row, ...Array<number>(server.SERVER_ENTRY_LEN / 4 - row.length).fill(0)];
  });
  const row = [number, ports.length, server.SCHEDULER_RR, flags, 0, 0, 80, 0];
  return image.withWords([...row, ...reals], (at) =>
    image.machine.serverSet(image.address, at, at + server.SERVER_ROW_LEN),
  );
}

/** What the machine says of all destinations that are there, by virtual server and port. */
function destinationsOf({ machine, memory, address, state }: BareImage): ReadonlyMap<string, Known> {
  const there = new Map<string, Known>();
  memory.borrow(ROOM * session.DESTINATION_ROW_LEN, (at) => {
    const count = machine.destinationsRead(address, state, 0, ROOM, at);
    for (let index = 0; index < count; index++) {
      const row = memory.view(at + index * session.DESTINATION_ROW_LEN, session.DESTINATION_ROW_LEN);
      const word = (field: number) => row.getUint32(field, true);
      const [service, port] = [word(session.DESTINATION_ROW_SERVICE), word(session.DESTINATION_ROW_PORT)];
      const known = {
        number: word(session.DESTINATION_ROW_NUMBER),
        serial: word(session.DESTINATION_ROW_SERIAL),
      };
      if (service !== 0) there.set(`${service - 1} ${port}`, known);
    }
  });
  return there;
}

/** Numbers by service and port, with a queue of those that left. */
class Numbers {
  readonly #there = new Map<string, Known>();
  readonly #left = new Map<string, Known>();
  readonly #services = new Map<number, readonly number[]>();
  #count = 0;
  #serials = 0;

  set(service: number, ports: readonly number[], isNew: boolean): void {
    const before = isNew ? [] : (this.#services.get(service) ?? []);
    const kept = keptOf(before, ports);
    for (const port of this.#services.get(service) ?? []) {
      if (!kept.includes(port)) this.#leave(`${service} ${port}`, isNew);
    }
    if (isNew) for (const key of [...this.#left.keys()]) if (key.startsWith(`${service} `)) this.#disown(key);
    for (const port of ports) if (!kept.includes(port)) this.#come(`${service} ${port}`);
    this.#services.set(service, ports);
  }

  /** Nobody finds it any more, though it keeps its place in the queue. */
  #disown(key: string): void {
    const entries = [...this.#left];
    this.#left.clear();
    for (const [name, known] of entries) this.#left.set(name === key ? `gone ${known.serial}` : name, known);
  }

  #leave(key: string, isNew: boolean): void {
    const known = this.#there.get(key);
    if (known === undefined) throw new Error(key);
    this.#there.delete(key);
    this.#left.set(isNew ? `gone ${known.serial}` : key, known);
  }

  #come(key: string): void {
    const known = this.#left.get(key);
    this.#left.delete(key);
    this.#there.set(key, known ?? { number: this.#free(), serial: ++this.#serials });
  }

  #free(): number {
    const [oldest] = this.#left;
    if (oldest === undefined || this.#left.size <= Math.max(LEFT_MIN, this.#count - this.#left.size))
      return this.#count++;
    this.#left.delete(oldest[0]);
    return oldest[1].number;
  }

  get there(): ReadonlyMap<string, Known> {
    return this.#there;
  }

  /** How many numbers were ever given. */
  get count(): number {
    return this.#count;
  }
}

/** Rows that name old servers in their order, up to the first that does not. */
function keptOf(before: readonly number[], ports: readonly number[]): readonly number[] {
  let at = -1;
  const end = ports.findIndex((port) => {
    at = before.indexOf(port, at + 1);
    return at === -1;
  });
  return end === -1 ? ports : ports.slice(0, end);
}

const change = fc.record({
  service: fc.nat(3),
  ports: fc.oneof(
    fc.subarray([1, 2, 3, 4, 5, 6, 7, 8]),
    fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 9 }),
  ),
  isNew: fc.nat(5).map((one) => one === 0),
});

describe("ring: destinations", () => {
  it("keep their numbers while they are there, and get them again when they come back", async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 30 }), async (changes) => {
      const image = await make();
      const numbers = new Numbers();
      for (const { service, ports, isNew } of changes) {
        const before = numbers.count;
        numbers.set(service, ports, isNew);
        expect(set(image, service, ports, { flags: isNew ? server.SERVICE_FLAG_NEW : 0 })).toBe(STATUS_OK);
        expect(destinationsOf(image)).toEqual(numbers.there);
        tally.count(isNew ? "another service" : numbers.count === before ? "nobody new" : "somebody new");
      }
    });
    await fc.assert(property, { numRuns: 100 });
    tally.expectEach(["another service", "nobody new", "somebody new"], 20);
  });

  it("give their numbers to others when more than 1,024 left, and more than there are, the first ones first", async () => {
    const image = await make();
    const numbers = new Numbers();
    const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);
    const sets: readonly (readonly [number, readonly number[]])[] = [
      [0, range(1, 1000)],
      [0, []],
      [1, range(1, 300)],
      [1, range(200, 300)],
      [0, range(500, 100)],
      [2, range(1, 3000)],
      [2, range(2000, 2000)],
      [3, range(1, 900)],
      [2, range(1, 2)],
      [0, range(1, 700)],
      [3, range(100, 1700)],
    ];
    for (const [service, ports] of sets) {
      numbers.set(service, ports, false);
      expect(set(image, service, ports)).toBe(STATUS_OK);
      expect(destinationsOf(image)).toEqual(numbers.there);
    }
    const given = sets.reduce((sum, [, ports]) => sum + ports.length, 0);
    expect(numbers.count).toBeLessThan(given - 1000);
    // However often they change, room ends somewhere.
    const churn = () => {
      for (let turn = 0; turn < 40; turn++) set(image, 2, range(turn * 100, 500));
      return image.octets(PART_SERVERS);
    };
    const octets = churn();
    expect([churn(), churn()]).toEqual([octets, octets]);
  });

  it("are refused with weights that a kernel takes for negative", async () => {
    const image = await make();
    expect(set(image, 0, [1, 2], { words: [2 ** 31] })).toBe(STATUS_BAD_ENTRY);
    expect(set(image, 0, [1, 2], { words: [2 ** 31 - 1] })).toBe(STATUS_OK);
  });
});

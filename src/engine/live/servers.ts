import { EXACT_SERVICES, EXACT_SERVICES6, EXACT6_ENTRY_LEN } from "../../../assembly/abi/entry.js";
import {
  SCHEDULER_RR,
  SERVER_ENTRY_LEN,
  SERVER_ROW_LEN,
  SERVICE_FLAG_NEW,
} from "../../../assembly/abi/server.js";
import { serverKey } from "../../ruleset/identity.js";
import { familyOfService, type Ipvs, type IpvsTimeouts, type VirtualServer } from "../../ruleset/ipvs.js";
import { pushService } from "../entries/elements.js";
import { slotOctets } from "../entries/schedulers.js";
import { pushReals, pushServer } from "../entries/servers.js";
import { timeoutEntries } from "../entries/settings.js";
import { Words } from "../entries/words.js";
import type { Journal } from "./journal.js";
import { Keyed } from "./keyed.js";
import type { TableEntries } from "./sets.js";
import { ShardedMap } from "./sharded-map.js";
import type { Writes } from "./writes.js";

const NO_ROWS = new Uint32Array(0);
/** A table of services, and the directory of servers, that double, perhaps more than once. */
const OCTETS_PER_SERVER = { 4: 104 + 256, 6: 208 + 256 } as const;
const OCTETS_AT_LEAST = 4096;
/** A real server, its destination, and its turn while slots are filled. */
const OCTETS_PER_REAL = 256;
/** Of a directory of the image (assembly/memory/vector.ts). */
const ROOM_MIN = 16;
const REALS_MAX = 1 << 20;
/** Of a service's key at most. */
const KEY_WORDS = EXACT6_ENTRY_LEN / 4;
const ROW_WORDS = SERVER_ROW_LEN / 4;
const SERVICES = { 4: EXACT_SERVICES, 6: EXACT_SERVICES6 } as const;
const REAL_WORDS = SERVER_ENTRY_LEN / 4;

/** Real servers of many virtual ones: rows of number, how many and scheduler, and those one behind another. */
export interface ServerColumns {
  readonly rows: Uint32Array;
  readonly reals: Uint32Array;
}

/** IPVS' virtual servers: one keeps its number, and where its scheduler is, while it is there. */
export class Servers {
  readonly servers: Keyed<VirtualServer>;
  /** By number; a number given back is undefined. */
  readonly numbered: (VirtualServer | undefined)[] = [];
  readonly #numbers = new ShardedMap<number>();
  readonly #free: number[] = [];
  readonly #journal: Journal;
  readonly #writes: Writes;

  #timeouts: IpvsTimeouts | undefined;

  constructor(
    { servers, timeouts }: Ipvs,
    numbers: readonly number[] | undefined,
    { journal, writes }: { readonly journal: Journal; readonly writes: Writes },
  ) {
    this.servers = new Keyed(servers, serverKey, journal);
    this.#timeouts = timeouts;
    this.#journal = journal;
    this.#writes = writes;
    for (const [index, server] of servers.entries()) this.#number(server, numbers?.[index] ?? index);
    this.#numbers.settle();
    for (let number = this.numbered.length - 1; number >= 0; number--) {
      if (this.numbered[number] === undefined) this.#free.push(number);
    }
  }

  /** How many the image's directory has room for at least, which grows to powers of two. */
  get room(): number {
    let { length } = this.numbered;
    while (length > 0 && this.numbered[length - 1] === undefined) length--;
    return length === 0 ? 0 : 2 ** Math.ceil(Math.log2(Math.max(ROOM_MIN, length)));
  }

  /** The number of every server, in the order of the ruleset. */
  get numbers(): readonly number[] {
    return this.servers.items.map((server) => this.#numbers.get(serverKey(server)) ?? 0);
  }

  /** The tables of services, one a family. */
  get tables(): readonly TableEntries[] {
    return ([4, 6] as const).map((family) => {
      const rows = new Words();
      for (const [number, server] of this.numbered.entries()) {
        if (server !== undefined && familyOfService(server) === family) pushService(rows, server, number);
      }
      return { number: SERVICES[family], name: "services", family, rows: rows.words };
    });
  }

  /** All real servers, as the machine is given them at first. */
  load(): ServerColumns {
    const rows = new Words(Math.max(ROW_WORDS, this.numbered.length * ROW_WORDS));
    const reals = new Words();
    for (const [number, server] of this.numbered.entries()) {
      if (server === undefined) continue;
      pushReals(reals, server.servers);
      pushServer(rows, server, number);
    }
    return { rows: rows.words, reals: reals.words };
  }

  /** IPVS as it is now. */
  ipvs(as: Ipvs): Ipvs {
    const timeouts = this.#timeouts;
    return { ...as, servers: this.servers.items, ...(timeouts === undefined ? {} : { timeouts }) };
  }

  setTimeouts(timeouts: IpvsTimeouts): void {
    const before = this.#timeouts;
    const after = { ...before, ...timeouts };
    this.#timeouts = after;
    this.#journal.note(() => {
      this.#timeouts = before;
    });
    this.#writes.add(0, (image) => image.set(timeoutEntries(after)));
  }

  /** Adds or replaces a virtual server. TypeError for more real ones than the machine holds. */
  set(server: VirtualServer): void {
    if (server.servers.length > REALS_MAX)
      throw new TypeError(`the virtual server has more than ${REALS_MAX} real servers.`);
    const key = serverKey(server);
    const known = this.#numbers.get(key);
    const number = known ?? this.#free.pop() ?? this.numbered.length;
    const old = this.servers.set(server);
    this.#number(server, number);
    this.#journal.note(() => {
      if (old !== undefined) this.numbered[number] = old;
      else this.#forget(key, number);
    });
    const reals = new Words(REAL_WORDS * Math.max(1, server.servers.length));
    pushReals(reals, server.servers);
    const head = new Words(ROW_WORDS);
    pushServer(head, server, number, known === undefined ? SERVICE_FLAG_NEW : 0);
    this.#writes.grow(
      this,
      OCTETS_AT_LEAST + this.numbered.length * OCTETS_PER_SERVER[familyOfService(server)],
    );
    this.#writes.stage(reals.length);
    const octets = slotOctets(server.scheduler) + server.servers.length * OCTETS_PER_REAL;
    this.#writes.add(octets, (image) => image.setServer(head.words, reals.words));
    if (known !== undefined) return;
    const row = this.#rowOf(server, number);
    const family = familyOfService(server);
    this.#writes.add(0, (image) => image.setElements(SERVICES[family], row, family));
  }

  remove(key: string): void {
    const old = this.servers.remove(key);
    const number = this.#numbers.get(key);
    if (old === undefined || number === undefined)
      throw new TypeError("the ruleset has no such virtual server.");
    this.#forget(key, number);
    this.#journal.note(() => {
      this.#free.pop();
      this.#number(old, number);
    });
    const row = this.#rowOf(old, number);
    const family = familyOfService(old);
    this.#writes.add(0, (image) => {
      image.removeElements(SERVICES[family], row, family);
      image.setServer(Uint32Array.of(number, 0, SCHEDULER_RR, 0, 0, 0, 0, 0), NO_ROWS);
    });
  }

  #number(server: VirtualServer, number: number): void {
    this.#numbers.set(serverKey(server), number);
    this.numbered[number] = server;
  }

  #forget(key: string, number: number): void {
    this.#numbers.delete(key);
    this.numbered[number] = undefined;
    this.#free.push(number);
  }

  #rowOf(server: VirtualServer, number: number): Uint32Array {
    const row = new Words(KEY_WORDS);
    pushService(row, server, number);
    return row.words;
  }
}

import { EXACT_SERVICES, EXACT_SERVICES6, EXACT6_ENTRY_LEN } from "../../../assembly/abi/entry.js";
import {
  SCHEDULER_RR,
  SERVER_ENTRY_LEN,
  SERVER_ROW_LEN,
  SERVICE_FLAG_GONE,
  SERVICE_FLAG_NEW,
} from "../../../assembly/abi/server.js";
import { serverKey } from "../../ruleset/identity.js";
import { familyOfService, type Ipvs, type IpvsTimeouts, type VirtualServer } from "../../ruleset/ipvs.js";
import { pushService } from "../entries/elements.js";
import { slotOctets } from "../entries/schedulers.js";
import { pushReals, pushServer } from "../entries/servers.js";
import { timeoutEntries } from "../entries/settings.js";
import { Words } from "../entries/words.js";
import { FreeNumbers } from "./free-numbers.js";
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

function realsOf(service: VirtualServer): Uint32Array {
  const rows = new Words(REAL_WORDS * Math.max(1, service.servers.length));
  pushReals(rows, service);
  return rows.words;
}

function isOther(words: Uint32Array, before: Uint32Array): boolean {
  return words.length !== before.length || words.some((word, index) => word !== before[index]);
}

/** IPVS' virtual servers: one keeps its number, and where its scheduler is, while it is there. */
export class Servers {
  readonly servers: Keyed<VirtualServer>;
  /** By number; a number given back is undefined. */
  readonly numbered: (VirtualServer | undefined)[] = [];
  readonly #numbers = new ShardedMap<number>();
  readonly #free = new FreeNumbers();
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
    for (let number = 0; number < this.numbered.length; number++) {
      if (this.numbered[number] === undefined) this.#free.give(`number ${number}`, number);
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
      pushReals(reals, server);
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
    const number = this.#numbers.get(serverKey(server));
    if (number === undefined) this.#add(server);
    else this.#replace(server, number);
  }

  #add(server: VirtualServer): void {
    const key = serverKey(server);
    const own = this.#free.takeOwn(key);
    const [before, number] =
      own === undefined ? (this.#free.takeAny() ?? [key, this.numbered.length]) : [key, own];
    const isOnce = number < this.numbered.length;
    this.servers.set(server);
    this.#number(server, number);
    this.#journal.note(() => {
      this.#numbers.delete(key);
      this.numbered[number] = undefined;
      if (isOnce) this.#free.give(before, number);
      else this.numbered.pop();
    });
    this.#write(server, number, before === key ? 0 : SERVICE_FLAG_NEW);
    const row = this.#rowOf(server, number);
    const family = familyOfService(server);
    this.#writes.add(0, (image) => image.setElements(SERVICES[family], row, family));
  }

  /**
   * A kernel is told of a service (ip_vs_edit_service) apart from its servers: schedulers note which of them it was. One that is
   * set as it was has a server that was edited to what it is, which wrr notes too.
   */
  #replace(server: VirtualServer, number: number): void {
    const old = this.servers.set(server) ?? server;
    this.numbered[number] = server;
    this.#journal.note(() => {
      this.numbered[number] = old;
    });
    const row = this.#headOf(server, number);
    const isEdited = isOther(row, this.#headOf({ ...old, servers: server.servers }, number));
    if (isEdited) {
      const octets = slotOctets(server.scheduler) + server.servers.length * OCTETS_PER_REAL;
      this.#writes.add(octets, (image) => image.editServer(row));
    }
    if (!isEdited || isOther(realsOf(server), realsOf(old))) this.#write(server, number);
  }

  #headOf(server: VirtualServer, number: number, flags = 0): Uint32Array {
    const row = new Words(ROW_WORDS);
    pushServer(row, server, number, flags);
    return row.words;
  }

  #write(server: VirtualServer, number: number, flags = 0): void {
    const row = this.#headOf(server, number, flags);
    const reals = realsOf(server);
    this.#writes.grow(
      this,
      OCTETS_AT_LEAST + this.numbered.length * OCTETS_PER_SERVER[familyOfService(server)],
    );
    this.#writes.stage(reals.length);
    const octets = slotOctets(server.scheduler) + server.servers.length * OCTETS_PER_REAL;
    this.#writes.add(octets, (image) => image.setServer(row, reals));
  }

  remove(key: string): void {
    const old = this.servers.remove(key);
    const number = this.#numbers.get(key);
    if (old === undefined || number === undefined)
      throw new TypeError("the ruleset has no such virtual server.");
    this.#numbers.delete(key);
    this.numbered[number] = undefined;
    this.#free.give(key, number);
    this.#journal.note(() => {
      this.#free.takeOwn(key);
      this.#number(old, number);
    });
    const row = this.#rowOf(old, number);
    const family = familyOfService(old);
    this.#writes.add(0, (image) => {
      image.removeElements(SERVICES[family], row, family);
      image.setServer(Uint32Array.of(number, 0, SCHEDULER_RR, SERVICE_FLAG_GONE, 0, 0, 0, 0), NO_ROWS);
    });
  }

  #number(server: VirtualServer, number: number): void {
    this.#numbers.set(serverKey(server), number);
    this.numbered[number] = server;
  }

  #rowOf(server: VirtualServer, number: number): Uint32Array {
    const row = new Words(KEY_WORDS);
    pushService(row, server, number);
    return row.words;
  }
}

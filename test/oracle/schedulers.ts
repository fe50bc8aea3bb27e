import { OFFSET_KEY, SKIP_KEY, sipHash13 } from "../../bench/baseline/maglev.js";
import { hashTuple } from "./hash.js";
import {
  type Draws,
  drawnOfTwo,
  heaviest,
  idleFirst,
  leastConnections,
  leastWeighted,
  notFull,
  shortestDelay,
} from "./loads.js";
import { CallersTable } from "./locality.js";

/** IPVS' schedulers over the kernel's own list, newest first, right by inspection and slow. */
export interface Real {
  readonly address: number;
  readonly port: number;
  weight: number;
  lastWeight: number;
  active: number;
  inactive: number;
  isOverloaded: boolean;
  /** It is in the list, and not in the kernel's trash. */
  isThere: boolean;
}

export interface Client {
  readonly src: number;
  readonly dst: number;
  /** src << 16 | dst */
  readonly ports: number;
  readonly protocol: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The paper's table: every server has a list of all slots in the order it likes them, and takes the next free one. */
export function maglevTable(newestFirst: readonly Real[], size: number): (Real | undefined)[] {
  const table: (Real | undefined)[] = Array.from({ length: size });
  const divisor = newestFirst.reduce((all, { lastWeight }) => gcd(all, lastWeight), 0);
  if (divisor === 0) return table;
  const bits = (value: number) => value.toString(2).length;
  const heaviest = Math.max(...newestFirst.map(({ lastWeight }) => lastWeight / divisor));
  const shift = Math.max(0, bits(heaviest) - Math.floor(bits(size) / 2));
  const isPower = Number.isInteger(Math.log2(size));
  const lists = newestFirst.map((real) => {
    const hash = (key: number) => sipHash13(real.address + real.port, key);
    const first = hash(OFFSET_KEY) % size;
    const skip = isPower ? (hash(SKIP_KEY) % size) | 1 : 1 + (hash(SKIP_KEY) % (size - 1));
    const slots = Array.from({ length: size }, (_, index) => (first + index * skip) % size);
    const turns = real.lastWeight === 0 ? 0 : Math.max(1, (real.lastWeight / divisor) >> shift);
    return { real, turns, liked: slots.values() };
  });
  for (let filled = 0; ; ) {
    for (const { real, turns, liked } of lists) {
      for (let turn = 0; turn < turns; turn++) {
        let slot = liked.next().value as number;
        while (table[slot] !== undefined) slot = liked.next().value as number;
        table[slot] = real;
        if (++filled === size) return table;
      }
    }
  }
}

export interface SchedulerChoice {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly size?: number;
}

const takes = ({ weight, isOverloaded }: Real): boolean => weight > 0 && !isOverloaded;

const isLocal = (name: string): boolean => name === "lblc" || name === "lblcr";

const BY_LOAD: Readonly<Record<string, (list: readonly Real[]) => Real | undefined>> = {
  lc: leastConnections,
  wlc: leastWeighted,
  sed: shortestDelay,
  nq: idleFirst,
  fo: heaviest,
  ovf: notFull,
};

/** One virtual server's list, and what its scheduler remembers. */
export class KernelServer {
  #list: Real[] = [];
  /** rr, wrr: the server last picked; undefined is the list's head. */
  #last: Real | undefined;
  #required = 0;
  #table: (Real | undefined)[] | undefined;
  #callers: CallersTable | undefined;
  /** Those that left (dest_trash). */
  readonly #trash: Real[] = [];

  constructor(
    public scheduler: SchedulerChoice,
    readonly draws: Draws = () => 0,
    now = 0,
  ) {
    this.bind(scheduler, now);
  }

  /** A scheduler comes to the servers that are there (ip_vs_bind_scheduler). */
  bind(scheduler: SchedulerChoice, now: number): void {
    const { name } = scheduler;
    this.scheduler = scheduler;
    this.#last = undefined;
    this.#required = this.#rounds.top;
    this.#table = undefined;
    this.#callers = isLocal(name) ? new CallersTable(name === "lblcr", now) : undefined;
  }

  /** All that are there or were. */
  get known(): readonly Real[] {
    return [...this.#list, ...this.#trash];
  }

  get oldestFirst(): readonly Real[] {
    return this.#list.toReversed();
  }

  find(address: number, port: number): Real | undefined {
    return this.#list.find((real) => real.address === address && real.port === port);
  }

  add(address: number, port: number, weight: number): void {
    const left = this.#trash.findIndex((real) => real.address === address && real.port === port);
    const [known] = left === -1 ? [] : this.#trash.splice(left, 1);
    const counts = known ?? { active: 0, inactive: 0, isOverloaded: false };
    const real = { ...counts, address, port, weight, lastWeight: weight, isThere: true };
    this.#list.unshift(known === undefined ? real : Object.assign(known, real));
    this.#changed();
  }

  remove(real: Real): void {
    const at = this.#list.indexOf(real);
    this.#trash.push(...this.#list.splice(at, 1));
    real.isThere = false;
    if (this.#last === real) this.#last = this.#list[at - 1];
    this.#changed();
  }

  setWeight(real: Real, weight: number): void {
    real.weight = weight;
    if (weight !== 0) real.lastWeight = weight;
    this.#changed();
  }

  get #rounds(): { readonly step: number; readonly top: number } {
    const weights = this.#list.map(({ weight }) => weight);
    const step = weights.reduce(gcd, 0) || 1;
    return { step, top: Math.max(0, ...weights) - (step - 1) };
  }

  #changed(): void {
    this.#table = undefined;
    if (this.scheduler.name !== "wrr") return;
    const { step, top } = this.#rounds;
    this.#last = undefined;
    if (this.#required > top || this.#required === 0) this.#required = top;
    else if (step > 1) this.#required = Math.floor(this.#required / step) * step + 1;
  }

  pick(client: Client, now = 0): Real | undefined {
    const { name } = this.scheduler;
    const list = this.#list;
    if (this.#callers !== undefined) return this.#callers.pick(list, client.dst, now);
    if (name === "twos") return drawnOfTwo(list, this.draws);
    const byLoad = BY_LOAD[name];
    if (byLoad !== undefined) return byLoad(list);
    if (list.every(({ weight }) => weight === 0)) return undefined;
    if (name === "rr") return this.#round();
    return name === "wrr" ? this.#weightedRound() : this.#hashed(client);
  }

  #after(real: Real | undefined): readonly Real[] {
    return this.#list.slice(real === undefined ? 0 : this.#list.indexOf(real) + 1);
  }

  #round(): Real | undefined {
    const next = [...this.#after(this.#last), ...this.#list].find(takes);
    this.#last = next ?? this.#last;
    return next;
  }

  /** Walks step by step, one real server or the list's end at a time, as ip_vs_wrr.c is written. */
  #weightedRound(): Real | undefined {
    const { step, top } = this.#rounds;
    const last = this.#last;
    let [isLastPass, isRestarted] = [false, false];
    let stop: Real | undefined;
    while (true) {
      for (const real of this.#after(this.#last)) {
        this.#last = real;
        if (!real.isOverloaded && real.weight >= this.#required) return real;
        if (real === stop) return undefined;
      }
      this.#last = undefined;
      this.#required -= step;
      if (this.#required <= 0) {
        this.#required = top;
        if (isLastPass || last === undefined) return undefined;
        isRestarted = true;
      }
      isLastPass = this.#required <= step;
      if (isLastPass && isRestarted) stop = last;
    }
  }

  #buckets(size: number, weighted: boolean): (Real | undefined)[] {
    const round = this.#list.flatMap((real) =>
      Array.from<Real>({ length: weighted ? Math.min(size, Math.max(1, real.weight)) : 1 }).fill(real),
    );
    return Array.from({ length: size }, (_, slot) => round[slot % round.length]);
  }

  #hashed({ src, dst, ports, protocol }: Client): Real | undefined {
    const { name, flags = [] } = this.scheduler;
    const isMaglev = name === "mh" || name === "maglev";
    const size = this.scheduler.size ?? { mh: 4093, maglev: 65537 }[name] ?? 256;
    this.#table ??= isMaglev ? maglevTable(this.#list, size) : this.#buckets(size, name === "sh");
    const table = this.#table;
    const at = (slot: number) => {
      const real = table[slot];
      return real !== undefined && takes(real) ? real : undefined;
    };
    if (name === "maglev") return at(Math.floor((hashTuple(src, dst, ports, protocol) * size) / 2 ** 32));
    const slotOf = (offset: number) => {
      const port = flags.includes(`${name}-port`) ? ports >>> 16 : 0;
      const word = ((name === "dh" ? dst : src) + port + offset) >>> 0;
      return name === "mh"
        ? sipHash13(word, OFFSET_KEY) % size
        : (Math.imul(word, 0x61c88647) >>> 0) >>> (32 - Math.log2(size));
    };
    const first = slotOf(0);
    if (at(first) !== undefined || !flags.includes(`${name}-fallback`)) return at(first);
    for (let tried = 0; tried < size; tried++) {
      const offset = (first + tried) % size;
      const found = at(name === "mh" ? slotOf(offset) : (first + offset) % size);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

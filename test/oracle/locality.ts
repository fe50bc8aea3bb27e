import { leastWeighted, overheadOf } from "./loads.js";
import type { Real } from "./schedulers.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const BUCKETS = 1024;
const MOST = 16 * BUCKETS;

interface Entry {
  readonly address: number;
  used: number;
  /** Newest first; of lblc only one. */
  members: Real[];
  changed: number;
}

/** What lblc and lblcr remember of the addresses that clients call, with the kernel's timer of every minute. */
export class CallersTable {
  /** Newest first. */
  readonly #buckets: Entry[][] = Array.from({ length: BUCKETS }, () => []);
  #next: number;
  /** As the kernel counts them. */
  #count = 0;
  #looks = 1;
  #rover = 0;

  constructor(
    readonly replicates: boolean,
    now: number,
  ) {
    this.#next = now + MINUTE;
  }

  #bucket(address: number): Entry[] {
    return this.#buckets[(Math.imul(address, 0x61c88647) >>> 0) >>> 22] ?? [];
  }

  #sweep(now: number, after: number, goal: number): void {
    for (let at = 0, left = goal; at < BUCKETS && left > 0; at++) {
      this.#rover = (this.#rover + 1) % BUCKETS;
      const bucket = this.#buckets[this.#rover] ?? [];
      const kept = bucket.filter(({ used }) => now < used + after);
      left -= bucket.length - kept.length;
      this.#count -= bucket.length - kept.length;
      bucket.splice(0, bucket.length, ...kept);
    }
  }

  #look(now: number): void {
    if (this.#looks % 30 === 0) {
      this.#sweep(now, DAY, Number.POSITIVE_INFINITY);
      this.#looks = 1;
    } else if (this.#count <= MOST) this.#looks++;
    else this.#sweep(now, 6 * MINUTE, Math.min(Math.floor(((this.#count - MOST) * 4) / 3), MOST / 2));
  }

  pick(list: readonly Real[], address: number, now: number): Real | undefined {
    for (; this.#next <= now; this.#next += MINUTE) this.#look(this.#next);
    const entry = this.#bucket(address).find((one) => one.address === address);
    if (entry !== undefined) entry.used = now;
    const known = entry === undefined ? undefined : this.#known(entry, now);
    const isCrowded =
      known !== undefined &&
      known.active > known.weight &&
      list.some(({ active, weight }) => active * 2 < weight);
    if (known !== undefined && !isCrowded) return known;
    const picked = leastWeighted(list);
    if (picked !== undefined) this.#note(entry, picked, address, now);
    return picked;
  }

  #known(entry: Entry, now: number): Real | undefined {
    const there = entry.members.filter(({ isThere }) => isThere);
    if (!this.replicates) return there.find(({ weight }) => weight > 0);
    const least = leastWeighted(there);
    if (entry.members.length > 1 && now > entry.changed + DAY) {
      const weighty = entry.members.filter(({ weight }) => weight > 0);
      const isMore = (one: Real, than: Real) => overheadOf(one) * than.weight > overheadOf(than) * one.weight;
      const most = weighty.find((one) => !weighty.some((other) => isMore(other, one)));
      if (most !== undefined) {
        entry.members = entry.members.filter((one) => one !== most);
        entry.changed = now;
      }
    }
    return least;
  }

  #note(entry: Entry | undefined, picked: Real, address: number, now: number): void {
    if (entry?.members.includes(picked)) return;
    if (entry !== undefined && this.replicates) {
      entry.members.unshift(picked);
      entry.changed = now;
      return;
    }
    const bucket = this.#bucket(address);
    if (entry !== undefined) bucket.splice(bucket.indexOf(entry), 1);
    bucket.unshift({ address, used: now, members: [picked], changed: now });
    this.#count++;
  }
}

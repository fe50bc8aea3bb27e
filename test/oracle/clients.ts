/** Lists of clients as plain arrays, the address noted longest ago first: slow, and right by inspection. */

interface Noted {
  readonly address: string;
  readonly at: number;
}

/** With every time at which it was noted, the last one first, and the last packet's TTL. */
interface NotedOften extends Noted {
  readonly times: readonly number[];
  readonly ttl: number;
}

export type RecentOp = "set" | "rcheck" | "update" | "remove";

export interface RecentRule {
  readonly op: RecentOp;
  readonly list: string;
  readonly invert: boolean;
  readonly seconds?: number;
  readonly reap?: true;
  readonly hitcount?: number;
  readonly rttl?: true;
}

/** xt_recent, of lists of at most 100 addresses. `now` is milliseconds. */
export class RecentOracle {
  readonly #lists = new Map<string, NotedOften[]>();

  /** Whether the rule's match holds. */
  ask(rule: RecentRule, address: string, now: number, ttl = 64): boolean {
    const { op, list: name, invert, seconds, reap, hitcount = 1, rttl } = rule;
    const list = this.#lists.get(name) ?? [];
    const known = list.find((one) => one.address === address);
    const others = list.filter((one) => one !== known);
    const times = [now, ...(known?.times ?? [])];
    const renewed = [...others, { address, at: now, times, ttl }];
    if (op === "set") {
      this.#lists.set(name, known === undefined ? renewed.slice(-100) : renewed);
      return !invert;
    }
    if (known === undefined || (rttl && known.ttl !== ttl)) return invert;
    if (op === "remove") {
      this.#lists.set(name, others);
      return !invert;
    }
    const isPast = (at: number) => seconds !== undefined && now - at > seconds * 1000;
    const isLate = ({ at }: Noted) => isPast(at);
    const holds = known.times.filter((at) => !isPast(at)).length >= hitcount !== invert;
    const renews = op === "update" && holds;
    const [oldest] = list;
    const reaped = reap && oldest && isLate(oldest) && !(renews && oldest === known) ? oldest : undefined;
    const kept = (renews ? renewed : list).filter((one) => one !== reaped);
    this.#lists.set(name, kept);
    return holds;
  }
}

/** A set of nftables that rules fill. */
export class DynamicSetOracle {
  #noted: readonly Noted[] = [];

  constructor(
    readonly timeout: number,
    readonly size: number,
  ) {}

  has(address: string, now: number): boolean {
    return this.#live(now).some((one) => one.address === address);
  }

  /** Whether there was room. */
  update(address: string, now: number): boolean {
    const others = this.#live(now).filter((one) => one.address !== address);
    if (others.length >= this.size) return false;
    this.#noted = [...others, { address, at: now }];
    return true;
  }

  #live(now: number): readonly Noted[] {
    return this.#noted.filter(({ at }) => now - at < this.timeout * 1000);
  }
}

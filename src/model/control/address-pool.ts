import { familyOf, type Ip } from "../../net/ip.js";
import type { Prefix } from "../../net/prefix.js";

export interface PoolOptions {
  /** Offset of the first address to hand out; those below come last, from offset 1, if `wrap` is set. */
  readonly first: number;
  readonly wrap?: boolean;
  /** Addresses that are not handed out. */
  readonly used: { has(ip: Ip): boolean };
}

/**
 * Hands out the addresses of a network, each once, upward. The first and the last are never given: they are the
 * network's own and, in IPv4, its broadcast address.
 */
export class AddressPool {
  private cursor: number;
  private end: number;
  private wrapped: boolean;

  constructor(
    private readonly network: Prefix,
    private readonly options: PoolOptions,
  ) {
    const bits = (familyOf(network.address) === 4 ? 32 : 128) - network.length;
    this.cursor = options.first;
    this.end = 2 ** Math.min(bits, 32) - 1;
    this.wrapped = options.wrap !== true;
  }

  /** The next address that is not used; undefined when none is left. */
  next(): Ip | undefined {
    for (;;) {
      while (this.cursor < this.end) {
        const ip = this.at(this.cursor++);
        if (!this.options.used.has(ip)) return ip;
      }
      if (this.wrapped) return undefined;
      this.wrapped = true;
      this.cursor = 1;
      this.end = Math.min(this.end, this.options.first);
    }
  }

  private at(offset: number): Ip {
    const { address } = this.network;
    return typeof address === "number" ? address + offset : address + BigInt(offset);
  }
}

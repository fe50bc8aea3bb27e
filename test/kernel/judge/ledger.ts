import type { Clashes } from "./chosen-port.js";
import { portsAt } from "./packet-octets.js";

/** The octets that say between whom a packet is: protocol, addresses and ports; undefined where it has no ports. */
function tupleOf(packet: Uint8Array): string | undefined {
  const at = portsAt(packet)?.[0];
  if (at === undefined) return undefined;
  const isIp4 = (packet[0] ?? 0) >> 4 === 4;
  const addresses = isIp4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  const protocol = packet[isIp4 ? 9 : 6] ?? 0;
  return `${protocol} ${Buffer.from(addresses).toString("hex")} ${Buffer.from(packet.subarray(at, at + 4)).toString("hex")}`;
}

/** One side's packets towards servers, by whose conversation they are. */
class Tuples {
  readonly #owners = new Map<string, object>();

  enter(packet: Uint8Array, owner: object): void {
    const tuple = tupleOf(packet);
    if (tuple !== undefined) this.#owners.set(tuple, owner);
  }

  isAnothers(packet: Uint8Array, owner: object): boolean {
    const holder = this.#owners.get(tupleOf(packet) ?? "");
    return holder !== undefined && holder !== owner;
  }
}

/** What has left on either side, so that a clash of tuples is known for what it is. */
export class Ledger {
  readonly #kernel = new Tuples();
  readonly #machine = new Tuples();

  enter(kernel: Uint8Array, machine: Uint8Array, owner: object): void {
    this.#kernel.enter(kernel, owner);
    this.#machine.enter(machine, owner);
  }

  /** As one conversation sees it. */
  seenBy(owner: object): Clashes {
    return {
      inKernel: (packet) => this.#kernel.isAnothers(packet, owner),
      inMachine: (packet) => this.#machine.isAnothers(packet, owner),
    };
  }
}

import type { ChosenPort, Clashes } from "./chosen-port.js";
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

/** More in one sitting would be no coincidence: such a draw is one of 64,512. */
const COINCIDENCES_MAX = 2;

/** What the kernel has sent towards servers, by whose conversation it is: so a clash of tuples is known for what it is. */
export class Ledger {
  readonly #owners = new Map<string, object>();
  /** Conversations whose port was drawn as it was. */
  readonly #coinciding = new Set<object>();

  enter(packet: Uint8Array, owner: object): void {
    const tuple = tupleOf(packet);
    if (tuple !== undefined) this.#owners.set(tuple, owner);
  }

  /** As one conversation sees it. */
  seenBy(owner: object): Clashes {
    return {
      inKernel: (packet) => {
        const holder = this.#owners.get(tupleOf(packet) ?? "");
        return holder !== undefined && holder !== owner;
      },
    };
  }

  /** What is wrong with a port that the kernel chose for a conversation, if anything is. */
  suspect(owner: object, chosen: ChosenPort | undefined): string | undefined {
    if (chosen?.isAsBefore !== true || this.#coinciding.add(owner).size <= COINCIDENCES_MAX) return undefined;
    return "more ports are as they were than they would be by drawing";
  }
}

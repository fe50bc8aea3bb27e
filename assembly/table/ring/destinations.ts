import {
  SERVER_ADDRESS,
  SERVER_FORWARD,
  SERVER_HIGH,
  SERVER_LAST_WEIGHT,
  SERVER_LOWER,
  SERVER_PORT,
  SERVER_TUNNEL_PORT,
  SERVER_UPPER,
  SERVER_WEIGHT,
} from "../../abi/server";
import { Image } from "../../image";

/**
 * A destination: what is known of a real server by its number, wherever its ring has it. The number stays with service,
 * address and port while the server is there, and until the number is wanted for another after it left (a kernel keeps
 * it in dest_trash as long as connections know it).
 */
@unmanaged
@final
export class Destination {
  /** The number of its virtual server plus one; 0: it left. */
  service: u32;
  /** Tells it from others that had the number; never 0. */
  serial: u32;
  weight: u32;
  /** The last that was not 0. */
  lastWeight: u32;
  /** SERVER_UPPER and SERVER_LOWER. */
  upper: u32;
  lower: u32;
  /** SERVER_FORWARD and SERVER_TUNNEL_PORT. */
  forward: u32;
  tunnelPort: u32;
  /** Where it is: of an IPv6 address the last word, the others in high. */
  address: u32;
  port: u32;
  high0: u32;
  high1: u32;
  high2: u32;
  /** The service that it was of: its number, and which one of those that had it (RING_INCARNATION). */
  owner: u32;
  /** Its neighbours among those that left, their numbers plus one; 0 for none. */
  before: u32;
  behind: u32;

  @inline
  static at(address: usize): Destination {
    return changetype<Destination>(address);
  }

  /** Takes a real server's address and port (SERVER_…). */
  name(row: usize): void {
    this.address = load<u32>(row, SERVER_ADDRESS);
    this.port = load<u32>(row, SERVER_PORT);
    this.high0 = load<u32>(row, SERVER_HIGH);
    this.high1 = load<u32>(row, SERVER_HIGH + 4);
    this.high2 = load<u32>(row, SERVER_HIGH + 8);
  }

  /** Whether it is the server of a row. */
  isAt(row: usize): bool {
    return (
      this.address == load<u32>(row, SERVER_ADDRESS) &&
      this.port == load<u32>(row, SERVER_PORT) &&
      this.high0 == load<u32>(row, SERVER_HIGH) &&
      this.high1 == load<u32>(row, SERVER_HIGH + 4) &&
      this.high2 == load<u32>(row, SERVER_HIGH + 8)
    );
  }

  /** Takes what a row says of a server that was `added`, or is there still (__ip_vs_update_dest). */
  update(row: usize, added: bool): void {
    const last = load<u32>(row, SERVER_LAST_WEIGHT);
    this.weight = load<u32>(row, SERVER_WEIGHT);
    if (this.weight != 0) this.lastWeight = this.weight;
    else if (added || last != 0) this.lastWeight = last;
    this.upper = load<u32>(row, SERVER_UPPER);
    this.lower = load<u32>(row, SERVER_LOWER);
    this.forward = load<u32>(row, SERVER_FORWARD);
    this.tunnelPort = load<u32>(row, SERVER_TUNNEL_PORT);
  }
}

export const DESTINATION_LEN: u32 = 64;
export const DESTINATIONS_MAX: u32 = 1 << 24;

export function destinationAt(image: Image, number: u32): Destination {
  return Destination.at(image.to(image.destinationsAt) + number * DESTINATION_LEN);
}

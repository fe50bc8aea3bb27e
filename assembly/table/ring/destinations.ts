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
  /** Tells it from others that had the number. */
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
  /** The service that it was of, and its neighbours among those that left. */
  owner: u32;
  before: u32;
  behind: u32;

  @inline
  static at(address: usize): Destination {
    return changetype<Destination>(address);
  }
}

export const DESTINATION_LEN: u32 = 64;
export const DESTINATIONS_MAX: u32 = 1 << 24;

export function destinationAt(image: Image, number: u32): Destination {
  return Destination.at(image.to(image.destinationsAt) + number * DESTINATION_LEN);
}

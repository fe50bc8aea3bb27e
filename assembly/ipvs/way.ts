import { SESSION_FLAG_NO_OUTPUT } from "../abi/session";
import { Connection, DIRECTION_REPLY } from "../table/flow/layout";

/** What a director sees of a session: requests, answers, or requests of one whose answers go another way (IP_VS_DIR_). */
export const WAY_IN: u32 = 0;
export const WAY_OUT: u32 = 1;
export const WAY_IN_ALONE: u32 = 2;

/** The WAY_ of a packet of one direction. The first answer that is seen says that they come by here. */
export function wayOf(connection: Connection, direction: u32): u32 {
  if (direction == DIRECTION_REPLY) {
    connection.flags &= ~SESSION_FLAG_NO_OUTPUT;
    return WAY_OUT;
  }
  return (connection.flags & SESSION_FLAG_NO_OUTPUT) != 0 ? WAY_IN_ALONE : WAY_IN;
}

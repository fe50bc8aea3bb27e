/** What a protocol says of a packet whose tuple a connection has. */

/** It is not one of the connection's: INVALID, and nothing was moved. */
export const OUTCOME_INVALID: u32 = 0;
/** It is one of the connection's. */
export const OUTCOME_ACCEPTED: u32 = 1;
/** It begins a new connection in the place of this one, which is over. */
export const OUTCOME_REPEAT: u32 = 2;

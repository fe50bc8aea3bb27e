/**
 * Rule chains. A chunk holds rules, 32 octets each in their order (the fields of abi/entry.ts RULE_…), and behind them
 * the words of their matches and targets; a rule's words are an offset from the chunk's start. A piece says where a
 * chunk lies. The directory has a head for each chain number: the piece of a chain of one chunk, or where the row of a
 * longer chain's pieces stands, so that a change in the middle moves one chunk and the row.
 */
export const PIECE_AT: u32 = 0;
/** Rules. */
export const PIECE_COUNT: u32 = 4;
export const PIECE_OCTETS: u32 = 8;
export const PIECE_LEN: u32 = 12;

/** The head of more than one piece: the row's offset, all rules. */
export const CHAIN_AT: u32 = PIECE_AT;
export const CHAIN_COUNT: u32 = PIECE_COUNT;
export const CHAIN_PIECES: u32 = 12;
export const CHAIN_LEN: u32 = 16;

/** A chunk is no larger, unless one rule alone is. */
export const CHUNK_MAX: u32 = 8192;
/** A change that leaves less is joined with a neighbour. */
export const CHUNK_MIN: u32 = CHUNK_MAX / 4;

/** Chains nest at most so deep (nftables' NFT_JUMP_STACK_SIZE). */
export const CHAIN_DEPTH_MAX: u32 = 16;
export const CHAINS_MAX: u32 = 1 << 22;

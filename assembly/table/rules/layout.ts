/**
 * Rule chains. The directory holds a block and a count for each chain number; a block holds the chain's rules, 32
 * octets each in their order (the fields of abi/entry.ts RULE_…), and behind them the words of their matches and
 * targets. A rule's words are an offset from the block's start.
 */
export const CHAIN_BLOCK: u32 = 0;
export const CHAIN_COUNT: u32 = 4;
export const CHAIN_WORDS: u32 = 8;
export const CHAIN_LEN: u32 = 16;
/** Chains nest at most so deep (nftables' NFT_JUMP_STACK_SIZE). */
export const CHAIN_DEPTH_MAX: u32 = 16;
export const CHAINS_MAX: u32 = 1 << 22;

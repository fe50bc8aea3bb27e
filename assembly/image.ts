import { EXACT_TABLES_MAX, HOOK_CHAINS_MAX, HOOK_COUNT } from "./abi/entry";
import { IMAGE_MAGIC, IMAGE_VERSION } from "./abi/image";

/**
 * The head of an image. Every number named …At is an offset from the image's start, 0 for none:
 *
 *   head · exact directory · hooks · free lists | blocks, taken and given back by memory/arena.ts
 */
@unmanaged
@final
export class Image {
  magic: u32;
  version: u32;
  /** Octets the host gave, and of those ever used. */
  capacity: u32;
  top: u32;
  /** Moves with every change of a table. */
  sequence: u32;
  flags: u32;
  random0: u32;
  random1: u32;
  random2: u32;
  random3: u32;

  fibRootAt: u32;
  routesAt: u32;
  nextHopsAt: u32;
  nextHopsRoom: u32;
  chainsAt: u32;
  chainsRoom: u32;
  serversAt: u32;
  serversRoom: u32;

  /** Connections: buckets are a power of two; records 1 … connectionsRoom. */
  bucketsAt: u32;
  bucketsMask: u32;
  recordsAt: u32;
  connectionsRoom: u32;
  connections: u32;
  /** First record never used, and the list of those given back. */
  recordsTop: u32;
  recordsFree: u32;
  sweep: u32;

  /** VXLAN: what comes to a local address and this port is decapsulated and goes on from this interface. */
  vxlanPort: u32;
  vxlanVni: u32;
  vxlanIn: u32;
  /** Identification of the last outer header. */
  outerId: u32;

  /** Milliseconds of the caller's clock, at the last run. */
  now: u64;

  /** Octets of live blocks by PART_ code. */
  octets0: u32;
  octets1: u32;
  octets2: u32;
  octets3: u32;
  octets4: u32;
  octets5: u32;

  @inline
  static at(address: usize): Image {
    return changetype<Image>(address);
  }

  /** The address behind an offset. */
  @inline
  to(offset: u32): usize {
    return changetype<usize>(this) + offset;
  }

  @inline
  get isValid(): bool {
    return this.magic == IMAGE_MAGIC && this.version == IMAGE_VERSION;
  }
}

export const EXACT_DIRECTORY_AT: u32 = 256;
export const HOOKS_AT: u32 = EXACT_DIRECTORY_AT + EXACT_TABLES_MAX * 4;
/** chain, type | policy << 8 */
export const HOOK_CHAIN_LEN: u32 = 8;
/** A count, then the chains. */
export const HOOK_LEN: u32 = 8 + HOOK_CHAINS_MAX * HOOK_CHAIN_LEN;
export const FREE_LISTS_AT: u32 = HOOKS_AT + HOOK_COUNT * HOOK_LEN;
export const IMAGE_HEAD_LEN: u32 = 1024;

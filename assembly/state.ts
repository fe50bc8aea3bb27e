import { IMAGE_VERSION, STATE_MAGIC } from "./abi/image";

/**
 * What running packets changes, apart from the tables they are looked up in: connections, scheduler positions, the
 * clock and random state. Workers that share an image have a state each. As in an image there are offsets only, from
 * the state's start:
 *
 *   head · flow buckets · flow records · walks · windows · fragments · scheduler positions · clients · IPVS' own part
 */
@unmanaged
@final
export class State {
  magic: u32;
  version: u32;
  /** Octets of the whole. */
  length: u32;
  /** Identification of the last outer header. */
  outerId: u32;
  /** Milliseconds of the caller's clock, at the last run. */
  now: u64;
  random0: u32;
  random1: u32;
  random2: u32;
  random3: u32;

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

  /** Key of the connection table's hash: of 64 bits of it, the bucket is what a shift leaves. */
  flowKey0: u64;
  flowKey1: u64;
  bucketsShift: u64;

  /** A burst of packets is on its way. */
  busy: u32;

  /** For each virtual server, what its scheduler does next (table/ring/layout.ts). */
  positionsAt: u32;
  positionsRoom: u32;

  /** What is known of TCP's windows (track/windows.ts), 0 for nothing. */
  windowsAt: u32;

  /** Clients that rules noted (table/affinity), and how many there is room for. */
  clientsAt: u32;
  clientsRoom: u32;

  /** IPVS' own part, a state within this one (table/ipvs), 0 for none. */
  ipvsAt: u32;

  /** Fragments whose datagrams are not complete (table/fragments), 0 for no room for any. */
  fragmentsAt: u32;

  @inline
  static at(address: usize): State {
    return changetype<State>(address);
  }

  /** The address behind an offset. */
  @inline
  to(offset: u32): usize {
    return changetype<usize>(this) + offset;
  }

  @inline
  setBusy(busy: bool): void {
    atomic.store<u32>(changetype<usize>(this) + offsetof<State>("busy"), u32(busy));
  }

  @inline
  get isBusy(): bool {
    return atomic.load<u32>(changetype<usize>(this) + offsetof<State>("busy")) != 0;
  }

  @inline
  get isValid(): bool {
    return this.magic == STATE_MAGIC && this.version == IMAGE_VERSION;
  }
}

export const STATE_HEAD_LEN: u32 = 128;

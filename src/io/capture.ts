import { InputError } from "../diagnostics.js";

export interface CapturedPacket {
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly timestampNs: bigint;
  /** What was kept of the packet. */
  readonly bytes: Uint8Array;
  /** Octets it had on the wire; more than `bytes` holds when the capture was made with a short snap length. */
  readonly originalLength: number;
}

export interface Capture {
  /** See `linkTypeName`. One for all packets. */
  readonly linkType: number;
  /** Whether time stamps are finer than microseconds. */
  readonly nanosecond: boolean;
  /** Most octets kept of a packet; 0: no limit is stated. */
  readonly snapLength: number;
  /** Their `bytes` lie in the octets that were read: no copies. */
  readonly packets: readonly CapturedPacket[];
}

export function captureError(file: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { file }, message }]);
}

/** An unsigned number in octets, in the byte order of the machine that captured. */
export class Octets {
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian: boolean,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.littleEndian);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.littleEndian);
  }

  i64(at: number): bigint {
    return this.#view.getBigInt64(at, this.littleEndian);
  }
}

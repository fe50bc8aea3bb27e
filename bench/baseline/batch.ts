import { SLOT_HEADROOM, SLOT_STRIDE } from "../../assembly/abi/packet.js";

/** A batch of packets in one buffer, laid out as the machine's: slots with headroom, a column a property. */
export class PlainBatch {
  readonly octets: Uint8Array;
  readonly view: DataView;
  readonly frames: Int32Array;
  readonly lengths: Int32Array;
  readonly ins: Int32Array;
  readonly verdicts: Int32Array;
  readonly nextHops: Int32Array;
  readonly walked: Int32Array;

  constructor(readonly capacity: number) {
    this.octets = new Uint8Array(capacity * SLOT_STRIDE);
    this.view = new DataView(this.octets.buffer);
    this.frames = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.ins = new Int32Array(capacity);
    this.verdicts = new Int32Array(capacity);
    this.nextHops = new Int32Array(capacity);
    this.walked = new Int32Array(capacity);
  }

  set(index: number, frame: Uint8Array, inNumber: number): void {
    const at = index * SLOT_STRIDE + SLOT_HEADROOM;
    this.octets.set(frame, at);
    this.frames[index] = at;
    this.lengths[index] = frame.length;
    this.ins[index] = inNumber;
  }

  frame(index: number): Uint8Array {
    const at = this.frames[index] as number;
    return this.octets.subarray(at, at + (this.lengths[index] as number));
  }
}

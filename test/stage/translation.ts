import fc from "fast-check";
import type { Ip } from "../../src/net/ip.js";

/** Of frames that come in, and of those that leave. */
export const FIRST_MACS = { src: "02:00:00:00:00:01", dst: "02:00:00:00:00:02" };
export const MACS = { dst: "02:00:00:00:00:09", src: "02:00:00:00:00:08" };

/** Where a segment comes from and goes to. */
export interface Ends<A extends Ip> {
  readonly src: A;
  readonly dst: A;
  readonly srcPort: number;
  readonly dstPort: number;
}

export function drawnEnds<A extends Ip>(address: fc.Arbitrary<A>): fc.Arbitrary<Ends<A>> {
  return fc.record({
    src: address,
    dst: address,
    srcPort: fc.integer({ min: 1024, max: 65535 }),
    dstPort: fc.integer({ min: 1, max: 65535 }),
  });
}

export function swapped<A extends Ip>({ src, dst, srcPort, dstPort }: Ends<A>): Ends<A> {
  return { src: dst, dst: src, srcPort: dstPort, dstPort: srcPort };
}

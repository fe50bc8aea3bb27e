import type { Ip4 } from "../net/ip.js";
import { type Flow, SEGMENT_LEN, writeSegment } from "../packet/segment.js";
import type { Destination } from "./destinations.js";
import { randomOf, shuffled } from "./random.js";

/** Packets that are timed together: at 50 ns a packet, still 100 µs. */
export const BATCH_LEN = 2048;
/** Words of a frame. */
export const FRAME_WORDS = SEGMENT_LEN / 4;

const PORT_FIRST = 1024;
const PORTS = 65536 - PORT_FIRST;
/** So many batches differ at least; as many hold the known connections. */
const BATCHES_MIN = 8;

/** The frames of at most one batch, one behind the other, FRAME_WORDS each. */
export type Frames = Uint32Array;

/** All packets of a comparison at one size; every mode gets the same. */
export interface Traffic {
  /** Opening packets, destinations uniform over all Services. */
  readonly uniform: readonly Frames[];
  /** Opening packets to the first Service only, and to the last. */
  readonly first: Frames;
  readonly last: Frames;
  /** Packets from the middle of the `uniform` flows. */
  readonly middle: readonly Frames[];
}

/** Flow `index` of those that the sources can open to a destination: no two have both address and port in common. */
function flowOf(index: number, sources: readonly Ip4[], { address, port, protocol }: Destination): Flow {
  const src = sources[index % sources.length] as Ip4;
  const srcPort = PORT_FIRST + (Math.floor(index / sources.length) % PORTS);
  return { protocol, src, srcPort, dst: address, dstPort: port };
}

/** Frames of the flows, cut into batches. */
function framesOf(flows: readonly Flow[], kind: "opening" | "middle"): Frames[] {
  const octets = new Uint8Array(flows.length * SEGMENT_LEN);
  for (const [index, flow] of flows.entries()) {
    writeSegment(octets.subarray(index * SEGMENT_LEN, (index + 1) * SEGMENT_LEN), flow, kind);
  }
  const words = new Uint32Array(octets.buffer);
  const batches = Math.ceil(flows.length / BATCH_LEN);
  const length = BATCH_LEN * FRAME_WORDS;
  return Array.from({ length: batches }, (_, batch) => words.subarray(batch * length, (batch + 1) * length));
}

/** The octets of a batch's first frame. */
export function firstFrame(frames: Frames): Uint8Array {
  return new Uint8Array(frames.buffer, frames.byteOffset, SEGMENT_LEN);
}

/** Every value as often as any other, give or take one, in an order that the seed chooses. */
export function drawUniform<T>(values: readonly T[], count: number, seed: number): T[] {
  const random = randomOf(seed);
  const drawn: T[] = [];
  while (drawn.length < count) drawn.push(...shuffled(values, random).slice(0, count - drawn.length));
  return drawn;
}

/** Opening packets in the order of the destinations, one to each, to find out which ones answer. */
export function probesOf(destinations: readonly Destination[], sources: readonly Ip4[]): readonly Frames[] {
  return framesOf(
    destinations.map((destination, index) => flowOf(index, sources, destination)),
    "opening",
  );
}

/** The packets that all modes are measured with, to one destination at least and from one source. */
export function trafficTo(
  destinations: readonly [Destination, ...Destination[]],
  sources: readonly Ip4[],
  seed: number,
): Traffic {
  const batches = Math.max(BATCHES_MIN, Math.ceil(destinations.length / BATCH_LEN));
  const drawn = drawUniform(destinations, batches * BATCH_LEN, seed);
  const flows = drawn.map((destination, index) => flowOf(index, sources, destination));
  const onlyTo = (destination: Destination) =>
    framesOf(
      Array.from({ length: BATCH_LEN }, (_, index) => flowOf(index, sources, destination)),
      "opening",
    )[0] as Frames;
  return {
    uniform: framesOf(flows, "opening"),
    first: onlyTo(destinations[0]),
    last: onlyTo(destinations.at(-1) ?? destinations[0]),
    middle: framesOf(flows, "middle"),
  };
}

import type { DropReason, Engine, VerdictName } from "../index.js";
import type { CapturedPacket, PacketToWrite } from "../io/pcap.js";
import { progress } from "./progress.js";

/** How many packets met one fate. */
export interface Fate {
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  readonly packets: number;
}

export interface Replay {
  /** The most frequent first. */
  readonly fates: readonly Fate[];
  /** Those that left the node, as they left, at the times of their capture. */
  readonly forwarded: readonly PacketToWrite[];
}

export interface ReplayOptions {
  /** The interface that all come in by; otherwise the one that each one's source is routed by. */
  readonly in?: string;
  /** Whether to keep the packets that leave. */
  readonly keep: boolean;
}

const BATCH_PACKETS = 256;
/** Of a batch: frames of jumbo captures get fewer slots. */
const BATCH_OCTETS = 1 << 24;
const SMALLEST_FRAME = 2048;
const NS_PER_MS = 1_000_000n;

/** Milliseconds since the first packet, never going back, for the machine's clock. */
export function clockOf(packets: readonly Pick<CapturedPacket, "timestampNs">[]): readonly number[] {
  const start = packets[0]?.timestampNs ?? 0n;
  let latest = 0;
  return packets.map(({ timestampNs }) => {
    latest = Math.max(latest, Number((timestampNs - start) / NS_PER_MS));
    return latest;
  });
}

/** Where batches end: packets of one go through the node at one time, so it holds those of one millisecond. */
function* splitByTime(clock: readonly number[], capacity: number): Generator<readonly [number, number]> {
  let first = 0;
  for (let next = 1; next <= clock.length; next++) {
    if (next < clock.length && next - first < capacity && clock[next] === clock[first]) continue;
    yield [first, next];
    first = next;
  }
}

/** Counts fates by verdict and reason. */
class Tally {
  readonly #fates = new Map<string, Fate>();

  add(verdict: VerdictName, reason: DropReason): void {
    const key = `${verdict} ${reason}`;
    const packets = (this.#fates.get(key)?.packets ?? 0) + 1;
    this.#fates.set(key, { verdict, reason, packets });
  }

  get fates(): readonly Fate[] {
    return [...this.#fates.values()].sort((a, b) => b.packets - a.packets);
  }
}

/**
 * Runs every packet of a capture through a node, in order and by the capture's clock, showing progress. RangeError
 * for an interface that the node does not have.
 */
export function replay(engine: Engine, packets: readonly CapturedPacket[], options: ReplayOptions): Replay {
  const frameLength = packets.reduce((longest, { bytes }) => Math.max(longest, bytes.length), SMALLEST_FRAME);
  const capacity = Math.max(
    1,
    Math.min(BATCH_PACKETS, packets.length, Math.floor(BATCH_OCTETS / frameLength)),
  );
  const batch = engine.batch(capacity, { frameLength });
  const tally = new Tally();
  const forwarded: PacketToWrite[] = [];
  const clock = clockOf(packets);
  const bar = progress("packets", packets.length);
  for (const [first, next] of splitByTime(clock, capacity)) {
    const now = packets.slice(first, next);
    for (const [index, { bytes }] of now.entries()) {
      batch.set(index, bytes, engine.interfaceNumber(bytes, options.in));
    }
    engine.run(batch, clock[first] ?? 0, now.length);
    for (const [index, { timestampNs }] of now.entries()) {
      const verdict = batch.verdict(index);
      tally.add(verdict, batch.reason(index));
      if (options.keep && verdict === "FORWARD")
        forwarded.push({ timestampNs, bytes: batch.frame(index).slice() });
    }
    bar.tick(now.length);
  }
  bar.stop();
  return { fates: tally.fates, forwarded };
}

import {
  type Batch,
  DATAGRAM_LENGTH,
  type DropReason,
  type Engine,
  isFragment,
  printPacket,
  type VerdictName,
} from "../index.js";
import type { CapturedPacket, PacketToWrite } from "../io/pcap.js";
import { progress } from "./progress.js";

/** How many packets met one fate. */
export interface Fate {
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  readonly packets: number;
}

/** What became of one packet. */
export interface PacketFate {
  /** As tools count them: the first is 1. */
  readonly number: number;
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  /** The reason in words, with the rule or the Service that it is for; "" where it left or was delivered. */
  readonly words: string;
  /** The interface it came in by; undefined where the node itself made it. */
  readonly in: string | undefined;
  /** The interface it left by; undefined unless it was forwarded. */
  readonly out: string | undefined;
  /** As printPacket prints it. */
  readonly before: string;
  /** As it left or was delivered; undefined where it was neither. */
  readonly after: string | undefined;
}

export interface Replay {
  /** The most frequent first. */
  readonly fates: readonly Fate[];
  /** Those that left the node, as they left, and the answers to others if asked for, at the times of their capture. */
  readonly left: readonly PacketToWrite[];
  /** How many of them are answers. */
  readonly answers: number;
  /** How many of them are fragments behind the first of their packets. */
  readonly fragments: number;
  /** One for every packet, in order, where they were asked for. */
  readonly each: readonly PacketFate[];
}

export interface ReplayOptions {
  /** The interface that all come in by; otherwise the one that each one's source is routed by. */
  readonly in?: string;
  /** Whether to keep the packets that leave. */
  readonly keep: boolean;
  /** Whether the node answers what it drops or refuses, which is kept with those that leave. */
  readonly answer?: boolean;
  /** Whether to tell every packet's fate, which takes longer than to count them. */
  readonly each?: boolean;
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

/** Octets of a slot that a frame asks for: a fragment may complete a datagram of any length. */
function roomFor(frame: Uint8Array): number {
  return isFragment(frame) ? DATAGRAM_LENGTH : frame.length;
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

type Frames = () => readonly Uint8Array[];

/** What replaying gathers as it goes. */
class Gathering {
  readonly tally = new Tally();
  readonly left: PacketToWrite[] = [];
  answers = 0;
  fragments = 0;
  readonly each: PacketFate[] = [];

  constructor(readonly options: ReplayOptions) {}

  /** `frames` are those that leave. */
  add({ timestampNs }: CapturedPacket, verdict: VerdictName, reason: DropReason, frames: Frames): void {
    this.tally.add(verdict, reason);
    this.#keep(timestampNs, verdict, frames);
  }

  /** What the node sends about a packet; it may be to itself. */
  addAnswer({ timestampNs }: CapturedPacket, verdict: VerdictName, frames: Frames): void {
    if (this.#keep(timestampNs, verdict, frames)) this.answers += 1;
  }

  #keep(timestampNs: bigint, verdict: VerdictName, frames: Frames): boolean {
    if (!this.options.keep || verdict !== "FORWARD") return false;
    const sent = frames();
    for (const bytes of sent) this.left.push({ timestampNs, bytes });
    this.fragments += sent.length - 1;
    return true;
  }
}

type Run = (packets: readonly CapturedPacket[], now: number) => void;

/** Packets of one time run as a batch. */
function batchRun(engine: Engine, batch: Batch, gathering: Gathering): Run {
  return (packets, now) => {
    for (const [index, { bytes }] of packets.entries()) {
      batch.set(index, bytes, engine.interfaceNumber(bytes, gathering.options.in));
    }
    engine.run(batch, now, packets.length);
    for (const [index, packet] of packets.entries()) {
      gathering.add(packet, batch.verdict(index), batch.reason(index), () => batch.leaving(index));
      if (gathering.options.answer === true && engine.answer(batch, index))
        gathering.addAnswer(packet, batch.verdict(index), () => batch.leaving(index));
    }
  };
}

/** The traced machine does what the other does, and says why. */
function tracedRun(engine: Engine, gathering: Gathering): Run {
  const { options, each } = gathering;
  return (packets, now) => {
    for (const packet of packets) {
      const { bytes } = packet;
      const inName = options.in ?? engine.numbering.interfaces[engine.interfaceNumber(bytes) - 1]?.name;
      const { steps, verdict, reason, out, frame, frames, answer } = engine.follow(bytes, {
        now,
        answer: options.answer === true,
        ...(options.in === undefined ? {} : { in: options.in }),
      });
      gathering.add(packet, verdict, reason, () => frames);
      if (answer !== undefined) gathering.addAnswer(packet, answer.verdict, () => [answer.frame]);
      const passes = verdict === "FORWARD" || verdict === "LOCAL";
      each.push({
        number: each.length + 1,
        verdict,
        reason,
        words: passes ? "" : (steps.at(-1)?.text ?? ""),
        in: inName,
        out: verdict === "FORWARD" ? out : undefined,
        before: printPacket(bytes),
        after: passes ? printPacket(frame) : undefined,
      });
    }
  };
}

/**
 * Runs every packet of a capture through a node, in order and by the capture's clock, showing progress. RangeError
 * for an interface that the node does not have.
 */
export function replay(engine: Engine, packets: readonly CapturedPacket[], options: ReplayOptions): Replay {
  const frameLength = packets.reduce((most, { bytes }) => Math.max(most, roomFor(bytes)), SMALLEST_FRAME);
  const capacity = Math.max(
    1,
    Math.min(BATCH_PACKETS, packets.length, Math.floor(BATCH_OCTETS / frameLength)),
  );
  const gathering = new Gathering(options);
  const run = options.each
    ? tracedRun(engine, gathering)
    : batchRun(engine, engine.batch(capacity, { frameLength }), gathering);
  const clock = clockOf(packets);
  const bar = progress("packets", packets.length);
  for (const [first, next] of splitByTime(clock, capacity)) {
    run(packets.slice(first, next), clock[first] ?? 0);
    bar.tick(next - first);
  }
  bar.stop();
  const { tally, left, answers, fragments, each } = gathering;
  return { fates: tally.fates, left, answers, fragments, each };
}

import type { Answer, SeenPacket } from "./player.js";
import { Watch } from "./prompt.js";
import type { Happening, RecordedPacket } from "./recording.js";
import type { Scenario } from "./scenario.js";

const NEXT_HEADER_ICMP6 = 58;
const ICMP6_QUERY = 130;

/** Whether a packet is IP, and none of those by which IPv6 neighbours find each other. */
export function isTraffic({ frame }: SeenPacket): boolean {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  if (type === 0x0800) return true;
  if (type !== 0x86dd) return false;
  // What multicast listeners report stands behind a hop-by-hop header.
  const next = frame[20] ?? 0;
  return next !== 0 && (next !== NEXT_HEADER_ICMP6 || (frame[54] ?? 0) < ICMP6_QUERY);
}

export const recorded = ({ way, frame }: Omit<SeenPacket, "direction">): RecordedPacket => ({
  way,
  frame: Buffer.from(frame).toString("hex"),
});

/** What real servers there are, if that is not as it was. */
const newServers = (lines: readonly string[]) => (lines.length === 0 ? {} : { servers: lines });

/** What happens while a scenario is played, as long as it is played fast enough. */
export class Tape {
  readonly happenings: Happening[] = [];
  /** Why there is no more: nothing is told of what comes after it. */
  cut: string | undefined;
  readonly #watch: Watch;
  #latest = 0;

  constructor(scenario: Scenario) {
    this.#watch = new Watch(scenario);
  }

  end(reason: string): void {
    this.cut ??= reason;
  }

  /** A step waited for so many milliseconds, which took so many. */
  waited(step: number, milliseconds: number, took: number): void {
    if (this.#watch.waited(milliseconds, took)) this.end(`step ${step} took ${took} ms`);
  }

  /** A time, no earlier than others were. */
  timeOf(at: number): number {
    this.#latest = Math.max(this.#latest, at);
    return this.#latest;
  }

  isLate(at: number): boolean {
    return this.#watch.isLate(at);
  }

  happen(happening: Happening): void {
    const { step, at } = happening;
    if (this.isLate(at)) this.end(`step ${step} came too late`);
    if (this.cut === undefined) this.happenings.push({ ...happening, at: this.timeOf(at) });
  }

  #amend(last: Happening): void {
    if (this.cut === undefined) this.happenings[this.happenings.length - 1] = last;
  }

  /** What was seen in /proc/net/ip_vs since the last happening, and so many milliseconds behind it at least. */
  see({ lines, at }: Answer, after = 0): void {
    const last = this.happenings.at(-1);
    if (last === undefined) return;
    this.#amend({ ...last, looked: this.timeOf(Math.max(at, last.at + after)), ...newServers(lines) });
  }

  /** Every packet that came in, with what went out before the next one. */
  note(step: number, at: number, seen: readonly SeenPacket[]): void {
    for (const packet of seen.filter(isTraffic)) {
      const last = this.happenings.at(-1);
      if (packet.direction === "in")
        this.happen({ do: "packet", step, at, packet: recorded(packet), out: [] });
      else if (last?.do === "packet") this.#amend({ ...last, out: [...last.out, recorded(packet)] });
    }
  }
}

import { ETH_LEN, PROTO_UDP } from "../../../assembly/abi/wire.js";
import { describePacket } from "../../../src/packet/describe.js";
import { type IpvsConnection, printIpvsConnection } from "../../../src/ruleset/ipvs-connections.js";
import { placeOf } from "../judge/packet-octets.js";
import { isFromOtherPort, withoutPort } from "./changed-port.js";
import type { DirectorSide, Ruling } from "./director-side.js";
import { readConnections, readServers, type ServerLines } from "./proc-net.js";
import { type Happening, type RecordedPacket, type Recording, talksOf } from "./recording.js";
import { printStep } from "./scenario.js";

/** Where a machine and the kernel part. */
export interface Difference {
  readonly scenario: string;
  readonly step: number;
  /** What was done. */
  readonly done: string;
  /** What is not the same: lines of either side. */
  readonly kernel: readonly string[];
  readonly machine: readonly string[];
}

/** What a comparison comes to. */
export interface Comparison {
  /** Packets that could begin a connection or find one, changes, and looks at all connections. */
  readonly packets: number;
  readonly connections: number;
  /** The first one: what comes after it follows from it. */
  readonly difference?: Difference;
}

/**
 * Where the outer headers of a tunnel have what the sending node chooses: IPv4's number, checksum and source, IPv6's flow
 * label and source, and of GUE the port and the checksum, of which the source is a part.
 */
const CHOSEN = {
  4: [
    [4, 6],
    [10, 16],
  ],
  6: [
    [1, 4],
    [8, 24],
  ],
} as const;
const CHOSEN_OF_UDP = [
  [0, 2],
  [6, 8],
] as const;

const octetsOf = ({ frame }: RecordedPacket): Uint8Array => Uint8Array.from(Buffer.from(frame, "hex"));

/**
 * A packet without what is not a director's business: the link it goes by, and of an outer header what its node chooses.
 * (Whom packets to a server of direct routing go to, its counters tell.)
 */
function comparable(packet: RecordedPacket, came: RecordedPacket): string {
  const frame = octetsOf(packet);
  const ip = frame.subarray(ETH_LEN);
  const place = placeOf(ip);
  // Which port is drawn is chance, that one is drawn is not.
  if (place !== undefined && isFromOtherPort(frame, octetsOf(came)))
    withoutPort(ip, describePacket(frame).protocol, place.transport);
  // Nothing else makes a packet longer.
  if (place !== undefined && packet.frame.length > came.frame.length) {
    for (const [from, to] of CHOSEN[place.family]) ip.fill(0, from, to);
    if (place.protocol === PROTO_UDP)
      for (const [from, to] of CHOSEN_OF_UDP) ip.fill(0, place.transport + from, place.transport + to);
  }
  return Buffer.from(ip).toString("hex");
}

function described(packet: RecordedPacket): string {
  const { src, dst, srcPort, dstPort, flags, protocol, dstMac } = describePacket(octetsOf(packet));
  const ends = [src, srcPort, "->", dst, dstPort, flags].filter((part) => part !== undefined).join(" ");
  return `${packet.way} (${dstMac}): ${protocol} ${ends}`;
}

const isError = (packet: RecordedPacket) => describePacket(octetsOf(packet)).protocol.startsWith("icmp");

/** What a ruling and the kernel's answer have to do with each other; undefined where they agree. */
function partingOf(out: readonly RecordedPacket[], came: RecordedPacket, ruling: Ruling): string | undefined {
  const [first] = out;
  const isAnswer = first?.way === came.way;
  if (ruling.verdict === "FORWARD") {
    if (first === undefined || isAnswer || ruling.out === undefined) return "forwarded";
    return comparable(first, came) === comparable(ruling.out, came) ? undefined : "packets";
  }
  // What its own stack answers is not a director's business.
  if (ruling.verdict === "LOCAL") return first === undefined || isAnswer ? undefined : "local";
  if (ruling.verdict === "DROP") return first === undefined ? undefined : "dropped";
  return isAnswer && first !== undefined && isError(first) ? undefined : "refused";
}

/** In one order: that of the kernel's list its choices tell. */
const linesOf = (all: readonly ServerLines[]): readonly string[] =>
  all
    .toSorted((one, other) => (one.service < other.service ? -1 : 1))
    .flatMap(({ service, servers }) => [service, ...servers.map((server) => `  ${server}`).sort()]);

/** Lines that the others are not. */
const without = (lines: readonly string[], others: readonly string[]) => {
  return lines.filter((line) => !others.includes(line));
};

/** A connection without its time. */
const nameOf = (connection: IpvsConnection) => printIpvsConnection({ ...connection, expires: 0 });
/** Times by name: renamed templates may have one name. */
function named(all: readonly IpvsConnection[]): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const connection of all) {
    const name = nameOf(connection);
    times.set(
      name,
      [...(times.get(name) ?? []), connection.expires].sort((one, other) => one - other),
    );
  }
  return times;
}

/** Seconds are rounded down at other moments. */
const SECOND = 1;

const areAlike = (own: readonly number[], others: readonly number[] = []) =>
  own.length === others.length && own.every((seconds, at) => Math.abs(seconds - (others[at] ?? 0)) <= SECOND);

/** Connections that one side has alone, or whose times are not the same. */
function partingConnections(
  kernel: readonly IpvsConnection[],
  machine: readonly IpvsConnection[],
): string[][] {
  const sides = [named(kernel), named(machine)] as const;
  return sides.map((own, index) => {
    const other = sides[1 - index];
    return [...own]
      .filter(([name, times]) => !areAlike(times, other?.get(name)))
      .map(([name, times]) => `${name} ${times.join(" and ")} s`);
  });
}

/** Goes through a recording with a machine beside it. */
class Replay {
  packets = 0;
  readonly #recording: Recording;
  readonly #side: DirectorSide;
  #servers: readonly string[] = [];

  constructor(recording: Recording, side: DirectorSide) {
    this.#recording = recording;
    this.#side = side;
  }

  #difference(step: number, kernel: readonly string[], machine: readonly string[]): Difference {
    const { name, seed, steps, talks } = this.#recording.scenario;
    const done = steps[step] === undefined ? "the end" : printStep(steps[step], talks);
    return { scenario: `${name}, seed ${seed}`, step, done, kernel, machine };
  }

  #take(happening: Happening): Difference | undefined {
    const { step, at } = happening;
    if (happening.do === "change") return this.#change(happening);
    if (happening.do === "look") {
      const machine = this.#side.connections(at);
      const parting = partingConnections(readConnections(happening.connections), machine);
      if (parting.every((lines) => lines.length === 0)) return undefined;
      return this.#difference(step, parting[0] ?? [], parting[1] ?? []);
    }
    this.packets++;
    const ruling = this.#side.judge(happening.packet, at);
    const parting = partingOf(happening.out, happening.packet, ruling);
    if (parting === undefined) {
      if (ruling.verdict === "LOCAL") for (const own of happening.out) this.#side.answer(own, at);
      return undefined;
    }
    const own = ruling.out === undefined ? [] : [described(ruling.out)];
    return this.#difference(step, happening.out.map(described), [ruling.words, ...own]);
  }

  #change({ step, at, said }: Happening & { readonly do: "change" }): Difference | undefined {
    const { steps } = this.#recording.scenario;
    const change = steps[step];
    // What a kernel refuses, a scenario should not have asked.
    if (said.length > 0) return this.#difference(step, said, []);
    if (change?.do === "change") this.#side.change(change.changes, at);
    return undefined;
  }

  #compareServers(happening: Happening): Difference | undefined {
    const { looked, servers, step } = happening;
    if (looked === undefined) return undefined;
    if (servers !== undefined) this.#servers = linesOf(readServers(servers));
    const kernel = this.#servers;
    const machine = linesOf(this.#side.servers(looked));
    if (kernel.join() === machine.join()) return undefined;
    return this.#difference(step, without(kernel, machine), without(machine, kernel));
  }

  #compareListings(): Difference | undefined {
    const { listings, scenario } = this.#recording;
    for (const { option, lines: kernel, at } of listings) {
      const machine = this.#side.list(option, at);
      if (kernel.join() !== machine.join())
        return this.#difference(scenario.steps.length, without(kernel, machine), without(machine, kernel));
    }
    return undefined;
  }

  /** To the end, or to the first difference. */
  run(): Difference | undefined {
    for (const happening of this.#recording.happenings) {
      const difference = this.#take(happening) ?? this.#compareServers(happening);
      if (difference !== undefined) return difference;
    }
    return this.#compareListings();
  }
}

/** Has a machine judge all that a kernel was recorded with. */
export function compare(recording: Recording, side: DirectorSide): Comparison {
  const replay = new Replay(recording, side);
  const difference = replay.run();
  const counts = { packets: replay.packets, connections: talksOf(recording) };
  return difference === undefined ? counts : { ...counts, difference };
}

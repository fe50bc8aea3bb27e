import { type Family, familyOf } from "../../../src/net/ip.js";
import type { Mac } from "../../../src/net/mac.js";
import { type Conversation, NODE_WAY, type Step } from "./conversation.js";
import { ICMP_TALKS, UDP_TALKS } from "./datagram-talks.js";
import type { Dice } from "./dice.js";
import { FRAGMENT_TALKS } from "./fragment-talks.js";
import { addressIn } from "./in-family.js";
import { ODD_TALKS } from "./odd-talks.js";
import { type Destinations, type Ports, type Sources, UPLINK } from "./parties.js";
import { SCTP_TALKS } from "./sctp-talks.js";
import type { Protocol } from "./segment.js";
import { ask, type Subject } from "./steps.js";
import type { Repertoire } from "./talk.js";
import { TCP_TALKS, WINDOW_TALKS } from "./tcp-talks.js";

/** What conversations are called whose packets' answers are to a port of the node that is a Service's too. */
export const FROM_NODE_PORT = " from a nodePort";

const REPERTOIRES = { TCP: TCP_TALKS, UDP: UDP_TALKS, ICMP: ICMP_TALKS, SCTP: SCTP_TALKS } as const;

/** Who talks to whom, in one family. */
export interface Parties {
  readonly sources: Sources;
  readonly destinations: Destinations;
  readonly ports: Ports;
}

/** What the node under test is like. */
export interface Traits {
  /**
   * It remembers clients, or whose turn it is, so that every packet may come out: of one that does not, nobody sees which endpoint its client
   * has from now on.
   */
  readonly remembers: boolean;
  /** What it does to odd frames and to segments out of windows can be seen. */
  readonly tellsOdd: boolean;
  /** The same of what it does to fragments, by their families. */
  readonly tellsPieces: readonly Family[];
  /** The way by which the other node's Pods send. */
  readonly tunnel: string;
}

/** TTLs with their weights. */
const TTLS: readonly (readonly [number, number])[] = [
  [20, 64],
  [3, 255],
];
const SHORT_TTLS: readonly (readonly [number, number])[] = [
  [1, 2],
  [1, 1],
];

/** Draws conversations between those who are there. */
export class Conversations {
  readonly #parties: readonly Parties[];
  readonly #macs: ReadonlyMap<string, Mac>;
  readonly #remembers: boolean;
  readonly #mayBeOdd: boolean;
  readonly #tellsPieces: readonly Family[];
  readonly #tunnel: string;

  /** Of parties of one family or more; `macs` are those of the node's interfaces. */
  constructor(parties: readonly Parties[], macs: ReadonlyMap<string, Mac>, traits: Traits) {
    const { remembers, tellsOdd, tellsPieces, tunnel } = traits;
    this.#parties = parties;
    this.#macs = macs;
    this.#remembers = remembers;
    this.#tunnel = tunnel;
    // What is odd may open a connection that the machine does not judge: that client's endpoint would not be known.
    this.#mayBeOdd = tellsOdd && !remembers;
    this.#tellsPieces = tellsPieces;
  }

  draw(dice: Dice): Conversation {
    const { sources, destinations, ports } = dice.of(this.#parties);
    const { protocol, ...to } = destinations.draw(dice);
    const source = sources.draw(dice, to.address);
    const { way, address } = source;
    const subject: Subject = {
      protocol,
      way,
      from: { address, port: ports.draw(dice, source, to.port) },
      to,
      ttl: dice.weighted(this.#remembers ? TTLS : [...TTLS, ...SHORT_TTLS]),
      tos: dice.of([0, 0x10, 0xb8, 0x02]),
      // Some that come from outside are larger than a tunnel takes.
      payload:
        way === UPLINK && !this.#remembers && dice.percent(6) ? 1_380 + dice.below(60) : dice.below(64),
      isn: [dice.below(2 ** 32), dice.below(2 ** 32)],
      macs: this.#macs,
      tunnel: this.#tunnel,
    };
    const isFromNodePort = way === NODE_WAY && ports.isNodePort(subject.from.port);
    const from = isFromNodePort ? FROM_NODE_PORT : "";
    const further = isFromNodePort ? [] : this.#furtherTalks(protocol, familyOf(address));
    const [kind, steps] = chooseSteps(dice, subject, this.#remembers, further);
    return { kind: `${protocol}${familyOf(address) === 6 ? "6" : ""} ${kind}${from}`, steps, isFromNodePort };
  }

  /** What is held beside the usual. */
  #furtherTalks(protocol: Protocol, family: Family): Repertoire {
    if (protocol === "SCTP") return [];
    const odd = [...ODD_TALKS, ...(protocol === "TCP" ? WINDOW_TALKS : [])];
    return [...(this.#mayBeOdd ? odd : []), ...(this.#tellsPieces.includes(family) ? FRAGMENT_TALKS : [])];
  }

  /** A first packet from one of the node's Pods, of the first family. */
  drawFirst(dice: Dice, address: string, port: number): Conversation {
    const { sources, ports } = dice.of(this.#parties.slice(0, 1));
    const source = dice.of(sources.pods);
    const subject: Subject = {
      protocol: "TCP",
      way: source.way,
      from: { address: source.address, port: ports.draw(dice, source, port) },
      to: { address: addressIn(familyOf(source.address), address), port },
      ttl: 64,
      tos: 0,
      payload: 0,
      isn: [1, 1],
      macs: this.#macs,
      tunnel: this.#tunnel,
    };
    return { kind: "TCP first", steps: [ask(subject, "SYN", { flags: "S" })] };
  }
}

/** Conversations whose packets leave something behind in the kernel that nobody sees. */
const UNSEEN = ["bad checksum", "out of state"];

function chooseSteps(
  dice: Dice,
  subject: Subject,
  areSeen: boolean,
  further: Repertoire,
): readonly [string, readonly Step[]] {
  const { protocol } = subject;
  const usual = REPERTOIRES[protocol].filter(([, kind]) => !areSeen || !UNSEEN.includes(kind));
  const repertoire = [...usual, ...further];
  const [, kind, hold] = dice.weighted(repertoire.map((one) => [one[0], one] as const));
  return [kind, hold(subject, dice)];
}

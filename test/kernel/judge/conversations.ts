import { familyOf } from "../../../src/net/ip.js";
import type { Mac } from "../../../src/net/mac.js";
import type { Conversation, Step } from "./conversation.js";
import type { Dice } from "./dice.js";
import { addressIn } from "./in-family.js";
import { type Destinations, type Ports, type Sources, UPLINK } from "./parties.js";
import { type ChunkName, chunk } from "./sctp-chunks.js";
import type { Segment } from "./segment.js";
import { answer, ask, type Complaint, complain, type Subject } from "./steps.js";

/** Kinds of conversations, and how often each is held. */
type Repertoire = readonly (readonly [number, string, (subject: Subject, dice: Dice) => readonly Step[]])[];

/** TCP as both ends would speak it: sequence numbers fit. */
function phrases(subject: Subject) {
  const [client, server] = subject.isn;
  const data = subject.payload;
  const at = (sent: number, heard: number) => ({
    seq: (client + sent) >>> 0,
    ack: (server + heard) >>> 0,
    payload: 0,
  });
  const back = (sent: number, heard: number) => ({
    seq: (server + sent) >>> 0,
    ack: (client + heard) >>> 0,
    payload: 0,
  });
  return {
    syn: ask(subject, "SYN", { flags: "S", seq: client, payload: 0 }),
    synAgain: ask(subject, "SYN again", { flags: "S", seq: client, payload: 0 }),
    synAck: answer(subject, "SYN+ACK", { ...back(0, 1), flags: "SA" }),
    ack: ask(subject, "ACK", { ...at(1, 1), flags: "A" }),
    data: ask(subject, "PSH+ACK", { ...at(1, 1), flags: "PA", payload: data }),
    dataAgain: ask(subject, "PSH+ACK again", { ...at(1, 1), flags: "PA", payload: data }),
    dataAck: answer(subject, "ACK of data", { ...back(1, 1 + data), flags: "A" }),
    fin: ask(subject, "FIN", { ...at(1 + data, 1), flags: "FA" }),
    finAck: answer(subject, "FIN of the server", { ...back(1, 2 + data), flags: "FA" }),
    lastAck: ask(subject, "last ACK", { ...at(2 + data, 2), flags: "A" }),
    reset: ask(subject, "RST", { ...at(1, 1), flags: "R" }),
    refusal: answer(subject, "RST+ACK of the server", {
      seq: 0,
      ack: (client + 1) >>> 0,
      payload: 0,
      flags: "RA",
    }),
    another: ask(subject, "SYN of another connection", {
      flags: "S",
      seq: (client + 1_000_000) >>> 0,
      payload: 0,
    }),
  };
}

/** Somewhere between the client and the server. */
const ROUTER = "198.18.9.9";

const FLAGS = ["SA", "A", "PA", "FA", "F", "R", "RA", "", "SF", "SFRPAU", "FPU", "AU", "SR"];

/** What an ICMP error may say, and the same in ICMPv6. */
const COMPLAINTS: readonly (readonly [Complaint, Complaint])[] = [
  [
    { type: 3, code: 3, quoted: 8 },
    { type: 1, code: 4, quoted: 8 },
  ],
  [
    { type: 3, code: 1, quoted: 28 },
    { type: 1, code: 3, quoted: 28 },
  ],
  [
    { type: 3, code: 4, quoted: 8 },
    { type: 2, code: 0, quoted: 8 },
  ],
  [
    { type: 11, code: 0, quoted: 20, router: addressIn(4, ROUTER) },
    { type: 3, code: 0, quoted: 20, router: addressIn(6, ROUTER) },
  ],
];

function drawComplaint(subject: Subject, dice: Dice): Complaint {
  return dice.of(COMPLAINTS)[familyOf(subject.from.address) === 4 ? 0 : 1];
}

const TCP: Repertoire = [
  [
    30,
    "whole",
    (subject) => {
      const say = phrases(subject);
      return [say.syn, say.synAck, say.ack, say.data, say.dataAck, say.fin, say.finAck, say.lastAck];
    },
  ],
  [
    12,
    "again",
    (subject) => {
      const say = phrases(subject);
      return [say.syn, say.synAgain, say.synAck, say.ack, say.data, say.dataAgain, say.reset];
    },
  ],
  [10, "refused", (subject) => [phrases(subject).syn, phrases(subject).refusal, phrases(subject).another]],
  [
    8,
    "complaint of the server",
    (subject, dice) => {
      const say = phrases(subject);
      const complaint = complain(subject, "there", drawComplaint(subject, dice));
      return dice.percent(50)
        ? [say.syn, complaint, say.synAgain]
        : [say.syn, say.synAck, say.ack, say.data, complaint, say.dataAgain];
    },
  ],
  [
    6,
    "complaint of the client",
    (subject, dice) => [
      phrases(subject).syn,
      phrases(subject).synAck,
      complain(subject, "back", drawComplaint(subject, dice)),
    ],
  ],
  [
    20,
    "out of state",
    (subject, dice) => {
      const flags = dice.of(FLAGS);
      const [seq, ack] = [dice.below(2 ** 31), dice.below(2 ** 31)];
      const stray = ask(subject, `stray ${flags || "no flags"}`, { flags, seq, ack, payload: 0 });
      const back = answer(subject, "answer to a stray", { flags: "A", seq: ack, ack: seq, payload: 0 });
      return [stray, back];
    },
  ],
  [
    6,
    "bad checksum",
    (subject) => {
      const say = phrases(subject);
      const bad = ask(subject, "SYN, bad checksum", {
        flags: "S",
        seq: subject.isn[0],
        payload: 0,
        checksum: 1,
      });
      return [bad, say.syn, say.synAck];
    },
  ],
];

const UDP: Repertoire = [
  [
    40,
    "exchange",
    (subject) => [
      ask(subject, "ask"),
      answer(subject, "answer"),
      ask(subject, "ask more"),
      answer(subject, "answer more"),
    ],
  ],
  [12, "again", (subject) => [ask(subject, "ask"), ask(subject, "ask again"), answer(subject, "answer")]],
  [
    10,
    "complaint of the server",
    (subject, dice) => [
      ask(subject, "ask"),
      complain(subject, "there", drawComplaint(subject, dice)),
      ask(subject, "ask again"),
    ],
  ],
  [
    8,
    "complaint of the client",
    (subject, dice) => [
      ask(subject, "ask"),
      answer(subject, "answer"),
      complain(subject, "back", drawComplaint(subject, dice)),
    ],
  ],
  [6, "bad checksum", (subject) => [ask(subject, "ask, bad checksum", { checksum: 1 }), ask(subject, "ask")]],
  [
    6,
    "no checksum",
    (subject) => [ask(subject, "ask, no checksum", { checksum: 0 }), answer(subject, "answer")],
  ],
];

const ICMP: Repertoire = [
  [
    5,
    "ping",
    (subject) => [ask(subject, "echo request"), answer(subject, "echo reply"), ask(subject, "echo again")],
  ],
  [
    1,
    "complaint",
    (subject, dice) => [
      ask(subject, "echo request"),
      complain(subject, "there", drawComplaint(subject, dice)),
    ],
  ],
];

/** SCTP as both ends would speak it: tags fit. */
function associations(subject: Subject) {
  const [client, server] = subject.isn.map((isn) => isn | 1).map((tag) => tag >>> 0) as [number, number];
  const there = (name: ChunkName, turn: Pick<Segment, "checksum"> = {}) =>
    ask(subject, name, { verification: name === "init" ? 0 : server, payload: chunk(name, client), ...turn });
  const back = (name: ChunkName) =>
    answer(subject, name, { verification: client, payload: chunk(name, server) });
  return { there, back };
}

const STRAY_CHUNKS: readonly ChunkName[] = [
  "data",
  "sack",
  "cookieEcho",
  "shutdown",
  "abort",
  "heartbeat",
  "initAck",
];

const SCTP: Repertoire = [
  [
    5,
    "whole",
    (subject) => {
      const { there, back } = associations(subject);
      return [
        ...[
          there("init"),
          back("initAck"),
          there("cookieEcho"),
          back("cookieAck"),
          there("data"),
          back("sack"),
        ],
        ...[there("shutdown"), back("shutdownAck"), there("shutdownComplete")],
      ];
    },
  ],
  [
    2,
    "refused",
    (subject) => {
      const { there, back } = associations(subject);
      return [there("init"), back("abort"), there("init")];
    },
  ],
  [2, "out of state", (subject, dice) => [associations(subject).there(dice.of(STRAY_CHUNKS))]],
  [
    1,
    "bad checksum",
    (subject) => [associations(subject).there("init", { checksum: 1 }), associations(subject).there("init")],
  ],
  [
    1,
    "complaint of the server",
    (subject, dice) => {
      const { there } = associations(subject);
      return [there("init"), complain(subject, "there", drawComplaint(subject, dice)), there("init")];
    },
  ],
];

const REPERTOIRES = { TCP, UDP, ICMP, SCTP } as const;

/** Who talks to whom, in one family. */
export interface Parties {
  readonly sources: Sources;
  readonly destinations: Destinations;
  readonly ports: Ports;
}

/** Draws conversations between those who are there. */
export class Conversations {
  readonly #parties: readonly Parties[];
  readonly #macs: ReadonlyMap<string, Mac>;

  /** Of parties of one family or more; `macs` are those of the node's interfaces. */
  constructor(parties: readonly Parties[], macs: ReadonlyMap<string, Mac>) {
    this.#parties = parties;
    this.#macs = macs;
  }

  draw(dice: Dice): Conversation {
    const { sources, destinations, ports } = dice.of(this.#parties);
    const { protocol, ...to } = destinations.draw(dice);
    const { way, address } = sources.draw(dice, to.address);
    const subject: Subject = {
      protocol,
      way,
      from: { address, port: ports.draw(dice, address) },
      to,
      ttl: dice.weighted([
        [20, 64],
        [3, 255],
        [1, 2],
        [1, 1],
      ]),
      tos: dice.of([0, 0x10, 0xb8, 0x02]),
      // Some that come from outside are larger than a tunnel takes.
      payload: way === UPLINK && dice.percent(6) ? 1_380 + dice.below(60) : dice.below(64),
      isn: [dice.below(2 ** 32), dice.below(2 ** 32)],
      macs: this.#macs,
    };
    const [kind, steps] = chooseSteps(dice, subject);
    return { kind: `${protocol}${familyOf(address) === 6 ? "6" : ""} ${kind}`, steps };
  }

  /** A first packet from one of the node's Pods, of the first family. */
  drawFirst(dice: Dice, address: string, port: number): Conversation {
    const { sources, ports } = dice.of(this.#parties.slice(0, 1));
    const source = dice.of(sources.pods);
    const subject: Subject = {
      protocol: "TCP",
      way: source.way,
      from: { address: source.address, port: ports.draw(dice, source.address) },
      to: { address: addressIn(familyOf(source.address), address), port },
      ttl: 64,
      tos: 0,
      payload: 0,
      isn: [1, 1],
      macs: this.#macs,
    };
    return { kind: "TCP first", steps: [phrases(subject).syn] };
  }
}

function chooseSteps(dice: Dice, subject: Subject): readonly [string, readonly Step[]] {
  const repertoire = REPERTOIRES[subject.protocol];
  const [, kind, hold] = dice.weighted(repertoire.map((one) => [one[0], one] as const));
  return [kind, hold(subject, dice)];
}

import type { Step } from "./conversation.js";
import type { Dice } from "./dice.js";
import { answer, ask, complain, type Subject } from "./steps.js";
import { drawComplaint, type Repertoire } from "./talk.js";

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

/** How far a segment may be from where it is expected: around windows, and far off. */
const DISTANCES = [
  0,
  0,
  0,
  1,
  -1,
  500,
  1_000,
  64_239,
  64_240,
  64_241,
  66_000,
  200_000,
  -64_240,
  -66_001,
  -200_000,
  2 ** 31,
];
const WINDOWS = [0, 1, 1_000, 64_240, 65_535];

function drawDistance(dice: Dice): number {
  return dice.of(DISTANCES) + dice.of([0, 0, 1, -1, dice.below(64)]);
}

/** A talk whose segments are in and out of the windows. */
function disorder(subject: Subject, dice: Dice): readonly Step[] {
  const [client, server] = subject.isn;
  const say = phrases(subject);
  const sent = 1 + subject.payload;
  const turn = (own: number, other: number, heard: number) => ({
    flags: dice.of(["A", "A", "PA", "FA", "R", "RA"]),
    seq: (own + drawDistance(dice)) >>> 0,
    ack: (other + heard + drawDistance(dice)) >>> 0,
    window: dice.of(WINDOWS),
    payload: dice.of([0, 0, 1, 60]),
  });
  const steps = Array.from({ length: 4 }, () =>
    dice.percent(60)
      ? ask(subject, "segment somewhere", turn(client + sent, server, 1))
      : answer(subject, "answer somewhere", turn(server + 1, client, sent)),
  );
  return [
    say.syn,
    say.synAck,
    say.ack,
    say.data,
    ...(dice.percent(50) ? [say.dataAck] : []),
    ...steps,
    say.dataAgain,
  ];
}

const FLAGS = ["SA", "A", "PA", "FA", "F", "R", "RA", "", "SF", "SFRPAU", "FPU", "AU", "SR"];

export const TCP_TALKS: Repertoire = [
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

export const WINDOW_TALKS: Repertoire = [[10, "in and out of windows", disorder]];

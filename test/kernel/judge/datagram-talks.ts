import { answer, ask, complain } from "./steps.js";
import { drawComplaint, type Repertoire } from "./talk.js";

export const UDP_TALKS: Repertoire = [
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

export const ICMP_TALKS: Repertoire = [
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

import { type ChunkName, chunk } from "./sctp-chunks.js";
import type { Segment } from "./segment.js";
import { answer, ask, complain, type Subject } from "./steps.js";
import { drawComplaint, type Repertoire } from "./talk.js";

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

export const SCTP_TALKS: Repertoire = [
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

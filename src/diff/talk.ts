import type { Connection } from "../ruleset/connections.js";
import type { Respondent } from "./inquiry.js";
import type { PacketKind, Talk } from "./packet.js";
import type { Question } from "./question.js";

/** So often something is said on a connection that is kept in use: before any timer of conntrack's or IPVS' ends it. */
const EVERY_MS = 20_000;

/** What a connection's server sends. */
function back({ reply }: Connection, kind: PacketKind): Uint8Array {
  const end = (address: Connection["reply"]["src"], port = 0) => ({ address, port });
  return kind.build(end(reply.src, reply.srcPort), end(reply.dst, reply.dstPort));
}

/** What its client sends. */
function there({ sent, target }: Question, kind: PacketKind, { index }: Respondent): Uint8Array {
  return kind.build(sent[index].from, { address: target.address, port: target.port });
}

/** Opens a connection on a side that has none, by told choices; undefined where the node keeps none. */
export function openConnection(
  question: Question,
  { opening }: Talk,
  side: Respondent,
  options: { readonly now: number; readonly choices?: readonly number[] },
): Connection | undefined {
  const { engine, index } = side;
  const { now } = options;
  engine.follow(question.sent[index].frame, options);
  const [connection] = engine.listConnections(now);
  if (connection === undefined) return undefined;
  for (const [turn, kind] of opening.entries()) {
    engine.follow(turn % 2 === 0 ? back(connection, kind) : there(question, kind, side), { now });
  }
  return connection;
}

/** Has both ends of an open connection speak again and again, from one time until before another, in milliseconds. */
export function keepInUse(
  question: Question,
  talk: Talk,
  side: Respondent,
  connection: Connection,
  [from, until]: readonly [number, number],
): void {
  const { engine, slot } = side;
  const said = [there(question, talk.next, side), back(connection, talk.answer)].map((frame) => {
    return { frame, in: engine.interfaceNumber(frame) };
  });
  for (let now = from; now < until; now += EVERY_MS) {
    for (const one of said) {
      slot.set(0, one.frame, one.in);
      engine.run(slot, now);
    }
  }
}

import * as abi from "../../assembly/abi/connection.js";
import { PROTO_ICMP, PROTO_ICMP6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../../assembly/abi/wire.js";
import { expectArgument } from "../arguments.js";
import type { Ip } from "../net/ip.js";
import type { Connection, ConnectionTuple } from "../ruleset/connections.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** Rows that are read at a time. */
const ROWS = 1024;
const WORDS = abi.CONNECTION_ROW_LEN / 4;

type States = Readonly<Record<string, number>>;

function namesOf(prefix: string): ReadonlyMap<number, string> {
  const codes = Object.entries(abi as States).filter(([name]) => name.startsWith(prefix));
  return new Map(codes.map(([name, code]) => [code, name.slice(prefix.length)]));
}

const STATES = new Map([
  [PROTO_TCP, namesOf("TCP_")],
  [PROTO_SCTP, namesOf("SCTP_")],
]);

class Row {
  constructor(readonly words: Uint32Array) {}

  at(field: number): number {
    return this.words[field / 4] as number;
  }

  #address(field: number): Ip {
    if (this.at(abi.CONNECTION_ROW_FAMILY) === 4) return this.at(field + 12);
    let address = 0n;
    for (let word = 0; word < 16; word += 4) address = (address << 32n) | BigInt(this.at(field + word));
    return address;
  }

  tuple(src: number, dst: number, ports: number): ConnectionTuple {
    const ends = { src: this.#address(src), dst: this.#address(dst) };
    const [high, low] = [this.at(ports) >>> 16, this.at(ports) & 0xffff];
    switch (this.at(abi.CONNECTION_ROW_PROTOCOL)) {
      case PROTO_TCP:
      case PROTO_UDP:
      case PROTO_SCTP:
        return { ...ends, srcPort: high, dstPort: low };
      case PROTO_ICMP:
      case PROTO_ICMP6:
        return { ...ends, icmp: { type: low >>> 8, code: low & 0xff, id: high } };
      default:
        return ends;
    }
  }
}

function connectionOf(row: Row): Connection {
  const protocol = row.at(abi.CONNECTION_ROW_PROTOCOL);
  const flags = row.at(abi.CONNECTION_ROW_FLAGS);
  const state = STATES.get(protocol)?.get(row.at(abi.CONNECTION_ROW_STATE));
  const { CONNECTION_ROW_SRC: src, CONNECTION_ROW_DST: dst, CONNECTION_ROW_PORTS: ports } = abi;
  return {
    number: row.at(abi.CONNECTION_ROW_NUMBER),
    protocol,
    ...(state === undefined ? {} : { state }),
    original: row.tuple(src, dst, ports),
    reply: row.tuple(
      abi.CONNECTION_ROW_REPLY_SRC,
      abi.CONNECTION_ROW_REPLY_DST,
      abi.CONNECTION_ROW_REPLY_PORTS,
    ),
    timeout: row.at(abi.CONNECTION_ROW_LEFT),
    mark: row.at(abi.CONNECTION_ROW_MARK),
    isReplied: (flags & abi.CONNECTION_FLAG_REPLIED) !== 0,
    isAssured: (flags & abi.CONNECTION_FLAG_ASSURED) !== 0,
  };
}

/** The live connections of a state, by number; `now` in milliseconds, an earlier one counting as the latest so far. */
export function readConnections(
  machine: Machine,
  memory: LinearMemory,
  state: number,
  now: number,
): readonly Connection[] {
  const list: Connection[] = [];
  memory.borrow(ROWS * abi.CONNECTION_ROW_LEN, (at) => {
    for (let from = 1, count = ROWS; count === ROWS; ) {
      count = machine.flowsRead(state, now, from, ROWS, at);
      const words = memory.words(at, count * WORDS);
      for (let row = 0; row < count; row++)
        list.push(connectionOf(new Row(words.subarray(row * WORDS, (row + 1) * WORDS))));
      from = (list.at(-1)?.number ?? 0) + 1;
    }
  });
  return list;
}

/** Forgets connections that were listed. TypeError for what is none. */
export function closeConnections(machine: Machine, state: number, connections: Iterable<Connection>): void {
  const isList = typeof connections === "object" && connections !== null && Symbol.iterator in connections;
  expectArgument(isList, connections, "what closeConnections() closes", "some of listConnections()");
  for (const connection of connections) {
    const isOne = Number.isInteger(connection?.number);
    expectArgument(isOne, connection, "what closeConnections() closes", "some of listConnections()");
    machine.flowClose(state, connection.number);
  }
}

import * as abi from "../../assembly/abi/session.js";
import type { Ip } from "../net/ip.js";
import { sessionStateName } from "../trace/session-states.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** An address with a port. */
export interface IpvsEnd {
  readonly address: Ip;
  readonly port: number;
}

/** One of IPVS' own connections, or a template that keeps a client's next ones together. */
export interface IpvsConnection {
  /** Its number, the machine's: it is another's once this one is over. */
  readonly number: number;
  readonly family: 4 | 6;
  /** Of IP; 0 of a firewall mark's template, whose virtual address is the mark (of IPv6 its first word). */
  readonly protocol: number;
  /** As ipvsadm names it. */
  readonly state: string;
  readonly client: IpvsEnd;
  readonly virtual: IpvsEnd;
  readonly real: IpvsEnd;
  /** Milliseconds until it expires. */
  readonly timeout: number;
  /** The mark of its first packet. */
  readonly mark: number;
  readonly isTemplate: boolean;
  readonly isActive: boolean;
  /** Packets of its client's. */
  readonly packets: number;
  /** The number of its destination, and which of those that had it. */
  readonly destination: number;
  readonly serial: number;
  /** The number of the template that it was scheduled by; of a template, how many it holds. */
  readonly template: number | undefined;
  readonly held: number;
}

/** Rows that are read at a time. */
const ROWS = 1024;
const WORDS = abi.SESSION_ROW_LEN / 4;
const LAST_WORD = 12;

/** The address that four words of a row hold. */
export function addressIn(words: Uint32Array, at: number, family: number): Ip {
  if (family === 4) return words[(at + LAST_WORD) / 4] as number;
  let address = 0n;
  for (let word = 0; word < 4; word++) address = (address << 32n) | BigInt(words[at / 4 + word] as number);
  return address;
}

function sessionOf(words: Uint32Array): IpvsConnection {
  const at = (field: number) => words[field / 4] as number;
  const family = at(abi.SESSION_ROW_FAMILY) === 6 ? 6 : 4;
  const end = (field: number, port: number) => ({ address: addressIn(words, field, family), port });
  const flags = at(abi.SESSION_ROW_FLAGS);
  const isTemplate = (flags & abi.SESSION_FLAG_TEMPLATE) !== 0;
  const protocol = at(abi.SESSION_ROW_PROTOCOL);
  const ports = at(abi.SESSION_ROW_PORTS);
  return {
    number: at(abi.SESSION_ROW_NUMBER),
    family,
    protocol,
    state: sessionStateName(protocol, at(abi.SESSION_ROW_STATE), isTemplate),
    client: end(abi.SESSION_ROW_CLIENT, ports >>> 16),
    virtual: end(abi.SESSION_ROW_VIRTUAL, ports & 0xffff),
    real: end(abi.SESSION_ROW_REAL, at(abi.SESSION_ROW_REAL_PORT)),
    timeout: at(abi.SESSION_ROW_LEFT),
    mark: at(abi.SESSION_ROW_MARK),
    isTemplate,
    isActive: (flags & abi.SESSION_FLAG_INACTIVE) === 0,
    packets: at(abi.SESSION_ROW_PACKETS),
    destination: at(abi.SESSION_ROW_DESTINATION),
    serial: at(abi.SESSION_ROW_SERIAL),
    template: at(abi.SESSION_ROW_CONTROL) || undefined,
    held: at(abi.SESSION_ROW_CONTROLLED),
  };
}

/** All connections of IPVS' in a state, by number. */
export function readSessions(
  machine: Machine,
  memory: LinearMemory,
  state: number,
): readonly IpvsConnection[] {
  const list: IpvsConnection[] = [];
  memory.borrow(ROWS * abi.SESSION_ROW_LEN, (at) => {
    for (let from = 1, count = ROWS; count === ROWS; ) {
      count = machine.sessionsRead(state, from, ROWS, at);
      const words = memory.words(at, count * WORDS);
      for (let row = 0; row < count; row++)
        list.push(sessionOf(words.subarray(row * WORDS, (row + 1) * WORDS)));
      from = (list.at(-1)?.number ?? 0) + 1;
    }
  });
  return list;
}

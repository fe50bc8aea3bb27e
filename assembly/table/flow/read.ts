import {
  CONNECTION_FLAG_REPLIED,
  CONNECTION_ROW_DST,
  CONNECTION_ROW_FAMILY,
  CONNECTION_ROW_FLAGS,
  CONNECTION_ROW_LEFT,
  CONNECTION_ROW_LEN,
  CONNECTION_ROW_MARK,
  CONNECTION_ROW_NUMBER,
  CONNECTION_ROW_PORTS,
  CONNECTION_ROW_PROTOCOL,
  CONNECTION_ROW_REPLY_PORTS,
  CONNECTION_ROW_SRC,
  CONNECTION_ROW_STATE,
} from "../../abi/connection";
import { State } from "../../state";
import {
  ADDRESS_DST,
  Connection,
  DIRECTION_REPLY,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
  PROGRESS_STATE,
} from "./layout";
import { connectionAt } from "./lookup";
import { addressOf, lastWordAt } from "./lookup6";

const ADDRESSES: u32 = (DIRECTION_REPLY << 1) + ADDRESS_DST + 1;
const ADDRESS_LEN: u32 = CONNECTION_ROW_DST - CONNECTION_ROW_SRC;
/** Of milliseconds, what fits. */
const LEFT_MAX: u64 = 0xffffffff;

function readAddress(state: State, connection: Connection, number: u32, at: usize): void {
  const last = load<u32>(lastWordAt(connection, number));
  const whole = connection.isIp6 ? addressOf(state, connection, number) : i32x4.splat(0);
  v128.store(at, v128.replace_lane<u32>(whole, 3, last));
}

function read(state: State, connection: Connection, number: u32, now: u64, row: usize): void {
  const replied = connection.state == FLOW_STATE_NEW ? 0 : CONNECTION_FLAG_REPLIED;
  store<u32>(row, number, CONNECTION_ROW_NUMBER);
  store<u32>(row, connection.isIp6 ? 6 : 4, CONNECTION_ROW_FAMILY);
  store<u32>(row, connection.protocol, CONNECTION_ROW_PROTOCOL);
  store<u32>(row, connection.progress & PROGRESS_STATE, CONNECTION_ROW_STATE);
  for (let address: u32 = 0; address < ADDRESSES; address++)
    readAddress(state, connection, address, row + CONNECTION_ROW_SRC + address * ADDRESS_LEN);
  store<u32>(row, connection.ports, CONNECTION_ROW_PORTS);
  store<u32>(row, connection.replyPorts, CONNECTION_ROW_REPLY_PORTS);
  store<u32>(row, <u32>min<u64>(connection.expires - now, LEFT_MAX), CONNECTION_ROW_LEFT);
  store<u32>(row, connection.mark, CONNECTION_ROW_MARK);
  store<u32>(row, connection.flags | replied, CONNECTION_ROW_FLAGS);
}

/** Reads up to `count` live connections of record `from` or a later one into rows (CONNECTION_ROW_…); how many there were. */
export function flowRead(state: State, now: u64, from: u32, count: u32, rows: usize): u32 {
  let done: u32 = 0;
  for (let number = max<u32>(from, 1); number < state.recordsTop && done < count; number++) {
    const connection = connectionAt(state, number);
    if (connection.state == FLOW_STATE_FREE || connection.expires <= now) continue;
    read(state, connection, number, now, rows + done * CONNECTION_ROW_LEN);
    done++;
  }
  return done;
}

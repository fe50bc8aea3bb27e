import { IMAGE_VERSION, STATE_MAGIC, STATUS_BAD_ENTRY, STATUS_BAD_IMAGE, STATUS_OK } from "../abi/image";
import { seed } from "../random";
import { STATE_HEAD_LEN, State } from "../state";
import { flowCreate, flowLength } from "../table/flow/build";
import { CONNECTIONS_MAX } from "../table/flow/layout";
import { RINGS_MAX } from "../table/ring/layout";

/** Octets of a state for so many connections and virtual servers; 0 where there are too many or no connections. */
export function stateLength(connections: u32, servers: u32): u32 {
  if (connections == 0 || connections > CONNECTIONS_MAX || servers > RINGS_MAX) return 0;
  return STATE_HEAD_LEN + flowLength(connections) + servers * 4;
}

/** Makes a state of `stateLength` octets. */
export function stateCreate(state: State, connections: u32, servers: u32, low: u32, high: u32): u32 {
  const length = stateLength(connections, servers);
  if (length == 0) return STATUS_BAD_ENTRY;
  memory.fill(changetype<usize>(state), 0, length);
  state.length = length;
  flowCreate(state, STATE_HEAD_LEN, connections);
  state.positionsAt = STATE_HEAD_LEN + flowLength(connections);
  state.positionsRoom = servers;
  seed(state, low, high);
  state.version = IMAGE_VERSION;
  state.magic = STATE_MAGIC;
  return STATUS_OK;
}

/** Extends the scheduler positions, which stand last, to so many virtual servers. */
export function stateReach(state: State, servers: u32): u32 {
  if (!state.isValid) return STATUS_BAD_IMAGE;
  const room = state.positionsRoom;
  if (servers > RINGS_MAX) return STATUS_BAD_ENTRY;
  if (servers <= room) return STATUS_OK;
  memory.fill(state.to(state.positionsAt + room * 4), 0, (servers - room) * 4);
  state.positionsRoom = servers;
  state.length += (servers - room) * 4;
  return STATUS_OK;
}

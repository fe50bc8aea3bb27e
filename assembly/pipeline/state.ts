import { IMAGE_VERSION, STATE_MAGIC, STATUS_BAD_ENTRY, STATUS_BAD_IMAGE, STATUS_OK } from "../abi/image";
import { draw, seed } from "../random";
import { STATE_HEAD_LEN, State } from "../state";
import { clientsCreate } from "../table/affinity/build";
import { CLIENTS_MAX, clientsLength } from "../table/affinity/layout";
import { flowCreate, flowLength } from "../table/flow/build";
import { CONNECTIONS_MAX } from "../table/flow/layout";
import { POSITION_LEN, RINGS_MAX } from "../table/ring/layout";
import { windowsLength } from "../track/window-record";

/** Octets of everything before the scheduler positions. */
function positionsFrom(connections: u32, windows: bool): u32 {
  return STATE_HEAD_LEN + flowLength(connections) + (windows ? windowsLength(connections) : 0);
}

/**
 * Octets of a state for so many connections, virtual servers and clients that rules note; `windows`: TCP's windows are
 * followed. 0 where there are too many or no connections.
 */
export function stateLength(connections: u32, servers: u32, windows: bool, clients: u32): u32 {
  if (connections == 0 || connections > CONNECTIONS_MAX || servers > RINGS_MAX) return 0;
  const octets = <u64>positionsFrom(connections, windows) + servers * POSITION_LEN;
  if (clients > CLIENTS_MAX || octets + clientsLength(clients) > u32.MAX_VALUE) return 0;
  return <u32>octets + clientsLength(clients);
}

/** Sets random state, and the key of the connection table's hash: what is drawn later does not tell it. */
function seedState(state: State, low: u32, high: u32): void {
  seed(state, ~low, ~high);
  const key = changetype<usize>(state) + offsetof<State>("flowKey0");
  for (let at: u32 = 0; at < 16; at += 4) store<u32>(key + at, draw(state));
  seed(state, low, high);
}

/** Makes a state in `stateLength` octets, without clients (stateReach): STATUS_BAD_ENTRY for 0 connections or too many of anything. */
export function stateCreate(
  address: usize,
  connections: u32,
  servers: u32,
  seedLow: u32,
  seedHigh: u32,
  windows: bool,
): u32 {
  const state = State.at(address);
  const length = stateLength(connections, servers, windows, 0);
  if (length == 0) return STATUS_BAD_ENTRY;
  memory.fill(address, 0, length);
  state.length = length;
  flowCreate(state, STATE_HEAD_LEN, connections);
  if (windows) state.windowsAt = STATE_HEAD_LEN + flowLength(connections);
  state.positionsAt = positionsFrom(connections, windows);
  state.positionsRoom = servers;
  seedState(state, seedLow, seedHigh);
  state.version = IMAGE_VERSION;
  state.magic = STATE_MAGIC;
  return STATUS_OK;
}

/** Moves what is behind the scheduler positions, and makes new ones. */
function reachServers(state: State, servers: u32): void {
  const room = state.positionsRoom;
  const end = state.positionsAt + room * POSITION_LEN;
  const more = (servers - room) * POSITION_LEN;
  memory.copy(state.to(end + more), state.to(end), state.length - end);
  memory.fill(state.to(end), 0, more);
  if (state.clientsRoom != 0) state.clientsAt += more;
  state.positionsRoom = servers;
  state.length += more;
}

/**
 * Tells a state that was copied to a place of more octets for how many virtual servers that is, and for how many clients:
 * those are given room once.
 */
export function stateReach(address: usize, servers: u32, clients: u32): u32 {
  const state = State.at(address);
  if (!state.isValid) return STATUS_BAD_IMAGE;
  if (servers > RINGS_MAX || clients > CLIENTS_MAX) return STATUS_BAD_ENTRY;
  if (servers > state.positionsRoom) reachServers(state, servers);
  if (clients == 0 || state.clientsRoom != 0) return STATUS_OK;
  clientsCreate(state, state.length, clients);
  state.length += clientsLength(clients);
  return STATUS_OK;
}

/** Connections and virtual servers that a state has room for. */
export function stateConnections(address: usize): u32 {
  return State.at(address).connectionsRoom;
}

/** Whether a state follows TCP's windows. */
export function stateWindows(address: usize): bool {
  return State.at(address).windowsAt != 0;
}

export function stateServers(address: usize): u32 {
  return State.at(address).positionsRoom;
}

/** Clients that a state has room for; 0 where no rule was known that notes any. */
export function stateClients(address: usize): u32 {
  return State.at(address).clientsRoom;
}

export function stateSeed(address: usize, low: u32, high: u32): void {
  seed(State.at(address), low, high);
}

/** No burst of the state's is on its way, whatever became of it. */
export function stateRest(address: usize): void {
  State.at(address).setBusy(false);
}

import { IMAGE_VERSION, STATE_MAGIC, STATUS_BAD_ENTRY, STATUS_BAD_IMAGE, STATUS_OK } from "../abi/image";
import { draw, seed } from "../random";
import { STATE_HEAD_LEN, State } from "../state";
import { clientsCreate } from "../table/affinity/build";
import { CLIENTS_MAX, clientsLength } from "../table/affinity/layout";
import { flowCreate, flowLength } from "../table/flow/build";
import { CONNECTIONS_MAX } from "../table/flow/layout";
import { walksLength } from "../table/flow/walks";
import { cellsOf, storeCreate } from "../table/fragments/build";
import { CELLS_MAX, storeLength } from "../table/fragments/layout";
import { hasIpvs, Ipvs, ipvsOf } from "../table/ipvs/layout";
import { hasCache, ipvsCreate, ipvsLength, ipvsReach } from "../table/ipvs/room";
import { DESTINATIONS_MAX } from "../table/ring/destinations";
import { POSITION_LEN, RINGS_MAX } from "../table/ring/layout";
import { windowsLength } from "../track/window-record";

/** Octets of everything before TCP's windows, before what fragments are kept in, and before the scheduler positions behind that. */
function windowsFrom(connections: u32): u32 {
  return STATE_HEAD_LEN + flowLength(connections) + walksLength(connections);
}

function fragmentsFrom(connections: u32, windows: bool): u32 {
  return windowsFrom(connections) + (windows ? windowsLength(connections) : 0);
}

function positionsFrom(connections: u32, windows: bool, cells: u32): u32 {
  return fragmentsFrom(connections, windows) + storeLength(cells);
}

/** IPVS' part begins where a line of memory does: its buckets are of one. */
function align(octets: u64): u64 {
  return (octets + 63) & ~(<u64>63);
}

/**
 * Octets of a state for so many connections, virtual servers and clients that rules note; `windows`: TCP's windows are
 * followed; `sessions`: connections of IPVS, to so many destinations, 0 where it has none; `caches`: its schedulers keep what
 * they chose; `cells`: what fragments are kept in. 0 where there are too many of anything or no connections.
 */
export function stateLength(
  connections: u32,
  servers: u32,
  windows: bool,
  clients: u32,
  sessions: u32,
  destinations: u32,
  caches: bool,
  cells: u32,
): u32 {
  if (connections == 0 || connections > CONNECTIONS_MAX || servers > RINGS_MAX) return 0;
  if (clients > CLIENTS_MAX || sessions > CONNECTIONS_MAX || destinations > DESTINATIONS_MAX) return 0;
  if (cells > CELLS_MAX) return 0;
  const before = <u64>fragmentsFrom(connections, windows) + storeLength(cells);
  const octets = before + servers * POSITION_LEN + clientsLength(clients);
  const whole = sessions == 0 ? octets : align(octets) + ipvsLength(sessions, servers, destinations, caches);
  return whole > u32.MAX_VALUE ? 0 : <u32>whole;
}

/** Sets random state, and the key of the connection table's hash: what is drawn later does not tell it. */
function seedState(state: State, low: u32, high: u32): void {
  seed(state, ~low, ~high);
  const key = changetype<usize>(state) + offsetof<State>("flowKey0");
  for (let at: u32 = 0; at < 16; at += 4) store<u32>(key + at, draw(state));
  seed(state, low, high);
}

/** Makes a state in `stateLength` octets, without clients and IPVS' part (stateReach): STATUS_BAD_ENTRY for 0 connections or too many of anything. */
export function stateCreate(
  address: usize,
  connections: u32,
  servers: u32,
  seedLow: u32,
  seedHigh: u32,
  windows: bool,
  cells: u32,
): u32 {
  const state = State.at(address);
  const length = stateLength(connections, servers, windows, 0, 0, 0, false, cells);
  if (length == 0) return STATUS_BAD_ENTRY;
  memory.fill(address, 0, fragmentsFrom(connections, windows));
  state.length = length;
  flowCreate(state, STATE_HEAD_LEN, connections);
  if (windows) state.windowsAt = windowsFrom(connections);
  if (cells != 0) storeCreate(state, fragmentsFrom(connections, windows), cells);
  state.positionsAt = positionsFrom(connections, windows, cells);
  memory.fill(state.to(state.positionsAt), 0, length - state.positionsAt);
  state.positionsRoom = servers;
  seedState(state, seedLow, seedHigh);
  state.version = IMAGE_VERSION;
  state.magic = STATE_MAGIC;
  return STATUS_OK;
}

/** Where the parts behind the scheduler positions stand: for so many servers and clients. */
function clientsFrom(state: State, servers: u32): u32 {
  return state.positionsAt + servers * POSITION_LEN;
}

function sessionsFrom(state: State, servers: u32, clients: u32): u32 {
  return <u32>align(<u64>clientsFrom(state, servers) + clientsLength(clients));
}

/** Moves IPVS' part, or makes it, and gives it room. */
function reachSessions(
  state: State,
  at: u32,
  servers: u32,
  sessions: u32,
  destinations: u32,
  caches: bool,
): void {
  if (sessions == 0) return;
  if (state.ipvsAt == 0) {
    memory.fill(state.to(at), 0, <u32>ipvsLength(sessions, servers, destinations, false));
    state.ipvsAt = at;
    const ipvs = ipvsOf(state);
    ipvsCreate(ipvs, sessions, servers, destinations, state.now);
    ipvs.flowKey0 = state.flowKey0;
    ipvs.flowKey1 = state.flowKey1;
  } else {
    memory.copy(state.to(at), state.to(state.ipvsAt), ipvsOf(state).length);
    state.ipvsAt = at;
  }
  ipvsReach(ipvsOf(state), servers, destinations, caches);
}

/** Moves the clients that rules noted, or makes room for them. */
function reachClients(state: State, at: u32, clients: u32): void {
  if (state.clientsRoom != 0) {
    memory.copy(state.to(at), state.to(state.clientsAt), clientsLength(clients));
    state.clientsAt = at;
  } else if (clients != 0) clientsCreate(state, at, clients);
}

/** Room for more scheduler positions, with 0 in them. */
function reachServers(state: State, servers: u32): void {
  const end = state.positionsAt + state.positionsRoom * POSITION_LEN;
  memory.fill(state.to(end), 0, (servers - state.positionsRoom) * POSITION_LEN);
  state.positionsRoom = servers;
}

/**
 * Tells a state that was copied to a place of more octets for how many virtual servers that is, for how many clients,
 * and for how many of IPVS' connections and destinations, and whether its schedulers keep what they chose. Clients and IPVS' connections are given room once; nothing gets less.
 */
export function stateReach(
  address: usize,
  servers: u32,
  clients: u32,
  sessions: u32,
  destinations: u32,
  caches: bool,
): u32 {
  const state = State.at(address);
  if (!state.isValid) return STATUS_BAD_IMAGE;
  const room = max<u32>(servers, state.positionsRoom);
  const noted = state.clientsRoom != 0 ? state.clientsRoom : clients;
  const own = stateSessions(address) != 0 ? stateSessions(address) : sessions;
  const reached = max<u32>(destinations, stateDestinations(address));
  const kept = own != 0 && (caches || hasCache(state));
  const length = stateLength(
    state.connectionsRoom,
    room,
    state.windowsAt != 0,
    noted,
    own,
    reached,
    kept,
    cellsOf(state),
  );
  if (length == 0) return STATUS_BAD_ENTRY;
  // From the last part on, since each moves to where the next one was.
  reachSessions(state, sessionsFrom(state, room, noted), room, own, reached, kept);
  reachClients(state, clientsFrom(state, room), noted);
  reachServers(state, room);
  state.length = length;
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

/** Connections of IPVS that a state has room for; 0 where no virtual server was known. */
export function stateSessions(address: usize): u32 {
  const state = State.at(address);
  return hasIpvs(state) ? ipvsOf(state).connectionsRoom : 0;
}

/** Whether IPVS' schedulers have room there for what they choose. */
export function stateCaches(address: usize): bool {
  return hasCache(State.at(address));
}

/** Cells for fragments that a state has. */
export function stateCells(address: usize): u32 {
  return cellsOf(State.at(address));
}

/** Destinations of IPVS that a state has room for. */
export function stateDestinations(address: usize): u32 {
  const state = State.at(address);
  return hasIpvs(state) ? Ipvs.of(ipvsOf(state)).destinationsRoom : 0;
}

export function stateSeed(address: usize, low: u32, high: u32): void {
  seed(State.at(address), low, high);
}

/** No burst of the state's is on its way, whatever became of it. */
export function stateRest(address: usize): void {
  State.at(address).setBusy(false);
}

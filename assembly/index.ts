/**
 * The machine's exports, and only they. It imports one thing, its memory, as `env.memory`: shared, of 1 to 32,768 pages.
 * Every address is one of linear memory; an image's is a multiple of IMAGE_ALIGNMENT. Building calls answer a STATUS_
 * code and change nothing unless it is STATUS_OK. In order: imageCreate and what fills it; stateCreate with room for
 * imageServers; batchCreate; frames and their columns (abi/packet.ts); run. Columns' low octet is a VERDICT_, the next
 * one a DROP_ reason (abi/verdict.ts). A count above a batch's capacity is cut to it.
 */
import {
  IMAGE_MAGIC,
  IMAGE_TAIL,
  IMAGE_VERSION,
  STATUS_AGAIN,
  STATUS_BAD_ENTRY,
  STATUS_BAD_IMAGE,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "./abi/image";
import { BATCH_CAPACITY } from "./abi/packet";
import { SETTING_COUNT } from "./abi/setting";
import { IMAGE_HEAD_LEN, Image, SETTINGS_AT } from "./image";
import { octetsOf } from "./memory/arena";
import { answerOne } from "./pipeline/answer";
import { balanceBatch } from "./pipeline/balance";
import { decapsulateBatch } from "./pipeline/decapsulate";
import { directBatch } from "./pipeline/direct";
import { runBatch } from "./pipeline/run";
import { translateBatch } from "./pipeline/translate";
import { State } from "./state";
import { fib4Create } from "./table/fib4/build";
import { fib6Create } from "./table/fib6/build";
import { stateFits } from "./table/ipvs/room";
import { nextHopSet as setNextHop } from "./table/nexthop/build";
import { nextHopsSet as setNextHops } from "./table/nexthop/bulk";
import { tunnelSet as setTunnel } from "./table/tunnel/build";

export {
  destinationsRead,
  serviceDestinationsRead,
  serviceStatistics,
  sessionsClear,
  sessionsCount,
  sessionsExpire,
  sessionsRead,
  sessionsRestore,
  stateRenew,
  totalStatistics,
} from "./ipvs/exports";
export { batchCreate, batchLength } from "./pipeline/run";
export {
  stateCaches,
  stateCells,
  stateClients,
  stateConnections,
  stateCreate,
  stateDestinations,
  stateLength,
  stateReach,
  stateRest,
  stateSeed,
  stateServers,
  stateSessions,
  stateWindows,
} from "./pipeline/state";
export {
  exact6Delete,
  exact6FindMany,
  exact6Insert,
  exactDelete,
  exactFindMany,
  exactInsert,
} from "./table/exact/exports";
export {
  flow6FindMany,
  flow6Open,
  flowClose,
  flowFindMany,
  flowsClear,
  flowsCount,
  flowsExpire,
  flowsRead,
} from "./table/flow/exports";
export { serverEdit, serverSet, serverSettle, serversSet } from "./table/ring/exports";
export {
  route6Lookup,
  route6LookupLength,
  route6LookupMany,
  routeInsert,
  routeLookup,
  routeLookupLength,
  routeLookupMany,
  routeRemove,
  routes6Insert,
  routes6Remove,
  routesInsert,
} from "./table/routes/exports";
export { chainSet, chainSplice, chainsSet, hookAppend, hooksClear } from "./table/rules/exports";

export function imageVersion(): u32 {
  return IMAGE_VERSION;
}

/** Makes an empty image in `capacity` octets. */
export function imageCreate(address: usize, capacity: u32): u32 {
  if (capacity < IMAGE_HEAD_LEN + IMAGE_TAIL) return STATUS_NO_SPACE;
  memory.fill(address, 0, IMAGE_HEAD_LEN);
  const image = Image.at(address);
  image.capacity = capacity;
  image.top = IMAGE_HEAD_LEN;
  if (!fib4Create(image) || !fib6Create(image)) return STATUS_NO_SPACE;
  image.version = IMAGE_VERSION;
  image.magic = IMAGE_MAGIC;
  return STATUS_OK;
}

/** Tells an image that was copied to a larger place how large that is. */
export function imageResize(address: usize, capacity: u32): u32 {
  const image = Image.at(address);
  if (!image.isValid) return STATUS_BAD_IMAGE;
  if (capacity < image.top + IMAGE_TAIL) return STATUS_NO_SPACE;
  image.capacity = capacity;
  return STATUS_OK;
}

/** Octets from the image's start that hold everything; the rest was never used. */
export function imageTop(address: usize): u32 {
  return Image.at(address).top;
}

/** Octets of live tables of one PART_ code. */
export function imageOctets(address: usize, part: u32): u32 {
  return octetsOf(Image.at(address), part);
}

export function imageSequence(address: usize): u32 {
  return Image.at(address).sequence;
}

/**
 * Begins a change that other threads must not see half done: waits for their bursts (`states`: addresses of `count`
 * states, u32 each), and keeps new ones waiting until imageResume.
 */
export function imagePause(address: usize, states: usize, count: u32): void {
  Image.at(address).beginPause(states, count);
}

/** Says that an image was copied to another place, where it is from now on: runs here end with STATUS_AGAIN. */
export function imageRetire(address: usize): void {
  Image.at(address).retire();
}

export function imageResume(address: usize): void {
  Image.at(address).endPause();
}

/** IMAGE_FLAG_ bits. */
export function imageFlags(address: usize, flags: u32): void {
  Image.at(address).flags = flags;
}

/** Sets what a SETTING_ code stands for; STATUS_BAD_ENTRY for a code that is none. */
export function settingSet(address: usize, code: u32, value: u32): u32 {
  if (code >= SETTING_COUNT) return STATUS_BAD_ENTRY;
  const image = Image.at(address);
  store<u32>(image.to(SETTINGS_AT + (code << 2)), value);
  return STATUS_OK;
}

/** Virtual servers that a state must have room for. */
export function imageServers(address: usize): u32 {
  return Image.at(address).serversRoom;
}

/** Whether a virtual server's scheduler keeps what it chose by address, for which a state must have room. */
export function imageCaches(address: usize): bool {
  return Image.at(address).caches != 0;
}

/** Destinations of IPVS that a state must have room for. */
export function imageDestinations(address: usize): u32 {
  return Image.at(address).destinations;
}

/**
 * What comes to a local address and this UDP port with this VNI goes on from interface `inNumber`; INTERFACE_NODE: the
 * device is removed. `kind` is a TUNNEL_ code, one for each port; there are at most TUNNELS_MAX devices.
 */
export function tunnelSet(address: usize, kind: u32, port: u32, vni: u32, inNumber: u32): u32 {
  return setTunnel(Image.at(address), kind, port, vni, inNumber);
}

export function nextHopSet(address: usize, number: u32, entry: usize): u32 {
  return setNextHop(Image.at(address), number, entry);
}

/** Sets next hops 0 … count - 1 from entries one behind another, all or none. */
export function nextHopsSet(address: usize, entries: usize, count: u32): u32 {
  return setNextHops(Image.at(address), entries, count);
}

/**
 * Balances packets 0 … count - 1 of a batch without a connection table: each TCP or UDP packet gets the destination
 * that its 5-tuple chooses among the real servers of virtual server `number`, whose scheduler is SCHEDULER_MAGLEV,
 * and the verdict FORWARD. Of the columns only verdicts are written.
 */
export function balance(address: usize, state: usize, number: u32, batch: usize, count: u32): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  return balanceBatch(image, own, number, batch, count) ? STATUS_OK : STATUS_BAD_ENTRY;
}

/**
 * Takes tunnels' outer headers off packets 0 … count - 1 of a batch, and nothing else: frame, length and interface
 * become those of what is inside, the verdict FORWARD. What came by no tunnel stays, punted as NO_TUNNEL; what cannot be
 * opened is dropped with its reason. Congestion marks are handed on (RFC 6040).
 */
export function decapsulate(address: usize, state: usize, batch: usize, count: u32): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  return decapsulateBatch(image, own, batch, count) ? STATUS_OK : STATUS_BAD_IMAGE;
}

/**
 * Translates packets 0 … count - 1 of a batch as the connections that they belong to say, and moves those on: no rule
 * is asked, no route and no TTL. Connection numbers and verdicts are written: FORWARD, or punted as NO_CONNECTION a packet
 * that stays as it is: nothing is opened here, but by \`run\`.
 */
export function translate(address: usize, state: usize, batch: usize, count: u32, now: f64): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  return translateBatch(image, own, batch, count, <u64>now) ? STATUS_OK : STATUS_BAD_IMAGE;
}

/**
 * Runs packets 0 … count - 1 of a batch through IPVS alone, with neither conntrack nor rules nor routes: requests get their real servers,
 * answers of masqueraded ones the virtual address; both move sessions on. Numbers of sessions and verdicts are written:
 * FORWARD, REJECT or DROP where none can be had, or punted as NO_CONNECTION what no virtual server takes.
 */
export function direct(address: usize, state: usize, batch: usize, count: u32, now: f64): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  if (!stateFits(image, own)) return STATUS_NO_SPACE;
  return directBatch(image, own, batch, count, <u64>now) ? STATUS_OK : STATUS_AGAIN;
}

/**
 * Runs packets 0 … count - 1 of a batch through the node; now in milliseconds, an earlier one counting as the latest so far. STATUS_NO_SPACE,
 * before anything is done, where the image has more virtual servers or destinations of theirs than the state has room for (stateReach); AGAIN
 * where that, or the image's place, changed on the way.
 */
export function run(address: usize, state: usize, batch: usize, count: u32, now: f64): u32 {
  return runFrom(address, state, batch, 0, count, now);
}

/** The same of packets first … count - 1. */
export function runFrom(address: usize, state: usize, batch: usize, first: u32, count: u32, now: f64): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  if (!stateFits(image, own)) return STATUS_NO_SPACE;
  return runBatch(image, own, batch, first, count, <u64>now) ? STATUS_OK : STATUS_AGAIN;
}

/**
 * Answers packet `index` of a batch, which the last run dropped or refused, as the node's kernel does: with an ICMP error
 * about it, or a TCP reset. The answer takes its place, frame and columns, with a verdict of its own: FORWARD, LOCAL where
 * the node itself is told, or what the rules for its own packets say; DROP without a reason where nothing is sent
 * (RFC 1122 §3.2.2, RFC 4443 §2.4(e)). Other packets stay as they are. It is the time of the last run. STATUS_BAD_ENTRY for
 * an index that the batch has not. The headers of an error stand in the frame's headroom: 28 octets, of IPv6 48.
 */
export function answer(address: usize, state: usize, batch: usize, index: u32): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  if (index >= load<u32>(batch, BATCH_CAPACITY)) return STATUS_BAD_ENTRY;
  if (!stateFits(image, own)) return STATUS_NO_SPACE;
  return answerOne(image, own, batch, index) ? STATUS_OK : STATUS_AGAIN;
}

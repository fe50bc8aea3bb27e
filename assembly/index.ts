/**
 * The machine's exports, and only they. Every address is one of linear memory; an image's is a multiple of
 * IMAGE_ALIGNMENT. Building calls answer a STATUS_ code and change nothing unless it is STATUS_OK.
 */
import {
  CHAIN_ROW_LEN,
  CHAIN_ROW_NUMBER,
  CHAIN_ROW_RULES,
  CHAIN_ROW_WORDS,
  EXACT_ADDRESS,
  EXACT_ENTRY_LEN,
  EXACT_PROTO_PORT,
  EXACT_TABLES_MAX,
  EXACT_VALUE,
  RULE_ENTRY_LEN,
} from "./abi/entry";
import {
  IMAGE_MAGIC,
  IMAGE_TAIL,
  IMAGE_VERSION,
  PART_EXACT,
  STATUS_BAD_ENTRY,
  STATUS_BAD_IMAGE,
  STATUS_NO_SPACE,
  STATUS_OK,
} from "./abi/image";
import { EXACT_DIRECTORY_AT, HOOK_LEN, HOOKS_AT, IMAGE_HEAD_LEN, Image } from "./image";
import { octetsOf } from "./memory/arena";
import { runBatch } from "./pipeline/run";
import {
  stateCreate as createState,
  stateLength as lengthOfState,
  stateReach as reachState,
} from "./pipeline/state";
import { seed } from "./random";
import { State } from "./state";
import { exactCreate, exactRemove, exactSet } from "./table/exact/build";
import { exactFind } from "./table/exact/lookup";
import { fib4Create } from "./table/fib4/build";
import { fib6Create } from "./table/fib6/build";
import { flowClear, flowExpire } from "./table/flow/build";
import { flowFind } from "./table/flow/lookup";
import { nextHopSet as setNextHop } from "./table/nexthop/build";
import { serverSet as setServer } from "./table/ring/build";
import {
  hookAppend as appendHook,
  chainSet as setChain,
  chainSplice as spliceChain,
} from "./table/rules/build";

export { batchCreate, batchLength } from "./pipeline/run";
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

/** IMAGE_FLAG_ bits. */
export function imageFlags(address: usize, flags: u32): void {
  Image.at(address).flags = flags;
}

/** Virtual servers that a state must have room for. */
export function imageServers(address: usize): u32 {
  return Image.at(address).serversRoom;
}

/** What comes to a local address and this UDP port with this VNI goes on from interface `in`; port 0: no tunnel. */
export function vxlanSet(address: usize, port: u32, vni: u32, inNumber: u32): u32 {
  if (port > 0xffff || vni > 0xffffff) return STATUS_BAD_ENTRY;
  const image = Image.at(address);
  image.vxlanPort = port;
  image.vxlanVni = vni;
  image.vxlanIn = inNumber;
  return STATUS_OK;
}

export function nextHopSet(address: usize, number: u32, entry: usize): u32 {
  return setNextHop(Image.at(address), number, entry);
}

/** Sets entries (EXACT_…) of a table, which is made when it is not there; `done` as in routesInsert. */
export function exactInsert(address: usize, table: u32, rows: usize, count: u32, done: usize): u32 {
  if (table >= EXACT_TABLES_MAX) return STATUS_BAD_ENTRY;
  const image = Image.at(address);
  const directory = image.to(EXACT_DIRECTORY_AT + table * 4);
  if (load<u32>(directory) == 0) store<u32>(directory, exactCreate(image, PART_EXACT));
  const head = load<u32>(directory);
  if (head == 0) return STATUS_NO_SPACE;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * EXACT_ENTRY_LEN;
    const value = load<u32>(row, EXACT_VALUE);
    if (value == 0) return STATUS_BAD_ENTRY;
    if (
      !exactSet(
        image,
        head,
        load<u32>(row, EXACT_ADDRESS),
        load<u32>(row, EXACT_PROTO_PORT),
        value,
        PART_EXACT,
      )
    )
      return STATUS_NO_SPACE;
    if (done != 0) store<u32>(done, i + 1);
  }
  image.sequence++;
  return STATUS_OK;
}

export function exactDelete(address: usize, table: u32, low: u32, protoPort: u32): u32 {
  const image = Image.at(address);
  const head = table < EXACT_TABLES_MAX ? load<u32>(image.to(EXACT_DIRECTORY_AT + table * 4)) : 0;
  if (head == 0 || !exactRemove(image, head, low, protoPort)) return STATUS_BAD_ENTRY;
  image.sequence++;
  return STATUS_OK;
}

/** Looks up `count` keys (address, protocol << 16 | port) of a table that is there; values, 0 for none. */
export function exactFindMany(address: usize, table: u32, keys: usize, count: u32, results: usize): void {
  const image = Image.at(address);
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + (table & (EXACT_TABLES_MAX - 1)) * 4));
  for (let i: u32 = 0; i < count; i++) {
    const key = keys + (i << 3);
    store<u32>(results + (i << 2), head == 0 ? 0 : exactFind(image, head, load<u32>(key), load<u32>(key, 4)));
  }
}

export function serverSet(address: usize, number: u32, scheduler: u32, rows: usize, count: u32): u32 {
  return setServer(Image.at(address), number, scheduler, rows, count);
}

export function chainSet(
  address: usize,
  chain: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  return setChain(Image.at(address), chain, rules, count, words, wordCount);
}

/** Replaces the rules of `count` chains (CHAIN_ROW_…), whose rules and words follow one another; `done` as in routesInsert. */
export function chainsSet(
  address: usize,
  rows: usize,
  count: u32,
  rules: usize,
  words: usize,
  done: usize,
): u32 {
  const image = Image.at(address);
  let rule = rules;
  let word = words;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * CHAIN_ROW_LEN;
    const ruleCount = load<u32>(row, CHAIN_ROW_RULES);
    const wordCount = load<u32>(row, CHAIN_ROW_WORDS);
    const status = setChain(image, load<u32>(row, CHAIN_ROW_NUMBER), rule, ruleCount, word, wordCount);
    if (status != STATUS_OK) return status;
    rule += ruleCount * RULE_ENTRY_LEN;
    word += wordCount << 2;
    if (done != 0) store<u32>(done, i + 1);
  }
  return STATUS_OK;
}

/** Takes `removed` rules from position `at` of a chain and puts others there. */
export function chainSplice(
  address: usize,
  chain: u32,
  at: u32,
  removed: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  return spliceChain(Image.at(address), chain, at, removed, rules, count, words, wordCount);
}

export function hookAppend(address: usize, hook: u32, chain: u32, type: u32, policy: u32): u32 {
  return appendHook(Image.at(address), hook, chain, type, policy);
}

/** Empties all hooks. */
export function hooksClear(address: usize): void {
  const image = Image.at(address);
  memory.fill(image.to(HOOKS_AT), 0, HOOK_LEN * 5);
}

/** Octets of a state for so many connections and virtual servers. */
export function stateLength(connections: u32, servers: u32): u32 {
  return lengthOfState(connections, servers);
}

/** Makes a state in `stateLength` octets: STATUS_BAD_ENTRY for 0 connections or too many. */
export function stateCreate(state: usize, connections: u32, servers: u32, seedLow: u32, seedHigh: u32): u32 {
  return createState(State.at(state), connections, servers, seedLow, seedHigh);
}

/** Tells a state that was copied to a place of more octets for how many virtual servers that is. */
export function stateReach(state: usize, servers: u32): u32 {
  return reachState(State.at(state), servers);
}

/** Connections and virtual servers that a state has room for. */
export function stateConnections(state: usize): u32 {
  return State.at(state).connectionsRoom;
}

export function stateServers(state: usize): u32 {
  return State.at(state).positionsRoom;
}

export function stateSeed(state: usize, low: u32, high: u32): void {
  seed(State.at(state), low, high);
}

export function flowsClear(state: usize): void {
  flowClear(State.at(state));
}

/** Closes what has expired at `now` (milliseconds) among the next `records` records; how many. */
export function flowsExpire(state: usize, now: f64, records: u32): u32 {
  return flowExpire(State.at(state), <u64>now, records);
}

/** Live connections. */
export function flowsCount(state: usize): u32 {
  return State.at(state).connections;
}

/** Looks up `count` tuples (src, dst, ports, protocol: u32 each); record << 1 | direction, 0 for none. */
export function flowFindMany(state: usize, tuples: usize, count: u32, results: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = tuples + (i << 4);
    const flow = flowFind(
      State.at(state),
      load<u32>(at),
      load<u32>(at, 4),
      load<u32>(at, 8),
      load<u32>(at, 12),
    );
    store<u32>(results + (i << 2), flow);
  }
}

/**
 * Runs packets 0 … count - 1 of a batch through the node; now in milliseconds, never going back. STATUS_NO_SPACE,
 * before anything is done, where the image has more virtual servers than the state has room for (stateReach).
 */
export function run(address: usize, state: usize, batch: usize, count: u32, now: f64): u32 {
  const image = Image.at(address);
  const own = State.at(state);
  if (!image.isValid || !own.isValid) return STATUS_BAD_IMAGE;
  if (own.positionsRoom < image.serversRoom) return STATUS_NO_SPACE;
  runBatch(image, own, batch, count, <u64>now);
  return STATUS_OK;
}

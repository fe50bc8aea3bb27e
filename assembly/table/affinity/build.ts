import { State } from "../../state";
import {
  bucketsFor,
  CLIENT_LEN,
  Client,
  clientsLength,
  POOL_LEN,
  Pool,
  recordAt,
  TIMES_MASK,
  TTL_SHIFT,
  timeAt,
  timesFor,
} from "./layout";
import { bucketOf, headFind } from "./lookup";

/** A place for so many clients at an offset of the state. */
export function clientsCreate(state: State, at: u32, clients: u32): void {
  memory.fill(state.to(at), 0, clientsLength(clients));
  state.clientsAt = at;
  state.clientsRoom = clients;
  const pool = Pool.of(state);
  pool.top = 1;
  pool.mask = bucketsFor(clients) - 1;
  pool.recordsAt = POOL_LEN + bucketsFor(clients) * 4;
  pool.timesLeft = timesFor(clients);
}

/** A record given back or never used, all 0: there are two for each client, and those for times. */
function takeRecord(state: State): u32 {
  const pool = Pool.of(state);
  let record = pool.free;
  if (record != 0) pool.free = recordAt(state, record).next;
  else record = pool.top++;
  memory.fill(changetype<usize>(recordAt(state, record)), 0, CLIENT_LEN);
  return record;
}

function giveRecord(state: State, record: u32): void {
  const pool = Pool.of(state);
  recordAt(state, record).next = pool.free;
  pool.free = record;
}

/** A record at the head of its bucket. */
function take(state: State, list: u32, family: u32, address: v128): u32 {
  const record = takeRecord(state);
  const client = recordAt(state, record);
  v128.store(changetype<usize>(client), address);
  client.list = list;
  client.family = family;
  const bucket = bucketOf(state, list, family, address);
  client.next = load<u32>(bucket);
  store<u32>(bucket, record);
  return record;
}

/** Takes a record out of its bucket, and gives it back. */
function give(state: State, record: u32): void {
  const client = recordAt(state, record);
  let link = bucketOf(state, client.list, client.family, v128.load(changetype<usize>(client)));
  while (load<u32>(link) != record)
    link = changetype<usize>(recordAt(state, load<u32>(link))) + offsetof<Client>("next");
  store<u32>(link, client.next);
  giveRecord(state, record);
}

/** Takes a client out of the order of its list, and of all. */
function unlink(state: State, client: Client): void {
  const pool = Pool.of(state);
  const head = recordAt(state, client.head);
  if (client.older != 0) recordAt(state, client.older).newer = client.newer;
  else head.newer = client.newer;
  if (client.newer != 0) recordAt(state, client.newer).older = client.older;
  else head.older = client.older;
  if (client.olderOfAll != 0) recordAt(state, client.olderOfAll).newerOfAll = client.newerOfAll;
  else pool.oldest = client.newerOfAll;
  if (client.newerOfAll != 0) recordAt(state, client.newerOfAll).olderOfAll = client.olderOfAll;
  else pool.newest = client.olderOfAll;
}

/** Puts a client at the end of both, as of now. */
function link(state: State, record: u32): void {
  const pool = Pool.of(state);
  const client = recordAt(state, record);
  const head = recordAt(state, client.head);
  client.noted = state.now;
  client.newer = client.newerOfAll = 0;
  client.older = head.older;
  if (head.older != 0) recordAt(state, head.older).newer = record;
  else head.newer = record;
  head.older = record;
  client.olderOfAll = pool.newest;
  if (pool.newest != 0) recordAt(state, pool.newest).newerOfAll = record;
  else pool.oldest = record;
  pool.newest = record;
}

/** Forgets a client, and its list's head with the last of them. */
export function clientForget(state: State, record: u32): void {
  const client = recordAt(state, record);
  const head = client.head;
  const times = client.times & TIMES_MASK;
  unlink(state, client);
  give(state, record);
  if (times != 0) {
    giveRecord(state, times);
    Pool.of(state).timesLeft++;
  }
  Pool.of(state).clients--;
  if (--recordAt(state, head).count == 0) give(state, head);
}

/** Keeps the time at which a client was noted last; a client without a record for it when it came never has one. */
function keepTime(state: State, client: Client): void {
  const pool = Pool.of(state);
  const index = client.count++ - 1;
  if (index == 0 && pool.timesLeft != 0) {
    pool.timesLeft--;
    client.times |= takeRecord(state);
  }
  const times = client.times & TIMES_MASK;
  if (times != 0) store<u64>(timeAt(state, times, index), client.noted);
}

/** The TTL of the last packet of a client. */
export function clientTtlSet(state: State, record: u32, ttl: u32): void {
  const client = recordAt(state, record);
  client.times = (client.times & TIMES_MASK) | (ttl << TTL_SHIFT);
}

/** Notes a client that is known again, as of now. */
export function clientRenew(state: State, record: u32): void {
  const client = recordAt(state, record);
  unlink(state, client);
  keepTime(state, client);
  link(state, record);
}

/** The client of a list that was noted longest ago; 0 where it has none. */
export function oldestOf(state: State, list: u32): u32 {
  const head = headFind(state, list);
  return head == 0 ? 0 : recordAt(state, head).newer;
}

export function countOf(state: State, list: u32): u32 {
  const head = headFind(state, list);
  return head == 0 ? 0 : recordAt(state, head).count;
}

/**
 * Notes a client that its list does not have. Where the state has no more room, the one noted longest ago of all lists
 * is forgotten. Its record; 0 where the state has no room at all.
 */
export function clientAdd(state: State, list: u32, family: u32, address: v128): u32 {
  const room = state.clientsRoom;
  if (room == 0) return 0;
  const pool = Pool.of(state);
  if (pool.clients == room) clientForget(state, pool.oldest);
  let head = headFind(state, list);
  if (head == 0) head = take(state, list, 0, i32x4.splat(0));
  const record = take(state, list, family, address);
  recordAt(state, record).head = head;
  recordAt(state, record).count = 1;
  recordAt(state, head).count++;
  pool.clients++;
  link(state, record);
  return record;
}

import { State } from "../../state";
import { bucketsFor, CLIENT_LEN, Client, clientsLength, POOL_LEN, Pool, recordAt } from "./layout";
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
}

/** A record given back or never used, at the head of its bucket: there are two for each client. */
function take(state: State, list: u32, family: u32, address: v128): u32 {
  const pool = Pool.of(state);
  let record = pool.free;
  if (record != 0) pool.free = recordAt(state, record).next;
  else record = pool.top++;
  const client = recordAt(state, record);
  memory.fill(changetype<usize>(client), 0, CLIENT_LEN);
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
  const pool = Pool.of(state);
  const client = recordAt(state, record);
  let link = bucketOf(state, client.list, client.family, v128.load(changetype<usize>(client)));
  while (load<u32>(link) != record)
    link = changetype<usize>(recordAt(state, load<u32>(link))) + offsetof<Client>("next");
  store<u32>(link, client.next);
  client.next = pool.free;
  pool.free = record;
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
  unlink(state, client);
  give(state, record);
  Pool.of(state).clients--;
  if (--recordAt(state, head).count == 0) give(state, head);
}

/** Notes a client that is known again, as of now. */
export function clientRenew(state: State, record: u32): void {
  unlink(state, recordAt(state, record));
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
 * is forgotten.
 */
export function clientAdd(state: State, list: u32, family: u32, address: v128): void {
  const room = state.clientsRoom;
  if (room == 0) return;
  const pool = Pool.of(state);
  if (pool.clients == room) clientForget(state, pool.oldest);
  let head = headFind(state, list);
  if (head == 0) head = take(state, list, 0, i32x4.splat(0));
  const record = take(state, list, family, address);
  recordAt(state, record).head = head;
  recordAt(state, head).count++;
  pool.clients++;
  link(state, record);
}

import { PART_FLOWS } from "../../abi/image";
import { hashTuple } from "../../hash";
import { Image } from "../../image";
import { takeBlock } from "../../memory/arena";
import {
  CONNECTION_LEN,
  CONNECTIONS_MAX,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_BUCKET_LEN,
  FLOW_DST,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_OVERFLOW_MAX,
  FLOW_PORTS,
  FLOW_REF_SHIFT,
  FLOW_SRC,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
} from "./layout";
import { connectionAt, flowFind, tupleMatches } from "./lookup";

/** Records looked at for an expired one when none is free. */
const SWEEP_LEN: u32 = 64;

/** Makes the table for so many connections; false without room. */
export function flowCreate(image: Image, connections: u32): bool {
  if (connections == 0 || connections > CONNECTIONS_MAX) return false;
  const buckets: u32 = connections == 1 ? 1 : 1 << (32 - <u32>clz<u32>(connections - 1));
  image.bucketsAt = takeBlock(image, buckets * FLOW_BUCKET_LEN, PART_FLOWS);
  image.recordsAt = takeBlock(image, (connections + 1) * CONNECTION_LEN, PART_FLOWS);
  image.bucketsMask = buckets - 1;
  image.connectionsRoom = connections;
  image.recordsTop = 1;
  image.sweep = 1;
  return image.bucketsAt != 0 && image.recordsAt != 0;
}

/** Forgets every connection. */
export function flowClear(image: Image): void {
  memory.fill(image.to(image.bucketsAt), 0, (image.bucketsMask + 1) * FLOW_BUCKET_LEN);
  memory.fill(image.to(image.recordsAt), 0, image.recordsTop * CONNECTION_LEN);
  image.connections = 0;
  image.recordsTop = 1;
  image.recordsFree = 0;
  image.sweep = 1;
}

function overflowOf(bucket: usize): u32 {
  return i32x4.bitmask(v128.load(bucket, FLOW_META));
}

function setOverflow(bucket: usize, count: u32): void {
  for (let i: u32 = 0; i < 4; i++) {
    const meta = bucket + (i << 2);
    store<u32>(meta, (load<u32>(meta, FLOW_META) & FLOW_META_MASK) | (((count >> i) & 1) << 31), FLOW_META);
  }
}

function setMeta(place: usize, meta: u32): void {
  store<u32>(place, (load<u32>(place, FLOW_META) & ~FLOW_META_MASK) | meta, FLOW_META);
}

/** Puts a tuple that is not there into the first free place on its way. */
function insert(image: Image, src: u32, dst: u32, ports: u32, protocol: u32, ref: u32): void {
  let index = hashTuple(src, dst, ports, protocol) & image.bucketsMask;
  while (true) {
    const bucket = image.to(image.bucketsAt) + index * FLOW_BUCKET_LEN;
    const meta = v128.and(v128.load(bucket, FLOW_META), i32x4.splat(FLOW_META_MASK));
    const free = i32x4.bitmask(i32x4.eq(meta, i32x4.splat(0)));
    if (free != 0) {
      const place = bucket + (ctz<i32>(free) << 2);
      store<u32>(place, src, FLOW_SRC);
      store<u32>(place, dst, FLOW_DST);
      store<u32>(place, ports, FLOW_PORTS);
      setMeta(place, protocol | (ref << FLOW_REF_SHIFT));
      return;
    }
    const overflow = overflowOf(bucket);
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow + 1);
    index = (index + 1) & image.bucketsMask;
  }
}

/** Takes out a tuple that is there. A saturated overflow count stays. */
function remove(image: Image, src: u32, dst: u32, ports: u32, protocol: u32): void {
  let index = hashTuple(src, dst, ports, protocol) & image.bucketsMask;
  while (true) {
    const bucket = image.to(image.bucketsAt) + index * FLOW_BUCKET_LEN;
    const matches = tupleMatches(bucket, src, dst, ports, protocol);
    if (matches != 0) {
      setMeta(bucket + (ctz<i32>(matches) << 2), 0);
      return;
    }
    const overflow = overflowOf(bucket);
    if (overflow == 0) return;
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow - 1);
    index = (index + 1) & image.bucketsMask;
  }
}

/** Forgets a connection: both directions go at once. */
export function flowClose(image: Image, record: u32): void {
  const connection = connectionAt(image, record);
  if (connection.state == FLOW_STATE_FREE) return;
  remove(image, connection.src, connection.dst, connection.ports, connection.protocol);
  if (
    flowFind(image, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol) >>
      1 ==
    record
  )
    remove(image, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol);
  connection.state = FLOW_STATE_FREE;
  connection.next = image.recordsFree;
  image.recordsFree = record;
  image.connections--;
}

/** Closes what has expired among the next records of the sweep; how many. */
export function flowExpire(image: Image, now: u64, records: u32): u32 {
  let closed: u32 = 0;
  for (let i: u32 = 0; i < records && image.recordsTop > 1; i++) {
    if (image.sweep >= image.recordsTop) image.sweep = 1;
    const connection = connectionAt(image, image.sweep);
    if (connection.state != FLOW_STATE_FREE && connection.expires <= now) {
      flowClose(image, image.sweep);
      closed++;
    }
    image.sweep++;
  }
  return closed;
}

function takeRecord(image: Image): u32 {
  const free = image.recordsFree;
  if (free != 0) {
    image.recordsFree = connectionAt(image, free).next;
    return free;
  }
  return image.recordsTop <= image.connectionsRoom ? image.recordsTop++ : 0;
}

/**
 * Opens a connection for a tuple that has none; its record's reply tuple and the rest are filled by the caller
 * before `flowCommit`. 0 when the table is full of live connections.
 */
export function flowReserve(image: Image, now: u64): u32 {
  let record = takeRecord(image);
  if (record == 0 && flowExpire(image, now, SWEEP_LEN) > 0) record = takeRecord(image);
  return record;
}

/** Makes both directions of a filled record findable. A connection to itself has one entry. */
export function flowCommit(image: Image, record: u32, connection: Connection): void {
  const reply = (record << 1) | DIRECTION_REPLY;
  connection.state = FLOW_STATE_NEW;
  insert(
    image,
    connection.src,
    connection.dst,
    connection.ports,
    connection.protocol,
    (record << 1) | DIRECTION_ORIGINAL,
  );
  if (
    flowFind(image, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol) == 0
  )
    insert(
      image,
      connection.replySrc,
      connection.replyDst,
      connection.replyPorts,
      connection.protocol,
      reply,
    );
  image.connections++;
}

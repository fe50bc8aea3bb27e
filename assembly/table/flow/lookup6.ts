import { FLOW6_DST, FLOW6_LEN, FLOW6_PORTS, FLOW6_PROTOCOL, FLOW6_SRC } from "../../abi/entry";
import { hash128 } from "../../hash";
import { State } from "../../state";
import { addressHalf, bucketOf, overflowOf, refOf, restHalf, tupleMatches, tupleOf } from "./bucket";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  FLOW_BUCKET_LEN,
  FLOW_MANY,
  FLOW_TUPLE_LEN,
  FLOW_TURN_IP6,
} from "./layout";
import { BUCKETS_FAR, connectionAt, flowFindBurst, flowTouchBurst } from "./lookup";

/** An IPv6 tuple as a host hands it over. */
@unmanaged
@final
export class Tuple6 {
  @inline
  static at(address: usize): Tuple6 {
    return changetype<Tuple6>(address);
  }

  @inline
  get src(): v128 {
    return v128.load(changetype<usize>(this), FLOW6_SRC);
  }

  @inline
  get dst(): v128 {
    return v128.load(changetype<usize>(this), FLOW6_DST);
  }

  @inline
  get ports(): u32 {
    return load<u32>(changetype<usize>(this), FLOW6_PORTS);
  }

  @inline
  get protocol(): u32 {
    return load<u32>(changetype<usize>(this), FLOW6_PROTOCOL);
  }
}

/**
 * What stands for an IPv6 address (its halves in host order, the high one first) in a bucket. The keys are the other way round: the bucket's hash goes
 * over this one.
 */
export function addressWord(state: State, address: v128): u32 {
  const high = v128.extract_lane<u64>(address, 0);
  const low = v128.extract_lane<u64>(address, 1);
  return <u32>(hash128(high, low, state.flowKey1, state.flowKey0) >> 32);
}

/** Where the first record holds the last word of an address: src, dst, ports, replySrc, replyDst. */
export function lastWordAt(connection: Connection, number: u32): usize {
  return changetype<usize>(connection) + ((number + (number >> 1)) << 2);
}

/** Where the second record holds the others. */
export function otherWordsAt(state: State, connection: Connection, number: u32): usize {
  return changetype<usize>(connectionAt(state, connection.next)) + (number << 4);
}

/** One of the four addresses of an IPv6 connection. */
export function addressOf(state: State, connection: Connection, number: u32): v128 {
  const last = load<u32>(lastWordAt(connection, number));
  return v128.replace_lane<u32>(v128.load(otherWordsAt(state, connection, number)), 3, last);
}

function isEqual(left: v128, right: v128): bool {
  return i32x4.all_true(i32x4.eq(left, right));
}

/** Whether record << 1 | direction is an IPv6 tuple's, whose ports and protocol are known to be the same. */
function isOf(state: State, flow: u32, src: v128, dst: v128): bool {
  const connection = connectionAt(state, flow >> 1);
  const number = (flow & 1) << 1;
  return (
    connection.isIp6 &&
    isEqual(addressOf(state, connection, number + ADDRESS_SRC), src) &&
    isEqual(addressOf(state, connection, number + ADDRESS_DST), dst)
  );
}

/** The halves of the tuple under which an IPv6 one stands in a bucket, perhaps with others of the same hashes. */
export function address6Half(state: State, src: v128, dst: v128): u64 {
  return addressHalf(addressWord(state, src), addressWord(state, dst));
}

export function rest6Half(ports: u32, protocol: u32): u64 {
  return restHalf(ports, protocol ^ FLOW_TURN_IP6);
}

/** `flowFind` of an IPv6 tuple. Entries with the same words are told apart by their records. */
export function flow6Find(state: State, src: v128, dst: v128, ports: u32, protocol: u32): u32 {
  const addresses = address6Half(state, src, dst);
  const rest = rest6Half(ports, protocol);
  const tuple = tupleOf(addresses, rest);
  const first = bucketOf(state, addresses, rest);
  let index = first;
  do {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    for (let matches = tupleMatches(bucket, tuple); matches != 0; matches &= matches - 1) {
      const flow = refOf(bucket, matches);
      if (isOf(state, flow, src, dst)) return flow;
    }
    if (overflowOf(bucket) == 0) return 0;
    index = (index + 1) & state.bucketsMask;
  } while (index != first);
  return 0;
}

/** What `flow6Find` answers, given what `flowFindBurst` found under the tuple's words. */
export function flow6Confirm(state: State, found: u32, src: v128, dst: v128, ports: u32, protocol: u32): u32 {
  if (found == 0 || isOf(state, found, src, dst)) return found;
  return flow6Find(state, src, dst, ports, protocol);
}

/** Looks tuples (FLOW6_…) up, best 64 to 256 of them; `words` is room for 16 octets each. */
export function flow6FindBurst(state: State, tuples: usize, count: u32, words: usize, results: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const tuple = Tuple6.at(tuples + i * FLOW6_LEN);
    const own = words + i * FLOW_TUPLE_LEN;
    store<u64>(own, address6Half(state, tuple.src, tuple.dst));
    store<u64>(own, rest6Half(tuple.ports, tuple.protocol), 8);
  }
  flowFindBurst(state, words, count, results, BUCKETS_FAR);
  flowTouchBurst(state, results, count);
  for (let i: u32 = 0; i < count; i++) {
    const tuple = Tuple6.at(tuples + i * FLOW6_LEN);
    const result = results + (i << 2);
    const found = load<u32>(result);
    store<u32>(result, flow6Confirm(state, found, tuple.src, tuple.dst, tuple.ports, tuple.protocol));
  }
}

/** The same for any number of tuples; `words` is room for FLOW6_WORDS_LEN octets. */
export function flow6FindMany(state: State, tuples: usize, count: u32, words: usize, results: usize): void {
  for (let first: u32 = 0; first < count; first += FLOW_MANY) {
    const part = min<u32>(FLOW_MANY, count - first);
    flow6FindBurst(state, tuples + first * FLOW6_LEN, part, words, results + (first << 2));
  }
}

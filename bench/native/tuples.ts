import { PROTO_TCP } from "../../assembly/abi/wire.js";
import type { Random } from "../baseline/random.js";
import { KEY_COUNT } from "./keys.js";

/** Words of a tuple: src, dst, ports (src << 16 | dst), protocol. */
export const TUPLE_WORDS = 4;
const CLIENTS = 10 << 24;
const SERVERS = 172 << 24;

/**
 * Both directions of `connections` connections, one after the other: rows 2i and 2i + 1 belong together. All differ.
 */
export function drawTuples(random: Random, connections: number): Uint32Array {
  const tuples = new Uint32Array(connections * 2 * TUPLE_WORDS);
  for (let index = 0; index < connections; index++) {
    // The client's low 16 bits and its port tell connections apart; everything else is drawn.
    const src = CLIENTS + random.below(256) * 65536 + (index & 0xffff);
    const dst = SERVERS + random.below(1 << 24);
    const ports = [1024 + (index >>> 16) * 64 + random.below(64), 1 + random.below(1023)] as const;
    const [there, back] = [ports[0] * 65536 + ports[1], ports[1] * 65536 + ports[0]];
    tuples.set([src, dst, there, PROTO_TCP, dst, src, back, PROTO_TCP], index * 2 * TUPLE_WORDS);
  }
  return tuples;
}

/** A stream of tuples from a table, each as likely. */
export function hitKeys(random: Random, tuples: Uint32Array, count = KEY_COUNT): Uint32Array {
  const keys = new Uint32Array(count * TUPLE_WORDS);
  for (let index = 0; index < count; index++) {
    const at = random.below(tuples.length / TUPLE_WORDS) * TUPLE_WORDS;
    keys.set(tuples.subarray(at, at + TUPLE_WORDS), index * TUPLE_WORDS);
  }
  return keys;
}

/** The same, with a server's port that no tuple has. */
export function missKeys(random: Random, tuples: Uint32Array, count = KEY_COUNT): Uint32Array {
  return hitKeys(random, tuples, count).map((word, at) =>
    at % TUPLE_WORDS === 2 ? (word | 0x80008000) >>> 0 : word,
  );
}

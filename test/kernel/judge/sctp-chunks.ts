import { concat, write } from "../../../src/packet/octets.js";

/** Types of SCTP chunks (RFC 9260 §3.2). */
const TYPES = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;

export type ChunkName = keyof typeof TYPES;

const HEADER_LEN = 4;
const STREAMS = 10;
const WINDOW = 65_536;

/** What INIT and INIT ACK say: how their sender's packets are to be tagged. */
function initiation(tag: number, cookie: Uint8Array): Uint8Array {
  const fixed = new Uint8Array(16);
  write(fixed, 0, 4, tag, "tag");
  write(fixed, 4, 4, WINDOW, "window");
  write(fixed, 8, 2, STREAMS, "streams");
  write(fixed, 10, 2, STREAMS, "streams");
  write(fixed, 12, 4, tag, "tsn");
  return concat(fixed, cookie);
}

const COOKIE = Uint8Array.of(1, 2, 3, 4);
const COOKIE_PARAMETER = concat(Uint8Array.of(0, 7, 0, 8), COOKIE);

function bodyOf(name: ChunkName, tag: number): Uint8Array {
  if (name === "init") return initiation(tag, new Uint8Array(0));
  if (name === "initAck") return initiation(tag, COOKIE_PARAMETER);
  if (name === "cookieEcho") return COOKIE;
  const lengths: Partial<Record<ChunkName, number>> = { data: 16, sack: 12, heartbeat: 8, shutdown: 4 };
  return new Uint8Array(lengths[name] ?? 0);
}

/** One chunk; `tag` is what its sender wants to be called, of INIT and INIT ACK. */
export function chunk(name: ChunkName, tag = 0): Uint8Array {
  const body = bodyOf(name, tag);
  const header = new Uint8Array(HEADER_LEN);
  header[0] = TYPES[name];
  header[1] = name === "data" ? 3 : 0;
  write(header, 2, 2, HEADER_LEN + body.length, "length");
  return concat(header, body);
}

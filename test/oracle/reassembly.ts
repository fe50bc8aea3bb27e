import { internetChecksum } from "../../src/packet/checksum.js";

/** What becomes of a fragment: it waits, is dropped for a reason, goes on as it is, or completes a datagram. */
export type Fate = "HOLD" | "REPEATED" | "OVERLAP" | "CONFLICT" | "LOOSE" | Whole;

export interface Whole {
  /** The datagram behind the first fragment's Ethernet header. */
  readonly frame: Uint8Array;
  /** Octets of each fragment's data, in their order. */
  readonly lengths: readonly number[];
  /** Of the largest fragment, as an IP packet. */
  readonly largest: number;
}

export interface Limits {
  /** Milliseconds that an IPv4 and an IPv6 datagram wait. */
  readonly wait4: number;
  readonly wait6: number;
  /** IPv4 fragments of one source from one of a datagram to the next, above which it begins anew. */
  readonly distance: number;
}

/** One fragment as it came. */
interface Piece {
  readonly family: 4 | 6;
  readonly key: string;
  readonly source: string;
  /** What stands before its data, of IPv6 without the fragment header, and its data. */
  readonly head: Uint8Array;
  readonly data: Uint8Array;
  readonly offset: number;
  readonly more: boolean;
  readonly df: boolean;
  readonly ecn: number;
  readonly size: number;
}

interface Datagram {
  readonly source: string;
  until: number;
  /** Numbers of all fragments of its source that came before its last one. */
  seen: number;
  pieces: Piece[];
  /** What was appended piece by piece: from and to. */
  runs: [number, number][];
  end: number;
  isEndKnown: boolean;
  largest: number;
  largestWhole: number;
  ecns: Set<number>;
}

const ETH = 14;
/** Octets of a UDP header: the oracle knows datagrams of UDP. */
const UDP = 8;
const u16 = (octets: Uint8Array, at: number) => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

function read4(frame: Uint8Array): Piece {
  const ip = frame.subarray(ETH);
  const header = ((ip[0] ?? 0) & 15) * 4;
  const total = u16(ip, 2);
  const more = (u16(ip, 6) & 0x2000) !== 0;
  // All but the last are of whole units of eight octets.
  const length = more ? (total - header) & ~7 : total - header;
  return {
    family: 4,
    key: `4 ${hex(ip.subarray(12, 20))} ${u16(ip, 4)} ${ip[9]}`,
    source: hex(ip.subarray(12, 16)),
    head: frame.slice(0, ETH + header),
    data: ip.slice(header, header + length),
    offset: (u16(ip, 6) & 0x1fff) * 8,
    more,
    df: (u16(ip, 6) & 0x4000) !== 0,
    ecn: (ip[1] ?? 0) & 3,
    size: header + length,
  };
}

/** Of a packet whose fragment header stands behind the IPv6 header. */
function read6(frame: Uint8Array): Piece {
  const ip = frame.subarray(ETH);
  const head = frame.slice(0, ETH + 40);
  head[ETH + 6] = ip[40] ?? 0;
  const payload = u16(ip, 4);
  return {
    family: 6,
    key: `6 ${hex(ip.subarray(8, 40))} ${hex(ip.subarray(44, 48))}`,
    source: hex(ip.subarray(8, 24)),
    head,
    data: ip.slice(48, 40 + payload),
    offset: u16(ip, 42) & 0xfff8,
    more: (u16(ip, 42) & 1) !== 0,
    df: false,
    ecn: (u16(ip, 0) >> 4) & 3,
    size: 40 + payload,
  };
}

/** The CE bits that a datagram gets of its fragments; undefined where only some know ECN. */
function markOf(ecns: ReadonlySet<number>): number | undefined {
  if (ecns.has(0)) return ecns.size === 1 ? 0 : undefined;
  return ecns.has(3) ? 3 : 0;
}

function seal(ip: Uint8Array): void {
  const header = ip.subarray(0, ((ip[0] ?? 0) & 15) * 4);
  header.fill(0, 10, 12);
  const sum = internetChecksum(header);
  header.set([sum >> 8, sum & 255], 10);
}

/** Puts fragments together as Linux does before connection tracking: slowly, and with nothing bounded. */
export class Reassembly {
  readonly #datagrams = new Map<string, Datagram>();
  readonly #sent = new Map<string, number>();

  constructor(readonly limits: Limits) {}

  take(frame: Uint8Array, now: number): Fate {
    const piece = frame[12] === 0x86 ? read6(frame) : read4(frame);
    // A first fragment of IPv6 without the transport's header is not put together with others.
    if (piece.family === 6 && piece.offset === 0 && piece.data.length < UDP) return "LOOSE";
    for (const [key, { until }] of this.#datagrams) if (until <= now) this.#datagrams.delete(key);
    const datagram = this.#datagrams.get(piece.key) ?? this.#begun(piece, now);
    this.#datagrams.set(piece.key, datagram);
    if (piece.family === 4) this.#forgetFar(datagram, piece, now);
    const fate = this.#place(datagram, piece);
    const isWrong = fate === "OVERLAP" || fate === "LOOSE" || (fate === "CONFLICT" && piece.family === 4);
    if (isWrong) this.#datagrams.delete(piece.key);
    return fate;
  }

  #begun({ source, family }: Piece, now: number): Datagram {
    const until = now + (family === 4 ? this.limits.wait4 : this.limits.wait6);
    const nothing = { pieces: [], runs: [], end: 0, isEndKnown: false, ecns: new Set<number>() };
    return { source, until, seen: 0, ...nothing, largest: 0, largestWhole: 0 };
  }

  #forgetFar(datagram: Datagram, { source }: Piece, now: number): void {
    const sent = (this.#sent.get(source) ?? 0) + 1;
    this.#sent.set(source, sent);
    if (datagram.pieces.length > 0 && sent - datagram.seen > this.limits.distance) {
      Object.assign(datagram, { pieces: [], runs: [], end: 0, isEndKnown: false, ecns: new Set() });
      datagram.until = now + this.limits.wait4;
    }
    datagram.seen = sent;
  }

  #place(datagram: Datagram, piece: Piece): Fate {
    const { offset, data, more, family } = piece;
    const end = offset + data.length;
    if (family === 6 && end > 65_535) return "CONFLICT";
    if (family === 6 && more && data.length % 8 !== 0) return "LOOSE";
    if (!more && (end < datagram.end || (datagram.isEndKnown && end !== datagram.end))) return "CONFLICT";
    if (more && end > datagram.end && datagram.isEndKnown) return "CONFLICT";
    datagram.isEndKnown ||= !more;
    datagram.end = Math.max(datagram.end, end);
    if (data.length === 0) return "CONFLICT";
    for (const [from, to] of datagram.runs) {
      if (offset >= from && end <= to) return "REPEATED";
      if (offset < to && end > from) return "OVERLAP";
    }
    const last = datagram.runs.find(([, to]) => to === Math.max(...datagram.runs.map((run) => run[1])));
    if (last !== undefined && last[1] === offset) last[1] = end;
    else datagram.runs.push([offset, end]);
    datagram.pieces.push(piece);
    datagram.ecns.add(piece.ecn);
    datagram.largest = Math.max(datagram.largest, piece.size);
    if (piece.df) datagram.largestWhole = Math.max(datagram.largestWhole, piece.size);
    const here = datagram.pieces.reduce((sum, one) => sum + one.data.length, 0);
    const isComplete =
      datagram.isEndKnown && here === datagram.end && datagram.pieces.some((one) => one.offset === 0);
    if (!isComplete) return "HOLD";
    this.#datagrams.delete(piece.key);
    return whole(datagram);
  }
}

function whole({ pieces, ecns, largest, largestWhole, end }: Datagram): Fate {
  const ordered = [...pieces].sort((a, b) => a.offset - b.offset);
  const [first] = ordered as [Piece];
  const mark = markOf(ecns);
  const ipLength = first.head.length - ETH + end;
  if (mark === undefined || ipLength - (first.family === 6 ? 40 : 0) > 65_535) return "CONFLICT";
  const frame = Uint8Array.from(Buffer.concat([first.head, ...ordered.map(({ data }) => data)]));
  const ip = frame.subarray(ETH);
  if (first.family === 6) {
    const length = ipLength - 40;
    ip.set([length >> 8, length & 255], 4);
    ip[1] = (ip[1] ?? 0) | (mark << 4);
  } else {
    ip.set([ipLength >> 8, ipLength & 255], 2);
    ip.set([largest === largestWhole ? 0x40 : 0, 0], 6);
    ip[1] = (ip[1] ?? 0) | mark;
    seal(ip);
  }
  return { frame, lengths: ordered.map(({ data }) => data.length), largest };
}

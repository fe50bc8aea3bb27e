import { printTuple, reverse, type Tuple } from "../frame-tuple.js";
import {
  areFlagsSane,
  type Direction,
  nextOf,
  type Segment,
  segmentOf,
  type TcpState,
} from "./tcp-states.js";

const SECOND = 1000;

/** nf_conntrack's timeouts, in seconds, without windows. */
const TCP_TIMEOUTS: Readonly<Record<TcpState, number>> = {
  NONE: 0,
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 432_000,
  FIN_WAIT: 120,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  TIME_WAIT: 120,
  CLOSE: 10,
  SYN_SENT2: 120,
};
const UNACKNOWLEDGED = 300;
const [UDP_SINGLE, UDP_STREAM, STREAM_AFTER] = [30, 120, 2];

/** What of a packet counts. */
export interface Sent {
  readonly tuple: Tuple;
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  /** Octets of payload. */
  readonly payload: number;
}

export interface Flow {
  readonly original: Tuple;
  /** As replies come. */
  readonly reply: Tuple;
  readonly born: number;
  tcp: TcpState;
  expires: number;
  isReplied: boolean;
  isAssured: boolean;
  /** The last segment that counted: its kind, its direction, and what was behind it. */
  last: { readonly segment: Segment; readonly direction: Direction };
  lastEnd: number;
  wasClosing: boolean;
  isSimultaneous: boolean;
  expectsChallenge: boolean;
}

export type Fate =
  | { readonly kind: "new" | "invalid" }
  | { readonly kind: "known"; readonly flow: Flow; readonly direction: Direction; readonly isNew: boolean };

const same = (a: Tuple, b: Tuple) => printTuple(a) === printTuple(b);

function endOf({ seq, payload, flags }: Sent): number {
  return (seq + payload + (flags.includes("S") ? 1 : 0) + (flags.includes("F") ? 1 : 0)) >>> 0;
}

/** Connection tracking without windows, as a list that is looked through from its start. */
export class Conntrack {
  #flows: Flow[] = [];

  live(now: number): readonly Flow[] {
    this.#flows = this.#flows.filter(({ expires }) => expires > now);
    return this.#flows;
  }

  clear(): void {
    this.#flows = [];
  }

  find(tuple: Tuple, now: number): { readonly flow: Flow; readonly direction: Direction } | undefined {
    for (const flow of this.live(now)) {
      if (same(flow.original, tuple)) return { flow, direction: "original" };
      if (same(flow.reply, tuple)) return { flow, direction: "reply" };
    }
    return undefined;
  }

  /** What a packet is, and what it does to its connection. */
  meet(sent: Sent, now: number): Fate {
    const { tuple, flags } = sent;
    const isTcp = tuple.protocol === 6;
    if (isTcp && !areFlagsSane(flags)) return { kind: "invalid" };
    const found = this.find(tuple, now);
    if (found === undefined) {
      const segment = segmentOf(flags);
      return { kind: !isTcp || segment === "SYN" || segment === "ACK" ? "new" : "invalid" };
    }
    const { flow, direction } = found;
    const isNew = direction === "original" && !flow.isReplied;
    const moved = isTcp ? this.#moveTcp(flow, direction, sent, now) : this.#moveUdp(flow, now);
    if (moved === "reopened") {
      this.#flows = this.#flows.filter((one) => one !== flow);
      return this.meet(sent, now);
    }
    if (moved === "invalid") return { kind: "invalid" };
    if (direction === "reply") flow.isReplied = true;
    return { kind: "known", flow, direction, isNew };
  }

  /** Opens the connection of a packet that leaves as `to`. */
  open(sent: Sent, to: Tuple, now: number): Flow {
    const flow: Flow = {
      original: sent.tuple,
      reply: reverse(to),
      born: now,
      tcp: "NONE",
      expires: Number.POSITIVE_INFINITY,
      isReplied: false,
      isAssured: false,
      last: { segment: "none", direction: "original" },
      lastEnd: 0,
      wasClosing: false,
      isSimultaneous: false,
      expectsChallenge: false,
    };
    this.#flows.push(flow);
    if (sent.tuple.protocol === 6) this.#moveTcp(flow, "original", sent, now);
    else this.#moveUdp(flow, now);
    return flow;
  }

  #moveUdp(flow: Flow, now: number): "moved" {
    const isStream = flow.isReplied && now > flow.born + STREAM_AFTER * SECOND;
    if (isStream) flow.isAssured = true;
    flow.expires = now + (isStream ? UDP_STREAM : UDP_SINGLE) * SECOND;
    return "moved";
  }

  #moveTcp(flow: Flow, direction: Direction, sent: Sent, now: number): "moved" | "invalid" | "reopened" {
    const segment = segmentOf(sent.flags);
    let from = flow.tcp;
    let to = nextOf(direction, segment, from);
    if (to === "invalid") return "invalid";
    if (to === "SYN_SENT" && (from === "TIME_WAIT" || from === "CLOSE")) {
      const wasReset = flow.last.segment === "RST" && flow.last.direction === direction;
      if (flow.wasClosing || wasReset) return "reopened";
      to = "ignored";
    }
    const answersIgnored =
      segment === "SYN+ACK" &&
      flow.last.segment === "SYN" &&
      flow.last.direction !== direction &&
      sent.ack === flow.lastEnd;
    if (to === "ignored" && answersIgnored) {
      [from, to] = ["SYN_SENT", "SYN_RECV"];
      flow.wasClosing = flow.expectsChallenge = false;
    }
    if (to === "ignored") {
      flow.last = { segment, direction };
      flow.lastEnd = endOf(sent);
      if (segment === "SYN" && direction === "original") {
        flow.isSimultaneous = false;
        flow.expectsChallenge = from === "LAST_ACK";
      }
      return "moved";
    }
    const isChallenge =
      flow.expectsChallenge && flow.last.segment === "SYN" && flow.last.direction !== direction;
    if (to === "TIME_WAIT" && from === "LAST_ACK" && segment === "ACK" && isChallenge) {
      flow.expectsChallenge = false;
      return "moved";
    }
    if (to === "SYN_SENT2") flow.isSimultaneous = true;
    if (to === "SYN_RECV" && direction === "reply" && segment === "ACK" && flow.isSimultaneous)
      to = "ESTABLISHED";
    flow.last = { segment, direction };
    flow.tcp = to;
    if (to === "FIN_WAIT" && from !== to) flow.wasClosing = true;
    this.#time(flow, segment, from, now);
    return "moved";
  }

  #time(flow: Flow, segment: Segment, from: TcpState, now: number): void {
    let seconds = TCP_TIMEOUTS[flow.tcp];
    if (flow.isReplied) {
      const isLasting = flow.tcp === "ESTABLISHED" && (from === "SYN_RECV" || from === "ESTABLISHED");
      if (isLasting) flow.isAssured = true;
    } else {
      // Refused: nothing is left of it.
      if (segment === "RST") seconds = 0;
      // A SYN sent again does not make it last longer.
      else if (segment === "SYN" && from === "SYN_SENT") return;
      else if (flow.tcp === "ESTABLISHED") seconds = UNACKNOWLEDGED;
    }
    flow.expires = now + seconds * SECOND;
  }
}

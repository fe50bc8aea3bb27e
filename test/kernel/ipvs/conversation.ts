import { ETH_LEN } from "../../../assembly/abi/wire.js";
import { describePacket } from "../../../src/packet/describe.js";
import { type ChunkName, chunk } from "../judge/sctp-chunks.js";
import { type End, enter, enterError } from "../judge/segment.js";
import { serverAddress } from "./draw-services.js";
import { ERRORS } from "./programme.js";
import { addressOf, type Talk } from "./scenario.js";

/** Numbers of one end of a TCP connection. */
interface Numbers {
  seq: number;
  /** What it has heard of the other one's. */
  ack: number;
}

const PAYLOAD_LEN = 10;
/** How far apart the numbers of one connection and the next of the same ports are. */
const NEXT_CONNECTION = 1_000_000;
const TAGS = { client: 0x1111, server: 0x2222 } as const;

type Side = "client" | "server";

const lengthOf = (flags: string): number =>
  (flags.includes("P") ? PAYLOAD_LEN : 0) + (flags.includes("S") || flags.includes("F") ? 1 : 0);

/** The packets of a talk as its ends would make them, the server's to whom it heard last. */
export class Conversation {
  readonly #talk: Talk;
  readonly #numbers: Record<Side, Numbers> = {
    client: { seq: 1_000, ack: 0 },
    server: { seq: 5_000_000, ack: 0 },
  };
  #heard: { readonly client: End; readonly server: End } | undefined;
  readonly #lastHeard: { client?: Uint8Array; server?: Uint8Array } = {};
  #lastSyn: number | undefined;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  /** The client gets a packet as the director sends it on. */
  hearAnswer(frame: Uint8Array): void {
    if (describePacket(frame).srcPort !== undefined) this.#lastHeard.client = frame;
  }

  /** And so does the server. */
  hear(frame: Uint8Array): void {
    const { src, srcPort, dst, dstPort } = describePacket(frame);
    if (src === undefined || dst === undefined || srcPort === undefined || dstPort === undefined) return;
    this.#lastHeard.server = frame;
    // A server that has the service's own address answers past the director.
    if (dst === this.#talk.address) return;
    this.#heard = {
      client: { address: addressOf(src), port: srcPort },
      server: { address: addressOf(dst), port: dstPort },
    };
  }

  /** A packet of one side; undefined where a server has heard nobody. */
  say(from: Side, what: string, mac: number): Uint8Array | undefined {
    const error = ERRORS[what];
    if (error !== undefined) return this.#complain(from, error, mac);
    const { client, clientPort, address, port } = this.#talk;
    const ends =
      from === "client"
        ? {
            from: { address: addressOf(client), port: clientPort },
            to: { address: addressOf(address), port },
          }
        : this.#heard && { from: this.#heard.server, to: this.#heard.client };
    if (ends === undefined) return undefined;
    const plain = { way: "", mac, tag: 0, ttl: 64, tos: 0, ...ends };
    const { protocol } = this.#talk;
    if (protocol === "UDP") return enter({ ...plain, protocol, payload: PAYLOAD_LEN }).frame;
    if (protocol === "TCP") return enter({ ...plain, protocol, ...this.#segment(from, what) }).frame;
    return enter({ ...plain, protocol, ...sctpOf(from, what as ChunkName) }).frame;
  }

  /** An error about the last packet that a side has heard: of one with the service's own address from a router there. */
  #complain(from: Side, error: (typeof ERRORS)[string], mac: number): Uint8Array | undefined {
    const heard = this.#lastHeard[from];
    if (heard === undefined) return undefined;
    const { src = "", dst = "" } = describePacket(heard);
    const family = src.includes(":") ? 6 : 4;
    const router = addressOf(dst === this.#talk.address ? serverAddress(family, 0) : dst);
    const [type, code] = error[family];
    const plain = { way: "", mac, tag: 0, ttl: 64, tos: 0 };
    return enterError({ ...plain, router, to: addressOf(src), type, code, quote: heard.slice(ETH_LEN) })
      .frame;
  }

  #segment(from: Side, flags: string): { flags: string; seq: number; ack: number; payload: number } {
    const [own, other] = [this.#numbers[from], this.#numbers[from === "client" ? "server" : "client"]];
    if (flags === "S") this.#begin();
    const { seq } = own;
    own.seq += lengthOf(flags);
    other.ack = own.seq;
    const ack = flags.includes("A") ? own.ack : 0;
    return { flags, seq, ack, payload: flags.includes("P") ? PAYLOAD_LEN : 0 };
  }

  /** A SYN that was not heard of is sent again with the same numbers, any other begins with new ones. */
  #begin(): void {
    const { client, server } = this.#numbers;
    if (this.#lastSyn !== undefined && client.seq === this.#lastSyn + 1) client.seq = this.#lastSyn;
    else if (this.#lastSyn !== undefined) for (const side of [client, server]) side.seq += NEXT_CONNECTION;
    this.#lastSyn = client.seq;
  }
}

/** Each end's packets carry the tag that the other one has asked for (RFC 9260 §8.5). */
function sctpOf(from: Side, what: ChunkName): { payload: Uint8Array; verification: number } {
  const own = TAGS[from];
  const other = TAGS[from === "client" ? "server" : "client"];
  return { payload: chunk(what, own), verification: what === "init" ? 0 : other };
}

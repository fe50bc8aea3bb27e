import * as wire from "../../../assembly/abi/wire.js";
import type { Ip } from "../../../src/net/ip.js";
import type { Mac } from "../../../src/net/mac.js";
import { read16, read32, read128 } from "../../../src/packet/octets.js";
import {
  type Entering,
  isTunnelled,
  type Leaving,
  NODE_WAY,
  packetOf,
  type Said,
  type Step,
} from "./conversation.js";
import { type Cutting, cutInto } from "./cutting.js";
import type { OddFrame } from "./odd-frames.js";
import { COMPLAINT_TOS, placeOf, portsAt } from "./packet-octets.js";
import { UPLINK } from "./parties.js";
import { type End, enter, enterError, type Protocol, type Segment } from "./segment.js";
import { type OddTunnel, TUNNEL, tunnelled } from "./tunnel.js";

/** What all packets of a conversation have in common. */
export interface Subject {
  readonly protocol: Protocol;
  readonly way: string;
  readonly from: End;
  readonly to: End;
  readonly ttl: number;
  readonly tos: number;
  /** Octets behind the headers of those that carry any. */
  readonly payload: number;
  /** The same of a first answer; default 0. */
  readonly answerPayload?: number;
  /** First sequence numbers of client and server. */
  readonly isn: readonly [number, number];
  /** As what its packets come from wires, and by the tunnel. */
  readonly oddFrame?: OddFrame;
  readonly oddTunnel?: OddTunnel;
  /** In which fragments its packets are sent; only those that go ahead, or only those that follow these. */
  readonly cutting?: Cutting;
  readonly part?: "ahead" | "rest";
  /** MAC addresses of the node's interfaces. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** The way by which those answer whom packets reach by the tunnel. */
  readonly tunnel: string;
}

const macOf = ({ macs }: Subject, way: string): Mac => macs.get(way) ?? 0;

/** The frame as odd as it is to be; what comes by the tunnel does so in a packet of the other node's. */
function bringWhole(subject: Subject, { way, frame }: Entering): Entering {
  if (way === NODE_WAY) return { way, frame };
  const odd = subject.oddFrame?.change(frame) ?? frame;
  return way === TUNNEL ? tunnelled(odd, macOf(subject, UPLINK), subject.oddTunnel) : { way, frame: odd };
}

/** The same in fragments, where it is to be sent so. */
function bring(subject: Subject, entering: Entering): Entering {
  const { cutting, part } = subject;
  const whole = bringWhole(subject, entering);
  if (cutting === undefined) return whole;
  const pieces = cutInto(entering.frame, cutting).map(
    (frame) => bringWhole(subject, { ...entering, frame }).frame,
  );
  const ahead = cutting.ahead ?? 0;
  if (part === "ahead") return { ...whole, pieces: pieces.slice(0, ahead) };
  return { ...whole, pieces: pieces.slice(ahead), earlier: pieces.slice(0, ahead) };
}

/** Whoever got a packet sends by where it came out. */
function wayOf({ tunnel }: Subject, leaving: Leaving): string {
  return isTunnelled(leaving) ? tunnel : leaving.way;
}

/** Fields in which a packet differs from a plain one of its direction. */
type Turn = Partial<
  Pick<Segment, "flags" | "seq" | "ack" | "window" | "verification" | "payload" | "checksum" | "ttl">
>;

function common(subject: Subject): Pick<Segment, "protocol" | "tos" | "ttl"> {
  const { protocol, tos, ttl } = subject;
  return { protocol, tos, ttl };
}

/** From the client: the first packet of a conversation, and others like it. */
export function ask(subject: Subject, name: string, turn: Turn = {}): Step {
  const { way, from, to, payload } = subject;
  const segment = { ...common(subject), way, mac: macOf(subject, way), from, to, payload, ...turn };
  return { name, direction: "there", make: (_, tag) => bring(subject, enter({ ...segment, tag })) };
}

function addressesOf(packet: Uint8Array): readonly [Ip, Ip] {
  const place = placeOf(packet);
  if (place?.family === 6) return [read128(packet, 8), read128(packet, 24)];
  return [read32(packet, wire.IP4_SRC), read32(packet, wire.IP4_DST)];
}

/** Source and destination of a packet that came out. */
export function endsOf(leaving: Leaving): readonly [End, End] | undefined {
  const packet = packetOf(leaving);
  const at = portsAt(packet);
  if (at === undefined) return undefined;
  const [src, dst] = addressesOf(packet);
  return [
    { address: src, port: read16(packet, at[0]) },
    { address: dst, port: read16(packet, at[1]) },
  ];
}

/** Octets that pass everywhere. */
const SMALL = 64;

/** From whoever got the last packet, back to whom it seemed to come from. */
export function answer(subject: Subject, name: string, turn: Turn = {}): Step {
  const make = ({ there }: Said, tag: number) => {
    const ends = there === undefined ? undefined : endsOf(there);
    if (there === undefined || ends === undefined) return undefined;
    const [to, from] = ends;
    const way = wayOf(subject, there);
    const segment = { ...common(subject), way, mac: macOf(subject, way), from, to, tag };
    const payload = Math.min(subject.payload, SMALL);
    return bring(subject, enter({ ...segment, payload, isReply: true, ...turn }));
  };
  return { name, direction: "back", make };
}

/** What an ICMP error says, and how much it quotes behind the IP header. */
export interface Complaint {
  readonly type: number;
  readonly code: number;
  readonly quoted: number;
  /** Who says it; default whoever got the packet. */
  readonly router?: Ip;
}

/**
 * An ICMP error about the last packet of a direction, from where that came out. A server's complaint goes to the client;
 * a client's to the server.
 */
export function complain(subject: Subject, about: "there" | "back", complaint: Complaint): Step {
  const { type, code, quoted, router } = complaint;
  const make = (said: Said, tag: number) => {
    const leaving = said[about];
    if (leaving === undefined || leaving.way === NODE_WAY) return undefined;
    const packet = packetOf(leaving);
    const place = placeOf(packet);
    if (place === undefined) return undefined;
    const [to, from] = addressesOf(packet);
    const way = wayOf(subject, leaving);
    const segment = {
      way,
      mac: macOf(subject, way),
      tag,
      ttl: subject.ttl,
      tos: COMPLAINT_TOS,
      type,
      code,
      to,
    };
    const quote = packet.slice(0, place.transport + quoted);
    return bring(subject, enterError({ ...segment, router: router ?? from, quote }));
  };
  return { name: `icmp ${type}/${code} about ${about}`, direction: "aside", make };
}

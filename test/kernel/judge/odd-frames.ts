import * as wire from "../../../assembly/abi/wire.js";
import { ETH_LEN, IP4_LEN, IP6_LEN } from "../../../assembly/abi/wire.js";
import type { Family } from "../../../src/net/ip.js";
import { internetChecksum, pseudoHeader } from "../../../src/packet/checksum.js";
import { concat, read16, read128, write } from "../../../src/packet/octets.js";

/** What makes a frame an odd one. */
export interface OddFrame {
  readonly name: string;
  /** Of both families if missing. */
  readonly family?: Family;
  /** False: nobody sees ports in it. */
  readonly hasPorts?: boolean;
  change(frame: Uint8Array): Uint8Array;
}

const octets = (...values: readonly number[]) => Uint8Array.from(values);

/** An IPv4 frame with its header's checksum made anew. */
function sealed(frame: Uint8Array): Uint8Array {
  const header = frame.subarray(ETH_LEN, ETH_LEN + ((frame[ETH_LEN] ?? 0) & 15) * 4);
  write(header, wire.IP4_CHECKSUM, 2, 0, "checksum");
  write(header, wire.IP4_CHECKSUM, 2, internetChecksum(header), "checksum");
  return frame;
}

/** A copy with other octets from a place in the frame on. */
function overwritten(frame: Uint8Array, at: number, values: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy.set(values, at);
  return copy;
}

/** One whose frame has another destination. */
function addressed(name: string, values: Uint8Array, family?: Family): OddFrame {
  return {
    name,
    ...(family === undefined ? {} : { family }),
    change: (frame) => overwritten(frame, wire.ETH_DST, values),
  };
}

function tagged(id: number): OddFrame {
  const tag = octets(wire.ETH_TYPE_VLAN >> 8, wire.ETH_TYPE_VLAN & 0xff, 0, id);
  const change = (frame: Uint8Array) =>
    concat(frame.slice(0, wire.ETH_TYPE), tag, frame.slice(wire.ETH_TYPE));
  return { name: `VLAN ${id}`, change };
}

function padded(length: number): OddFrame {
  const behind = new Uint8Array(length).fill(0xaa);
  return { name: `${length} octets behind the packet`, change: (frame) => concat(frame, behind) };
}

const LINKS: readonly OddFrame[] = [
  addressed("a broadcast frame", octets(255, 255, 255, 255, 255, 255)),
  addressed("a multicast frame", octets(1, 0, 0x5e, 0, 0, 1), 4),
  addressed("a multicast frame", octets(0x33, 0x33, 0, 0, 0, 1), 6),
  tagged(7),
  tagged(0),
  padded(1),
  padded(18),
  padded(200),
];

/** One that has other octets in its IPv4 header, whose checksum is right. */
function header4(name: string, at: number, ...values: readonly number[]): OddFrame {
  return { name, family: 4, change: (frame) => sealed(overwritten(frame, ETH_LEN + at, octets(...values))) };
}

/** IPv4 options, a multiple of four octets of them. */
function optioned(name: string, ...options: readonly number[]): OddFrame {
  const change = (frame: Uint8Array) => {
    const at = ETH_LEN + IP4_LEN;
    const longer = concat(frame.slice(0, at), octets(...options), frame.slice(at));
    longer[ETH_LEN] = 0x45 + options.length / 4;
    write(longer, ETH_LEN + wire.IP4_TOTAL_LENGTH, 2, longer.length - ETH_LEN, "length");
    return sealed(longer);
  };
  return { name: `option ${name}`, family: 4, change };
}

function relong4(name: string, more: number): OddFrame {
  const change = (frame: Uint8Array) => {
    const copy = frame.slice();
    const at = ETH_LEN + wire.IP4_TOTAL_LENGTH;
    write(copy, at, 2, Math.max(0, read16(copy, at) + more), "length");
    return sealed(copy);
  };
  return { name, family: 4, change };
}

const portless = (odd: OddFrame): OddFrame => ({ ...odd, hasPorts: false });

/** Another protocol's, whose checksum, if it had one like TCP's, is right: else nobody is told (nf_reject_verify_csum). */
function carrying(name: string, family: Family, protocol: number): OddFrame {
  const change = (frame: Uint8Array) => {
    const [at, length] = family === 4 ? [wire.IP4_PROTOCOL, IP4_LEN] : [wire.IP6_NEXT_HEADER, IP6_LEN];
    const carrier = overwritten(frame, ETH_LEN + at, octets(protocol));
    const payload = carrier.subarray(ETH_LEN + length).fill(0xff);
    payload.fill(0, 0, 2);
    const covered =
      family === 4
        ? payload
        : concat(
            pseudoHeader(
              read128(frame, ETH_LEN + wire.IP6_SRC),
              read128(frame, ETH_LEN + wire.IP6_DST),
              protocol,
              payload.length,
            ),
            payload,
          );
    write(payload, 0, 2, internetChecksum(covered), "checksum");
    return family === 4 ? sealed(carrier) : carrier;
  };
  return portless({ name, family, change });
}

const IP4: readonly OddFrame[] = [
  optioned("end", 0, 0, 0, 0),
  optioned("none", 1, 1, 1, 0),
  optioned("record route", 7, 7, 4, 0, 0, 0, 0, 0),
  optioned("record route, full", 7, 7, 8, 9, 9, 9, 9, 0),
  optioned("timestamp", 68, 8, 5, 0, 0, 0, 0, 0),
  optioned("loose source route", 131, 7, 4, 10, 244, 1, 9, 0),
  optioned("loose source route, at its end", 131, 7, 8, 10, 244, 1, 9, 0),
  optioned("strict source route", 137, 7, 4, 10, 244, 1, 9, 0),
  optioned("router alert", 148, 4, 0, 0),
  optioned("unknown", 0x9e, 4, 1, 2),
  optioned("security", 130, 4, 0, 0),
  optioned("without a length", 1, 1, 1, 7),
  optioned("too short", 7, 1, 4, 0),
  optioned("beyond the header", 0x9e, 9, 1, 2),
  header4("TTL 0", wire.IP4_TTL, 0),
  header4("version 5", 0, 0x55),
  header4("a header of four words", 0, 0x44),
  header4("the reserved flag", wire.IP4_FRAGMENT, 0x80),
  header4("no DF", wire.IP4_FRAGMENT, 0),
  carrying("a protocol that is not known", 4, 253),
  carrying("protocol 0", 4, 0),
  carrying("ICMPv6 over IPv4", 4, wire.PROTO_ICMP6),
  {
    name: "a bad header checksum",
    family: 4,
    change: (frame) => overwritten(frame, ETH_LEN + wire.IP4_CHECKSUM, octets(0x12, 0x34)),
  },
  relong4("a total length beyond the frame", 1),
  relong4("a total length of nothing", -2_000),
  portless(header4("half a header", wire.IP4_TOTAL_LENGTH, 0, IP4_LEN + 4)),
];

/** One with an extension header behind its IPv6 header; its first octet is what follows. */
function extended(name: string, kind: number, ...rest: readonly number[]): OddFrame {
  const change = (frame: Uint8Array) => {
    const at = ETH_LEN + IP6_LEN;
    const next = frame[ETH_LEN + wire.IP6_NEXT_HEADER] ?? 0;
    const longer = concat(frame.slice(0, at), octets(next, ...rest), frame.slice(at));
    longer[ETH_LEN + wire.IP6_NEXT_HEADER] = kind;
    write(longer, ETH_LEN + wire.IP6_PAYLOAD_LENGTH, 2, longer.length - at, "length");
    return longer;
  };
  return { name, family: 6, change };
}

function header6(name: string, at: number, ...values: readonly number[]): OddFrame {
  return { name, family: 6, change: (frame) => overwritten(frame, ETH_LEN + at, octets(...values)) };
}

function relong6(name: string, more: number): OddFrame {
  const change = (frame: Uint8Array) => {
    const copy = frame.slice();
    const at = ETH_LEN + wire.IP6_PAYLOAD_LENGTH;
    write(copy, at, 2, Math.max(0, read16(copy, at) + more), "length");
    return copy;
  };
  return { name, family: 6, change };
}

const IP6: readonly OddFrame[] = [
  extended("hop-by-hop padding", 0, 0, 1, 4, 0, 0, 0, 0),
  extended("a router alert", 0, 0, 5, 2, 0, 0, 1, 0),
  extended("a hop-by-hop option to pass over", 0, 0, 0x1e, 4, 1, 2, 3, 4),
  extended("a hop-by-hop option to drop", 0, 0, 0x5e, 4, 1, 2, 3, 4),
  extended("a hop-by-hop header beyond the packet", 0, 200, 1, 4, 0, 0, 0, 0),
  extended("destination options", 60, 0, 1, 4, 0, 0, 0, 0),
  extended("a destination option to refuse", 60, 0, 0x9e, 4, 1, 2, 3, 4),
  extended("a routing header at its end", 43, 0, 4, 0, 0, 0, 0, 0),
  extended("a routing header with more to visit", 43, 0, 4, 1, 0, 0, 0, 0),
  extended("an old routing header", 43, 0, 0, 1, 0, 0, 0, 0),
  extended("an authentication header", 51, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1),
  extended("a fragment of all", 44, 0, 0, 0, 0, 0, 0, 7),
  header6("hop limit 0", wire.IP6_HOP_LIMIT, 0),
  header6("version 5", 0, 0x50),
  portless(header6("no next header", wire.IP6_NEXT_HEADER, 59)),
  carrying("a protocol that is not known", 6, 253),
  carrying("ICMP over IPv6", 6, wire.PROTO_ICMP),
  relong6("a payload length beyond the frame", 1),
  portless(header6("half a header", wire.IP6_PAYLOAD_LENGTH, 0, 4)),
  portless(header6("no header", wire.IP6_PAYLOAD_LENGTH, 0, 0)),
];

/** Those that a packet of a family may come as. */
export function oddFramesOf(family: Family): readonly OddFrame[] {
  return [...LINKS, ...IP4, ...IP6].filter((odd) => odd.family === undefined || odd.family === family);
}

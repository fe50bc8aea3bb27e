import * as wire from "../../assembly/abi/wire.js";
import { printIp } from "../net/ip.js";
import { type IpPacket, readIp4, readIp6 } from "./headers.js";
import { read8, read16, read32, read128 } from "./octets.js";

const PROTOCOL_NAME: Readonly<Record<number, string>> = {
  [wire.PROTO_TCP]: "tcp",
  [wire.PROTO_UDP]: "udp",
  [wire.PROTO_SCTP]: "sctp",
};
const REDIRECT_FOR = ["net", "host", "tos and net", "tos and host"];
const ICMP6_UNREACHABLE = ["route", "prohibited", "beyond scope", "address", "port"];

/** Destination port of the packet that an ICMP error quotes, in words: `udp port 53`. */
function printQuotedPort(quoted: IpPacket): string {
  const name = PROTOCOL_NAME[quoted.protocol] ?? `protocol ${quoted.protocol}`;
  return quoted.payload.length < 4 ? name : `${name} port ${read16(quoted.payload, 2)}`;
}

function printUnreachable(code: number, octets: Uint8Array): string {
  const quoted = readIp4(octets.subarray(wire.ICMP_LEN));
  if (quoted === undefined) return "unreachable, [|ip]";
  const dst = printIp(quoted.dst);
  switch (code) {
    case 0:
      return `net ${dst} unreachable`;
    case 1:
      return `host ${dst} unreachable`;
    case 2:
      return `${dst} protocol ${quoted.protocol} unreachable`;
    case 3:
      return `${dst} ${printQuotedPort(quoted)} unreachable`;
    case 4:
      return `${dst} unreachable - need to frag (mtu ${read16(octets, 6)})`;
    case 13:
      return `host ${dst} unreachable - admin prohibited filter`;
    default:
      return `${dst} unreachable-#${code}`;
  }
}

const printEcho = (name: string, octets: Uint8Array): string =>
  `${name}, id ${read16(octets, wire.ICMP_ID)}, seq ${read16(octets, wire.ICMP_SEQUENCE)}`;

function printRedirect(code: number, octets: Uint8Array): string {
  const quoted = readIp4(octets.subarray(wire.ICMP_LEN));
  const target = quoted === undefined ? "[|ip]" : printIp(quoted.dst);
  return `redirect ${target} to ${REDIRECT_FOR[code] ?? `code ${code}`} ${printIp(read32(octets, 4))}`;
}

function printMessage(type: number, code: number, octets: Uint8Array): string {
  switch (type) {
    case 0:
      return printEcho("echo reply", octets);
    case 3:
      return printUnreachable(code, octets);
    case 5:
      return printRedirect(code, octets);
    case 8:
      return printEcho("echo request", octets);
    case 11:
      return code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
    case 12:
      return `parameter problem - octet ${read8(octets, 4)}`;
    default:
      return `type-#${type}`;
  }
}

/** An ICMP message of `length` octets (RFC 792): `ICMP echo request, id 1, seq 2, length 64`. */
export function printIcmp(octets: Uint8Array, length: number): string {
  if (octets.length < wire.ICMP_LEN) return "[|icmp]";
  const message = printMessage(read8(octets, wire.ICMP_TYPE), read8(octets, wire.ICMP_CODE), octets);
  return `ICMP ${message}, length ${length}`;
}

function printUnreachable6(code: number, octets: Uint8Array): string {
  const what = `destination unreachable, unreachable ${ICMP6_UNREACHABLE[code] ?? `code-#${code}`}`;
  const quoted = readIp6(octets.subarray(wire.ICMP_LEN));
  if (quoted === undefined) return what;
  const port = code === 4 ? `, ${printIp(quoted.dst)} ${printQuotedPort(quoted)}` : ` ${printIp(quoted.dst)}`;
  return what + port;
}

/** Where a neighbour message has its address (RFC 4861 §4.3, §4.4). */
const printTarget = (octets: Uint8Array): string =>
  octets.length < 24 ? "[|icmp6]" : printIp(read128(octets, 8));

function printMessage6(type: number, code: number, octets: Uint8Array): string {
  switch (type) {
    case 1:
      return printUnreachable6(code, octets);
    case 2:
      return `packet too big, mtu ${read32(octets, 4)}`;
    case 3:
      return code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
    case 128:
      return printEcho("echo request", octets);
    case 129:
      return printEcho("echo reply", octets);
    case 133:
      return "router solicitation";
    case 134:
      return "router advertisement";
    case 135:
      return `neighbor solicitation, who has ${printTarget(octets)}`;
    case 136:
      return `neighbor advertisement, tgt is ${printTarget(octets)}`;
    case 143:
      return "multicast listener report v2";
    default:
      return `type-#${type}`;
  }
}

/** An ICMPv6 message of `length` octets (RFC 4443): `ICMP6, echo request, id 1, seq 2, length 64`. */
export function printIcmp6(octets: Uint8Array, length: number): string {
  if (octets.length < wire.ICMP_LEN) return "[|icmp6]";
  const message = printMessage6(read8(octets, wire.ICMP_TYPE), read8(octets, wire.ICMP_CODE), octets);
  return `ICMP6, ${message}, length ${length}`;
}

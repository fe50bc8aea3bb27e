import * as wire from "../../assembly/abi/wire.js";
import { read8, read16, read32 } from "./octets.js";
import { readTcp, type TcpHeader } from "./transport.js";

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_OK = 4;
const OPTION_SACK = 5;
const OPTION_TIMESTAMP = 8;
const OPTION_NAME: Readonly<Record<number, string>> = {
  [OPTION_MSS]: "mss",
  [OPTION_WINDOW_SCALE]: "wscale",
  [OPTION_SACK_OK]: "sackOK",
  [OPTION_SACK]: "sack",
  [OPTION_TIMESTAMP]: "TS",
};
/** Length of the options that have only one. */
const OPTION_LENGTH: Readonly<Record<number, number>> = {
  [OPTION_MSS]: 4,
  [OPTION_WINDOW_SCALE]: 3,
  [OPTION_SACK_OK]: 2,
  [OPTION_TIMESTAMP]: 10,
};

/** One letter a flag from bit 0 up, as tcpdump has them: FIN SYN RST PSH ACK URG ECE CWR AE. */
const FLAG_LETTERS = "FSRP.UEWe";

export function printTcpFlags(flags: number): string {
  const letters = [...FLAG_LETTERS].filter((_, bit) => (flags & (1 << bit)) !== 0).join("");
  return letters === "" ? "none" : letters;
}

function printSackBlocks(value: Uint8Array): string {
  const blocks = Array.from({ length: value.length >> 3 }, (_, index) => {
    return `{${read32(value, 8 * index)}:${read32(value, 8 * index + 4)}}`;
  });
  return ` ${blocks.length} ${blocks.join("")}`;
}

/** An option's value, with a space before it. */
function printOptionValue(kind: number, value: Uint8Array): string {
  switch (kind) {
    case OPTION_MSS:
      return ` ${read16(value, 0)}`;
    case OPTION_WINDOW_SCALE:
      return ` ${read8(value, 0)}`;
    case OPTION_SACK_OK:
      return "";
    case OPTION_SACK:
      return printSackBlocks(value);
    case OPTION_TIMESTAMP:
      return ` val ${read32(value, 0)} ecr ${read32(value, 4)}`;
    default:
      return value.length === 0
        ? ""
        : ` 0x${[...value].map((octet) => octet.toString(16).padStart(2, "0")).join("")}`;
  }
}

function printOption(kind: number, option: Uint8Array): string {
  const expected = OPTION_LENGTH[kind] ?? option.length;
  const name = OPTION_NAME[kind] ?? `unknown-${kind}`;
  return option.length === expected ? name + printOptionValue(kind, option.subarray(2)) : `${name} [bad opt]`;
}

function printOptions(options: Uint8Array): string {
  const words: string[] = [];
  let at = 0;
  while (at < options.length) {
    const kind = read8(options, at);
    if (kind === OPTION_END || kind === OPTION_NOP) {
      words.push(kind === OPTION_END ? "eol" : "nop");
      if (kind === OPTION_END) break;
      at += 1;
      continue;
    }
    const length = read8(options, at + 1);
    if (length < 2 || at + length > options.length) {
      words.push("[bad opt]");
      break;
    }
    words.push(printOption(kind, options.subarray(at, at + length)));
    at += length;
  }
  return words.length === 0 ? "" : `, options [${words.join(",")}]`;
}

function printSeq(tcp: TcpHeader, length: number): string {
  const telling = wire.TCP_FLAG_SYN | wire.TCP_FLAG_FIN | wire.TCP_FLAG_RST;
  if (length === 0 && (tcp.flags & telling) === 0) return "";
  return length === 0 ? `, seq ${tcp.seq}` : `, seq ${tcp.seq}:${(tcp.seq + length) % 2 ** 32}`;
}

/**
 * What follows the addresses of a TCP segment: `Flags [S], seq 0, win 64240, length 0`. `length` is that of the
 * segment as IP has it. Sequence numbers are absolute (tcpdump -S), since one packet knows no connection.
 */
export function printTcp(octets: Uint8Array, length: number): string {
  const tcp = readTcp(octets);
  if (tcp === undefined) return "[|tcp]";
  const { headerLength, flags } = tcp;
  if (headerLength < wire.TCP_LEN) return `[bad hdr length ${headerLength} - too short, < ${wire.TCP_LEN}]`;
  if (headerLength > length) return `[bad hdr length ${headerLength} - too long, > ${length}]`;
  const payload = length - headerLength;
  const ack = flags & wire.TCP_FLAG_ACK ? `, ack ${tcp.ack}` : "";
  const urgent = flags & wire.TCP_FLAG_URG ? `, urg ${tcp.urgent}` : "";
  const options = headerLength > octets.length ? ", [|tcp]" : printOptions(tcp.options);
  const seq = printSeq(tcp, payload);
  return `Flags [${printTcpFlags(flags)}]${seq}${ack}, win ${tcp.window}${urgent}${options}, length ${payload}`;
}

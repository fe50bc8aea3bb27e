import { CaptureStream, tcpdumpIn } from "./capture-stream.js";
import { buildProgram } from "./native.js";
import { setting } from "./node-space.js";
import { type Call, within } from "./shell.js";

/**
 * How packets that the node itself gets are heard, and its stack kept from answering them. `nflog`: the very last chain
 * of INPUT shows and drops them. `sockets`: raw sockets, for a kernel without nftables; IPv4 alone.
 */
export type Hearing = "nflog" | "sockets";

const GROUP = 5;

/**
 * The chain must be loaded before any other: of equal priority the later one is asked first, and connections are
 * confirmed at this one.
 */
const LAST_CHAIN = `table inet delivered {
  chain input {
    type filter hook input priority 2147483647; policy accept
    log group ${GROUP} queue-threshold 1
    drop
  }
}
`;

/** A policy that lets no packet in to a program, of the loopback interface either: whoever asks hears nothing. */
const NO_PROGRAM = [
  "xfrm",
  "policy",
  "add",
  "src",
  "0.0.0.0/0",
  "dst",
  "0.0.0.0/0",
  "dir",
  "in",
  "action",
  "block",
];
const ALSO_OWN = { "net.ipv4.conf.lo.disable_policy": 0, "net.ipv4.conf.lo.disable_xfrm": 0 };

/** What prepares a namespace; before its rules are loaded. */
export function preparing(space: string, hearing: Hearing): Call[] {
  if (hearing === "nflog") return [within(space, { program: "nft", words: ["-f", "-"], input: LAST_CHAIN })];
  return [within(space, { program: "ip", words: NO_PROGRAM }), setting(space, ALSO_OWN)];
}

/** Hands on the IP packets that are delivered in a namespace. */
export function hearDelivered(
  space: string,
  hearing: Hearing,
  heard: (packet: Uint8Array) => void,
): Promise<CaptureStream> {
  if (hearing === "sockets") {
    return CaptureStream.open(["ip", "netns", "exec", space, buildProgram("listener")], heard);
  }
  return CaptureStream.open(tcpdumpIn(space, `nflog:${GROUP}`), (record) => {
    const packet = loggedPacket(record);
    if (packet !== undefined) heard(packet);
  });
}

/** Type-length-value fields of an NFLOG record (linux/netfilter/nfnetlink_log.h), in the host's byte order. */
const HEADER_LEN = 4;
const FIELD_HEADER_LEN = 4;
const PAYLOAD = 9;

/** The IP packet in what tcpdump hears of an NFLOG group. */
function loggedPacket(record: Uint8Array): Uint8Array | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  let at = HEADER_LEN;
  while (at + FIELD_HEADER_LEN <= record.length) {
    const length = view.getUint16(at, true);
    if (length < FIELD_HEADER_LEN) return undefined;
    if (view.getUint16(at + 2, true) === PAYLOAD) return record.subarray(at + FIELD_HEADER_LEN, at + length);
    at += (length + 3) & ~3;
  }
  return undefined;
}

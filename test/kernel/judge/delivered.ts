import { CaptureStream } from "./capture-stream.js";
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
  const words = hearing === "sockets" ? ["sockets"] : ["nflog", String(GROUP)];
  return CaptureStream.open(["ip", "netns", "exec", space, buildProgram("listener"), ...words], heard);
}

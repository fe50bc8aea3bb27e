import { CaptureStream } from "./capture-stream.js";
import { VXLAN_PORT } from "./conversation.js";
import { buildProgram } from "./native.js";
import { setting } from "./node-space.js";
import { type Call, within } from "./shell.js";

/**
 * How packets that the node itself gets are heard, and its stack kept from answering them. `nflog`: the very last chain
 * of INPUT shows and drops them. `sockets`: raw sockets, for a kernel without nftables.
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
    udp dport ${VXLAN_PORT} accept
    log group ${GROUP} queue-threshold 1
    drop
  }
}
`;

/** Policies that let no packet in to a program, of the loopback interface either: whoever asks hears nothing. */
function closing(space: string): Call[] {
  const policies = ["0.0.0.0/0", "::/0"].map((all) =>
    within(space, {
      program: "ip",
      words: ["xfrm", "policy", "add", "src", all, "dst", all, "dir", "in", "action", "block"],
    }),
  );
  return [...policies, setting(space, ALSO_OWN)];
}

const ALSO_OWN = { "net.ipv4.conf.lo.disable_policy": 0, "net.ipv4.conf.lo.disable_xfrm": 0 };

/** What prepares a namespace; before its rules are loaded. */
export function preparing(space: string, hearing: Hearing): Call[] {
  if (hearing === "sockets") return closing(space);
  return [within(space, { program: "nft", words: ["-f", "-"], input: LAST_CHAIN })];
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

import type { IpvsConnection } from "../../../src/ruleset/ipvs-connections.js";
import type { ServerLines } from "./proc-net.js";
import type { RecordedListing, RecordedPacket } from "./recording.js";
import type { Change } from "./scenario.js";

/** What a director makes of a packet. */
export interface Ruling {
  /** Sent on or translated back, handed to the node itself, answered with an ICMP error, or dropped. */
  readonly verdict: "FORWARD" | "LOCAL" | "REJECT" | "DROP";
  /** What goes out, of a packet that is forwarded. */
  readonly out?: RecordedPacket;
  /** The same in words, with a reason. */
  readonly words: string;
}

/** A director that can be compared with the kernel's; times in milliseconds, which only grow. */
export interface DirectorSide {
  /** Changes it as `ipvsadm --restore` would. */
  change(changes: readonly Change[], now: number): void;
  judge(packet: RecordedPacket, now: number): Ruling;
  /** Takes note of what the node's own stack has answered to a packet that was handed to it. */
  answer(packet: RecordedPacket, now: number): void;
  servers(now: number): readonly ServerLines[];
  connections(now: number): readonly IpvsConnection[];
  /** `ipvsadm -Ln` with an option. */
  list(option: RecordedListing["option"], now: number): readonly string[];
}

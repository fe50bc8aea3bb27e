import type { DropReason, VerdictName } from "../trace/codes.js";
import type { TraceRecord } from "../trace/record.js";
import type { Step } from "../trace/steps.js";
import type { Build, MachineSource } from "./wasm.js";

export interface EngineOptions {
  /** Of every random choice; equal seeds and packets give equal outcomes. Of 64 bits, 0 or more; default 1. */
  readonly seed?: number | bigint;
  /** Connections that the table holds; default 65,535, at most 4,194,303. */
  readonly connections?: number;
  /**
   * Connections that IPVS' own table holds, templates too, and twice as many of IPv4 as of IPv6; default as `connections`.
   * A kernel's table has no end: here a first packet is dropped as FLOW_TABLE_FULL when it is full.
   */
  readonly ipvsConnections?: number;
  /**
   * Follows the windows of TCP connections, as nf_conntrack does, so that segments out of them are INVALID: TCP then takes
   * the long way, about three times as long. Default false, as though `net.netfilter.nf_conntrack_tcp_be_liberal` were 1
   * and every RST were believed.
   */
  readonly windows?: boolean;
  /**
   * `verify` checks the checksums of TCP, UDP, SCTP and ICMP as a kernel does without NIC offload (a wrong one makes a packet INVALID);
   * `offload` trusts them, as sysctl nf_conntrack_checksum = 0 does. Default `verify`.
   */
  readonly checksums?: "verify" | "offload";
  /**
   * Octets for fragments whose datagrams are not complete; default 512 KiB, at most 1 GiB. With 0 fragments are punted. A datagram
   * goes on whole if it fits its batch's slots (`frameLength`).
   */
  readonly fragments?: number;
  /** The machine's builds, for hosts that cannot read files: octets, or a `WebAssembly.Module` of them. */
  readonly wasm?: Readonly<Partial<Record<Build, MachineSource>>>;
  /**
   * Octets that the engine may take on a host without SharedArrayBuffer, where memory cannot grow in place; default
   * 256 MiB. Elsewhere it grows as needed, up to 2 GiB.
   */
  readonly memory?: number;
}

/** What the node sends about a packet that it dropped or refused: an ICMP error or a TCP reset. */
export interface Answer {
  /** In one line: what it says, from whom to whom. */
  readonly step: Step;
  /** FORWARD, or LOCAL where the node itself is told. */
  readonly verdict: VerdictName;
  /** Name of the interface it leaves by; undefined where it is delivered to the node itself. */
  readonly out: string | undefined;
  /** The frame as it leaves. */
  readonly frame: Uint8Array;
}

/** One packet's way and what became of it. */
export interface Trace {
  readonly steps: readonly Step[];
  readonly records: readonly TraceRecord[];
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  /** Name of the interface it leaves by; undefined unless it is forwarded. */
  readonly out: string | undefined;
  /** The frame as it leaves. */
  readonly frame: Uint8Array;
  /** The frames that leave instead of it: itself, or the fragments that its packet is sent in. */
  readonly frames: readonly Uint8Array[];
  /** What is sent back, where that was asked for; undefined for nothing. */
  readonly answer: Answer | undefined;
}

export interface PacketOptions {
  /** Interface it comes in by; default: the one its source is routed by, or none when the node itself made it. */
  readonly in?: string;
  /** Milliseconds of the caller's clock; an earlier time counts as the latest so far. Default 0. */
  readonly now?: number;
}

export interface FollowOptions extends PacketOptions {
  /** Whether the node answers what it drops or refuses, which may move its state on. Default false. */
  readonly answer?: boolean;
  /** What its choices come to, in their order, as an Outcome has them; without them they are the engine's own. */
  readonly choices?: readonly number[];
}

export interface ExploreOptions extends PacketOptions {
  /** Ways of the packet that are gone at most: RangeError beyond. Default 65,536, at most 4,194,304. */
  readonly limit?: number;
  /**
   * The outcomes' records are lent until the engine explores another packet, which spares the memory of many: TypeError
   * where they are read later. Default false: they are kept.
   */
  readonly lends?: boolean;
}

/** Octets of the live tables. */
export interface TableOctets {
  readonly all: number;
  /** What look-ups of IPv4 and IPv6 routes read, and the store that only changes need. */
  readonly routes: number;
  readonly routes6: number;
  readonly routeStore: number;
  readonly nextHops: number;
  readonly maps: number;
  readonly rules: number;
  readonly servers: number;
  readonly connections: number;
  /** IPVS' own. */
  readonly ipvsConnections: number;
  /** Of session affinity and other lists that rules fill. */
  readonly clients: number;
  /** For fragments whose datagrams are not complete. */
  readonly fragments: number;
}

import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { parsePcap } from "../../src/io/pcap.js";
import { parseIp4 } from "../../src/net/ip.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import type { Step } from "../../src/trace/steps.js";
import { haveCaptures, sharedCaptures, type Truth } from "../packet/shared-captures.js";

type Kind = "vxlan" | "geneve";

/** One tunnelled frame of a capture, and what tshark says is in it. */
interface Tunnelled {
  readonly kind: Kind;
  readonly bytes: Uint8Array;
  readonly truth: Truth;
}

function valuesOf(truth: Truth, field: string): readonly string[] {
  const value = truth[field];
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

const TUNNELLED = /^eth:ethertype:ip:udp:(vxlan|geneve):(eth|ip)/;

/** Frames of Ethernet, IPv4, UDP and a tunnel, whatever is in that. */
function tunnelledFrames(): Tunnelled[] {
  return sharedCaptures().flatMap(({ path, bytes, truth = [] }) => {
    if (!truth.some((frame) => TUNNELLED.test(String(frame["frame.protocols"])))) return [];
    return parsePcap(bytes, path).packets.flatMap((packet, index) => {
      const frame = truth[index];
      const kind = TUNNELLED.exec(String(frame?.["frame.protocols"]))?.[1] as Kind | undefined;
      return frame !== undefined && kind !== undefined ? [{ kind, bytes: packet.bytes, truth: frame }] : [];
    });
  });
}

const PROTOCOLS: Readonly<Record<string, string>> = { "1": "icmp", "6": "tcp", "17": "udp" };

/** A node with the frame's outer destination for an address, and a tunnel device with its VNI and port. */
function nodeFor({ kind, truth }: Tunnelled): Ruleset {
  const address = parseIp4(valuesOf(truth, "ip.dst")[0] ?? "") ?? 0;
  const vni = Number(valuesOf(truth, `${kind}.vni`)[0]);
  const port = Number(valuesOf(truth, "udp.dstport")[0]);
  return {
    node: "here",
    proxy: "iptables",
    interfaces: [
      { name: "eth0", kind: "uplink", mac: 2, mtu: 1500, addresses: [{ address, length: 32 }] },
      {
        name: "tunnel",
        kind,
        mac: 3,
        mtu: 1450,
        addresses: [],
        [kind]: { vni, port, local: address },
      },
    ],
    routes: [],
    neighbours: [],
    fdb: [],
    names: new Map(),
    diagnostics: [],
  };
}

/** What tshark saw inside, in the words of a trace's second parse step; undefined unless it is whole IPv4. */
function expectedInside(truth: Truth): Omit<Step, "stage" | "text"> | undefined {
  const inner = (field: string) => valuesOf(truth, field)[1] ?? "";
  const protocol = PROTOCOLS[inner("ip.proto")];
  if (valuesOf(truth, "eth.type")[1] !== "0x0800" || protocol === undefined) return undefined;
  const isUdp = protocol === "udp" ? 1 : 0;
  const port = (side: string) => valuesOf(truth, `${protocol}.${side}port`)[isUdp] ?? "";
  const end = (address: string, side: string) => (protocol === "icmp" ? address : `${address}:${port(side)}`);
  return { src: end(inner("ip.src"), "src"), dst: end(inner("ip.dst"), "dst"), protocol };
}

/** tshark's 0 is a wrong checksum, 1 a good one, 2 and 3 one that is not there to check. */
function isIntact(truth: Truth): boolean {
  const fields = ["ip.checksum.status", "udp.checksum.status"];
  return fields.every((field) => valuesOf(truth, field)[0] !== "0");
}

/** Of a VXLAN header's octets, all but the flag that a VNI is there, and the VNI. */
const RESERVED_BITS = [0xf7, 0xff, 0xff, 0xff, 0, 0, 0, 0xff];

/** Whether a VXLAN header has a bit set that RFC 7348 reserves: Linux drops such (vxlan_rcv). */
function hasReservedBit({ bytes, truth }: Tunnelled): boolean {
  const at = 14 + Number(valuesOf(truth, "ip.hdr_len")[0]) + 8;
  const header = [...bytes.subarray(at, at + 8)];
  return header.some((octet, index) => (octet & (RESERVED_BITS[index] ?? 0)) !== 0);
}

/** Why a frame is not let out of its tunnel at all; undefined where it is. */
function refusalOf(frame: Tunnelled): string | undefined {
  const { kind, truth } = frame;
  if (valuesOf(truth, "ip.src")[0]?.startsWith("127.")) return "MARTIAN";
  if (kind === "vxlan" && hasReservedBit(frame)) return "TUNNEL_HEADER";
  if (kind === "geneve") {
    if (valuesOf(truth, "geneve.proto_type")[0] !== "0x6558") return "TUNNEL_HEADER";
    if ((Number(valuesOf(truth, "geneve.flags")[0]) & 0x40) !== 0) return "TUNNEL_OPTION";
  }
  return isIntact(truth) ? undefined : "BAD_CHECKSUM";
}

/** Octets from the frame's start to the frame inside. */
function outerLength({ kind, truth }: Tunnelled): number {
  const options = kind === "geneve" ? Number(valuesOf(truth, "geneve.option.length")[0]) : 0;
  return 14 + Number(valuesOf(truth, "ip.hdr_len")[0]) + 8 + 8 + options;
}

function follow(frame: Tunnelled) {
  return Engine.load(nodeFor(frame), { connections: 16 }).then((engine) =>
    engine.follow(frame.bytes, { in: "eth0" }),
  );
}

/** What an engine's slots hold. */
const FRAME_MAX = 2000;

describe.skipIf(!haveCaptures)(
  "decapsulation of captured VXLAN and Geneve (skipped without the shared captures)",
  () => {
    it("finds inside what tshark finds inside, or refuses what it should", async () => {
      const compared = { vxlan: 0, geneve: 0 };
      const refused = new Map<string, number>();
      for (const frame of tunnelledFrames().filter(({ bytes }) => bytes.length <= FRAME_MAX)) {
        const expected = expectedInside(frame.truth);
        const { steps } = await follow(frame);
        const reason = refusalOf(frame);
        if (reason !== undefined) {
          expect(steps.at(-1)).toMatchObject({ stage: "drop", reason });
          refused.set(reason, (refused.get(reason) ?? 0) + 1);
          continue;
        }
        const [outer, decap, inner] = steps;
        const vni = Number(valuesOf(frame.truth, `${frame.kind}.vni`)[0]);
        expect(outer?.stage).toBe("parse");
        expect(decap).toMatchObject({ stage: "decap", vni });
        expect(decap?.text).toContain(`${frame.kind} vni ${vni}, `);
        if (expected === undefined) {
          expect(inner).toMatchObject({ stage: "punt", reason: "NOT_IP" });
          continue;
        }
        expect(inner).toMatchObject({ stage: "parse", ...expected });
        compared[frame.kind]++;
      }
      expect(compared.vxlan).toBeGreaterThan(100);
      expect(compared.geneve).toBeGreaterThan(20);
      expect([...refused.keys()].sort()).toEqual(
        expect.arrayContaining(["BAD_CHECKSUM", "MARTIAN", "TUNNEL_HEADER", "TUNNEL_OPTION"]),
      );
    });

    it("leaves the inner frame as it was captured", async () => {
      for (const frame of tunnelledFrames().filter(({ bytes }) => bytes.length <= FRAME_MAX)) {
        if (refusalOf(frame) !== undefined) continue;
        const { frame: left, reason } = await follow(frame);
        const start = outerLength(frame);
        const end = 14 + 20 + Number(valuesOf(frame.truth, "udp.length")[0]);
        expect(["NO_ROUTE", "NOT_IP"]).toContain(reason);
        expect(left).toEqual(new Uint8Array(frame.bytes.subarray(start, end)));
      }
    });
  },
);

import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { parsePcap } from "../../src/io/pcap.js";
import { parseIp4 } from "../../src/net/ip.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import type { Step } from "../../src/trace/steps.js";
import { haveCaptures, sharedCaptures, type Truth } from "../packet/shared-captures.js";

/** One VXLAN frame of a capture, and what tshark says is in it. */
interface Tunnelled {
  readonly bytes: Uint8Array;
  readonly truth: Truth;
}

function valuesOf(truth: Truth, field: string): readonly string[] {
  const value = truth[field];
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** Frames of Ethernet, IPv4, UDP, VXLAN and Ethernet, whatever is in that. */
function tunnelledFrames(): Tunnelled[] {
  return sharedCaptures().flatMap(({ path, bytes, truth = [] }) => {
    if (!truth.some((frame) => /^eth:ethertype:ip:udp:vxlan:eth/.test(String(frame["frame.protocols"]))))
      return [];
    return parsePcap(bytes, path).packets.flatMap((packet, index) => {
      const frame = truth[index];
      const protocols = String(frame?.["frame.protocols"]);
      const isTunnelled = /^eth:ethertype:ip:udp:vxlan:eth/.test(protocols);
      return frame !== undefined && isTunnelled ? [{ bytes: packet.bytes, truth: frame }] : [];
    });
  });
}

const PROTOCOLS: Readonly<Record<string, string>> = { "1": "icmp", "6": "tcp", "17": "udp" };

/** A node with the frame's outer destination for an address, and a VXLAN device with its VNI and port. */
function nodeFor(truth: Truth): Ruleset {
  const address = parseIp4(valuesOf(truth, "ip.dst")[0] ?? "") ?? 0;
  const vni = Number(valuesOf(truth, "vxlan.vni")[0]);
  const port = Number(valuesOf(truth, "udp.dstport")[0]);
  return {
    node: "here",
    proxy: "iptables",
    interfaces: [
      { name: "eth0", kind: "uplink", mac: 2, mtu: 1500, addresses: [{ address, length: 32 }] },
      {
        name: "vxlan",
        kind: "vxlan",
        mac: 3,
        mtu: 1450,
        addresses: [],
        vxlan: { vni, port, local: address },
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

async function stepsOf({ bytes, truth }: Tunnelled): Promise<readonly Step[]> {
  const engine = await Engine.load(nodeFor(truth), { connections: 16 });
  return engine.follow(bytes, { in: "eth0" }).steps;
}

describe.skipIf(!haveCaptures)(
  "decapsulation of captured VXLAN (skipped without the shared captures)",
  () => {
    it("finds inside what tshark finds inside", async () => {
      const frames = haveCaptures ? tunnelledFrames() : [];
      let compared = 0;
      for (const frame of frames) {
        const expected = expectedInside(frame.truth);
        const steps = await stepsOf(frame);
        if (!isIntact(frame.truth)) {
          expect(steps.at(-1)).toMatchObject({ stage: "drop", reason: "BAD_CHECKSUM" });
          continue;
        }
        const [outer, decap, inner] = steps;
        expect(outer?.stage).toBe("parse");
        expect(decap).toMatchObject({ stage: "decap", vni: Number(valuesOf(frame.truth, "vxlan.vni")[0]) });
        if (expected === undefined) {
          expect(inner).toMatchObject({ stage: "punt", reason: "NOT_IP4" });
          continue;
        }
        expect(inner).toMatchObject({ stage: "parse", ...expected });
        compared++;
      }
      expect(compared).toBeGreaterThan(100);
    });

    it("leaves the inner frame as it was captured", async () => {
      for (const { bytes, truth } of haveCaptures ? tunnelledFrames() : []) {
        if (!isIntact(truth)) continue;
        const engine = await Engine.load(nodeFor(truth), { connections: 16 });
        const { frame, reason } = engine.follow(bytes, { in: "eth0" });
        const innerLength = Number(valuesOf(truth, "udp.length")[0]) - 16;
        const start = 14 + Number(valuesOf(truth, "ip.hdr_len")[0]) + 16;
        expect(["NO_ROUTE", "NOT_IP4"]).toContain(reason);
        expect(frame).toEqual(new Uint8Array(bytes.subarray(start, start + innerLength)));
      }
    });
  },
);

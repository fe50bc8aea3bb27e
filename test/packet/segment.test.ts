import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { frame } from "../../src/packet/frame.js";
import { printPacket } from "../../src/packet/print.js";
import { type Flow, replyTo, SEGMENT_LEN, writeSegment } from "../../src/packet/segment.js";

const flows: fc.Arbitrary<Flow> = fc.record({
  protocol: fc.constantFrom("TCP", "UDP"),
  src: fc.nat(0xffffffff),
  srcPort: fc.nat(65535),
  dst: fc.nat(0xffffffff),
  dstPort: fc.nat(65535),
});

const GOOD = { ip: "good", l4: "good" };

function segmentOf(flow: Flow, kind: "opening" | "middle"): Uint8Array {
  const octets = new Uint8Array(SEGMENT_LEN).fill(0xaa);
  writeSegment(octets, flow, kind);
  return octets;
}

/** The same frame, written header by header. */
function builtOf({ protocol, src, srcPort, dst, dstPort }: Flow, kind: "opening" | "middle"): Uint8Array {
  const [from, to] = [`${printIp(src)}:${srcPort}`, `${printIp(dst)}:${dstPort}`];
  const flags = kind === "opening" ? { flags: "S" } : { flags: "A", seq: 1, ack: 1 };
  const built = protocol === "UDP" ? udp(from, to, { payload: 18 }) : tcp(from, to, flags);
  const padded = new Uint8Array(SEGMENT_LEN);
  padded.set(built);
  return padded;
}

describe("writeSegment", () => {
  it("writes what tcp and udp would", () => {
    fc.assert(
      fc.property(flows, fc.constantFrom("opening", "middle"), (flow, kind) => {
        const written = segmentOf(flow, kind);
        const [states, wanted] = [verifyChecksums(written), builtOf(flow, kind)];
        expect(states).toEqual(GOOD);
        // A sum of zero has two forms; apart from that all octets are the same.
        if (verifyChecksums(wanted).l4 === "good") expect(printPacket(written)).toBe(printPacket(wanted));
        expect(written.subarray(26, 50)).toEqual(wanted.subarray(26, 50));
      }),
    );
  });
});

describe("replyTo", () => {
  it("exchanges the ends, answers a SYN, and keeps the checksums good", () => {
    fc.assert(
      fc.property(flows, fc.constantFrom("opening", "middle"), (flow, kind) => {
        const reply = replyTo(segmentOf(flow, kind), false);
        const { src, srcPort, dst, dstPort } = flow;
        const back = { ...flow, src: dst, srcPort: dstPort, dst: src, dstPort: srcPort };
        expect(verifyChecksums(reply)).toEqual(GOOD);
        expect(reply.subarray(26, 38)).toEqual(segmentOf(back, kind).subarray(26, 38));
        if (flow.protocol === "TCP")
          expect(printPacket(reply)).toContain(kind === "opening" ? "Flags [S.]" : "Flags [.]");
      }),
    );
  });

  it("answers what is inside a tunnel", () => {
    const inner = tcp("10.244.1.7:41000", "10.244.2.9:8080");
    const outer = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 40000, dstPort: 8472 })
      .vxlan({ vni: 1 })
      .payload(inner)
      .bytes();
    expect(replyTo(outer, true)).toEqual(replyTo(inner, false));
  });
});

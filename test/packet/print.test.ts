import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import type { Frame, GeneveOptions } from "../../src/packet/frame.js";
import { printPacket } from "../../src/packet/print.js";

const ip4 = frame().eth().ip4({ src: "10.0.0.1", dst: "10.0.0.2" });
const ip6 = frame().eth().ip6({ src: "fd00::1", dst: "fd00::2" });
/** What an ICMP error quotes: a packet without its Ethernet header. */
const quoted = udp("10.0.0.2:9", "10.0.0.1:53").subarray(14);
const error = (type: number, code: number, seq = 0): string =>
  printPacket(ip4.icmp({ type, code, seq }).payload(quoted).bytes());

describe("printPacket", () => {
  it("prints TCP as tcpdump does", () => {
    expect(printPacket(tcp("10.244.1.7:41000", "10.96.12.3:80"))).toBe(
      "10.244.1.7.41000 > 10.96.12.3.80: Flags [S], seq 0, win 64240, length 0",
    );
    expect(printPacket(tcp("10.0.0.1:1", "10.0.0.2:2", { flags: "A", ack: 5 }))).toBe(
      "10.0.0.1.1 > 10.0.0.2.2: Flags [.], ack 5, win 64240, length 0",
    );
    expect(printPacket(tcp("[fd00::1]:1", "[fd00::2]:2", { flags: "FA", seq: 4294967295, payload: 2 }))).toBe(
      "IP6 fd00::1.1 > fd00::2.2: Flags [F.], seq 4294967295:1, ack 0, win 64240, length 2",
    );
    expect(printPacket(ip4.tcp({ srcPort: 1, dstPort: 2, flags: 0 }).bytes())).toContain("Flags [none], win");
    expect(printPacket(ip4.tcp({ srcPort: 1, dstPort: 2, flags: "FSRPAUEWe" }).bytes())).toContain(
      "[FSRP.UEWe]",
    );
  });

  it("prints TCP options", () => {
    const options = Uint8Array.of(
      ...[2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
      ...[5, 10, 0, 0, 0, 3, 0, 0, 0, 4, 30, 3, 255, 0],
    );
    expect(printPacket(ip4.tcp({ srcPort: 1, dstPort: 2, options }).bytes())).toContain(
      "options [mss 1460,nop,wscale 7,sackOK,TS val 1 ecr 2,sack 1 {3:4},unknown-30 0xff,eol], length 0",
    );
    const bad = Uint8Array.of(2, 3, 0, 8, 60, 0, 0, 0);
    expect(printPacket(ip4.tcp({ srcPort: 1, dstPort: 2, options: bad }).bytes())).toContain(
      "options [mss [bad opt],[bad opt]], length 0",
    );
    for (const length of [0, 1]) {
      const stuck = ip4.tcp({ srcPort: 1, dstPort: 2, options: Uint8Array.of(30, length, 1, 1) });
      expect(printPacket(stuck.bytes())).toContain("options [[bad opt]], length 0");
    }
  });

  it("prints UDP, ICMP and the others", () => {
    expect(printPacket(udp("10.0.0.1:1", "10.0.0.2:2", { payload: 12 }))).toBe(
      "10.0.0.1.1 > 10.0.0.2.2: UDP, length 12",
    );
    expect(printPacket(icmpEcho("10.0.0.1", "10.0.0.2", { id: 3, seq: 4 }))).toBe(
      "10.0.0.1 > 10.0.0.2: ICMP echo request, id 3, seq 4, length 64",
    );
    expect(printPacket(icmpEcho("fd00::1", "fd00::2", { reply: true, payload: 0 }))).toBe(
      "IP6 fd00::1 > fd00::2: ICMP6, echo reply, id 1, seq 1, length 8",
    );
    expect(printPacket(ip4.payload(9).bytes())).toBe("10.0.0.1 > 10.0.0.2: ip-proto-253, length 9");
    expect(
      printPacket(ip4.ip4({ src: "10.9.0.1", dst: "10.9.0.2" }).udp({ srcPort: 1, dstPort: 2 }).bytes()),
    ).toBe("10.0.0.1 > 10.0.0.2: 10.9.0.1.1 > 10.9.0.2.2: UDP, length 0 (ipip-proto-4)");
    expect(printPacket(frame().eth({ type: 0x88cc }).bytes())).toBe(
      "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88cc, length 14",
    );
    const sctp = frame().eth().ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 132 });
    expect(printPacket(sctp.payload(Uint8Array.of(0, 1, 0, 2)).bytes())).toBe(
      "10.0.0.1.1 > 10.0.0.2.2: sctp, length 4",
    );
  });

  it("says what an ICMP error is about", () => {
    const start = "10.0.0.1 > 10.0.0.2: ICMP";
    expect(error(3, 0)).toBe(`${start} net 10.0.0.1 unreachable, length 36`);
    expect(error(3, 1)).toBe(`${start} host 10.0.0.1 unreachable, length 36`);
    expect(error(3, 2)).toBe(`${start} 10.0.0.1 protocol 17 unreachable, length 36`);
    expect(error(3, 3)).toBe(`${start} 10.0.0.1 udp port 53 unreachable, length 36`);
    expect(error(3, 4, 1450)).toBe(`${start} 10.0.0.1 unreachable - need to frag (mtu 1450), length 36`);
    expect(error(11, 0)).toBe(`${start} time exceeded in-transit, length 36`);
    const port = tcp("[fd00::2]:9", "[fd00::1]:80").subarray(14);
    expect(printPacket(ip6.icmp6({ type: 1, code: 4 }).payload(port).bytes())).toBe(
      "IP6 fd00::1 > fd00::2: ICMP6, destination unreachable, unreachable port, fd00::1 tcp port 80, length 68",
    );
  });

  it.each([
    [0, "[|ether]"],
    [13, "[|ether]"],
    [14, "[|ip]"],
    [33, "[|ip]"],
    [34, "10.0.0.1 > 10.0.0.2: [|tcp]"],
    [38, "10.0.0.1.1 > 10.0.0.2.2: [|tcp]"],
    [53, "10.0.0.1.1 > 10.0.0.2.2: [|tcp]"],
    [54, "10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 0:9, win 64240, length 9"],
  ])("says where a segment cut after %i octets ends", (length, text) => {
    expect(printPacket(tcp("10.0.0.1:1", "10.0.0.2:2", { payload: 9 }).subarray(0, length))).toBe(text);
  });

  it("walks IPv6 extension headers up to the transport", () => {
    const hopByHop = Uint8Array.of(17, 0, 1, 4, 0, 0, 0, 0, ...[0, 1, 0, 2, 0, 8, 0, 0]);
    const behind = frame().eth().ip6({ src: "fd00::1", dst: "fd00::2", nextHeader: 0 }).payload(hopByHop);
    expect(printPacket(behind.bytes())).toBe("IP6 fd00::1.1 > fd00::2.2: UDP, length 0");
    const fragment = Uint8Array.of(17, 0, 0x05, 0xa9, 0, 0, 0, 1, ...[0, 1, 0, 2, 0, 8, 0, 0]);
    const middle = frame().eth().ip6({ src: "fd00::1", dst: "fd00::2", nextHeader: 44 }).payload(fragment);
    expect(printPacket(middle.bytes())).toBe(
      "IP6 fd00::1 > fd00::2: ip-proto-17, offset 1448, flags [+], length 8",
    );
  });

  it("takes what follows a later fragment's header for data, not for headers", () => {
    const fragment = Uint8Array.of(60, 0, 0x05, 0xa8, 0, 0, 0, 1, ...[6, 0, 0, 0, 0, 0, 0, 0]);
    const octets = frame()
      .eth()
      .ip6({ src: "fd00::1", dst: "fd00::2", nextHeader: 44 })
      .payload(fragment)
      .bytes();
    expect(printPacket(octets)).toBe(
      "IP6 fd00::1 > fd00::2: ip-proto-60, offset 1448, flags [none], length 8",
    );
  });

  it("prints a first fragment with its ports and the length that UDP promises", () => {
    const first = frame().eth().ip4({ src: "10.0.0.1", dst: "10.0.0.2", mf: true });
    expect(printPacket(first.udp({ srcPort: 1, dstPort: 2, length: 3000 }).payload(1472).bytes())).toBe(
      "10.0.0.1.1 > 10.0.0.2.2: UDP, length 2992, offset 0, flags [+]",
    );
  });

  it("takes a total length of 0 for offloaded segmentation", () => {
    const fields = { src: "10.0.0.1", dst: "10.0.0.2", totalLength: 0 } as const;
    const tso = frame().eth().ip4(fields).tcp({ srcPort: 1, dstPort: 2 }).payload(66000);
    expect(printPacket(tso.bytes())).toContain("length 66000");
    expect(describePacket(tso.bytes()).srcPort).toBe(1);
  });

  it("prints whom an ARP request believes to know", () => {
    const options = { senderMac: 1, senderIp: "10.0.0.1", targetIp: "10.0.0.2" } as const;
    expect(
      printPacket(
        frame()
          .eth()
          .arp({ ...options, targetMac: 0xa })
          .bytes(),
      ),
    ).toBe("ARP, Request who-has 10.0.0.2 (00:00:00:00:00:0a) tell 10.0.0.1, length 28");
    expect(
      printPacket(
        frame()
          .eth()
          .arp({ ...options, operation: 3 })
          .bytes(),
      ),
    ).toBe("ARP, Unknown (3), length 28");
  });

  it("stops looking in packets in packets, long before the stack ends", () => {
    let [ipip, vxlan]: [Frame, Frame] = [ip4, ip4];
    for (let depth = 0; depth < 1000; depth++) {
      ipip = ipip.ip4({ src: "10.0.0.1", dst: "10.0.0.2" });
      if (depth < 20)
        vxlan = vxlan.udp({ srcPort: 1, dstPort: 4789 }).vxlan({ vni: depth }).eth().ip4({ src: 1, dst: 2 });
    }
    for (const octets of [ipip.bytes(), vxlan.bytes()]) {
      expect(printPacket(octets)).toContain("[nested too deep]");
      expect(JSON.stringify(describePacket(octets)).length).toBeLessThan(5000);
      expect(verifyChecksums(octets).ip).toBe("good");
    }
  });
});

const frames: readonly Uint8Array[] = [
  tcp("10.0.0.1:1", "10.0.0.2:2", { payload: 9 }),
  ip4
    .tcp({
      srcPort: 1,
      dstPort: 2,
      options: Uint8Array.of(2, 4, 5, 180, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 2),
    })
    .bytes(),
  udp("[fd00::1]:1", "[fd00::2]:2", { payload: 9 }),
  ip4.icmp({ type: 3, code: 3 }).payload(quoted).bytes(),
  ip6.icmp6({ type: 135 }).payload(16).bytes(),
  ip4.udp({ srcPort: 1, dstPort: 8472 }).vxlan({ vni: 5 }).payload(tcp("10.0.0.1:1", "10.0.0.2:2")).bytes(),
  frame().eth().vlan({ id: 1 }).vlan({ id: 2 }).arp({ senderMac: 1, senderIp: 2, targetIp: 3 }).bytes(),
  frame()
    .eth()
    .ip6({ src: 1n, dst: 2n, nextHeader: 0 })
    .payload(Uint8Array.of(44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1))
    .bytes(),
];

/** A real frame with a few octets changed, then cut: random octets alone hardly get past the EtherType. */
const mutated = fc
  .tuple(
    fc.constantFrom(...frames),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
    fc.option(fc.nat()),
  )
  .map(([octets, changes, cut]) => {
    const copy = Uint8Array.from(octets);
    for (const [at, octet] of changes) copy[at % copy.length] = octet;
    return cut === null ? copy : copy.subarray(0, cut % (copy.length + 1));
  });

describe("printPacket, describePacket and verifyChecksums", () => {
  it("never throw, and print one line of plain text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (octets) => {
        expect(printPacket(octets)).toMatch(/^[ -~]+$/);
        expect(describePacket(octets).length).toBe(octets.length);
        expect(verifyChecksums(octets)).toHaveProperty("l4");
      }),
      { numRuns: 3000 },
    );
  });

  it("agree on a cut: every beginning of every frame prints", () => {
    for (const octets of frames) {
      for (let length = 0; length <= octets.length; length++) {
        expect(printPacket(octets.subarray(0, length))).toMatch(/^[ -~]+$/);
      }
    }
  });
});

describe("describePacket", () => {
  it("tells what is in a frame, and in the frame inside", () => {
    const inner = tcp("10.244.1.7:41000", "10.244.2.9:8080", { ttl: 63 });
    const outer = frame()
      .eth()
      .vlan({ id: 12 })
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 50000, dstPort: 8472 })
      .vxlan({ vni: 1 });
    expect(describePacket(outer.payload(inner).bytes())).toEqual({
      length: 108,
      protocol: "udp",
      srcMac: "02:00:00:00:00:01",
      dstMac: "02:00:00:00:00:02",
      vlans: [12],
      src: "172.18.0.3",
      dst: "172.18.0.4",
      srcPort: 50000,
      dstPort: 8472,
      ttl: 64,
      vxlan: {
        vni: 1,
        inner: { ...describePacket(inner), src: "10.244.1.7", dstPort: 8080, ttl: 63, flags: "S" },
      },
    });
  });

  it("tells what is in Geneve, where that is an Ethernet frame", () => {
    const inner = tcp("10.244.1.7:41000", "10.244.2.9:8080");
    const outer = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 50000, dstPort: 6081 });
    const around = (fields: Partial<GeneveOptions>) =>
      outer
        .geneve({ vni: 7, options: new Uint8Array(8), ...fields })
        .payload(inner)
        .bytes();
    expect(describePacket(around({})).geneve).toEqual({ vni: 7, inner: describePacket(inner) });
    expect(describePacket(around({ type: 0x0800 })).geneve).toEqual({ vni: 7 });
    expect(printPacket(around({ type: 0x0800, control: true }))).toContain(
      "Geneve, Flags [O], vni 0x7, proto 0x0800, options [8 bytes]",
    );
    expect(printPacket(around({ version: 2 }))).toContain("Geneve ERROR: unknown-version 2");
    const cut = outer.payload(Uint8Array.of(2, 0, 0x65, 0x58, 0, 0, 7, 0)).bytes();
    expect(printPacket(cut)).toContain("Geneve [|geneve]");
    expect(describePacket(cut).geneve).toBeUndefined();
  });

  it("says so when a frame is cut, malformed or a fragment", () => {
    expect(describePacket(new Uint8Array(3))).toEqual({ length: 3, protocol: "truncated" });
    expect(describePacket(ip4.bytes().subarray(0, 20)).protocol).toBe("truncated");
    const fields = { src: "10.0.0.1", dst: "10.0.0.2" } as const;
    expect(
      describePacket(
        frame()
          .eth()
          .ip4({ ...fields, version: 6 })
          .bytes(),
      ).protocol,
    ).toBe("malformed");
    const fragment = frame()
      .eth()
      .ip4({ ...fields, fragmentOffset: 8, protocol: 6 })
      .payload(20)
      .bytes();
    expect(describePacket(fragment)).toMatchObject({ protocol: "tcp", fragment: { offset: 8, more: false } });
    expect(describePacket(fragment)).not.toHaveProperty("srcPort");
  });
});

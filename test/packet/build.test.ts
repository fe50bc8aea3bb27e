import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printIp } from "../../src/net/ip.js";
import { printHostPort } from "../../src/net/port.js";
import { arp, frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { printPacket } from "../../src/packet/print.js";

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
const ADDRESSES = { src: "10.0.0.1", dst: "10.0.0.2" } as const;
const ip4 = frame().eth().ip4(ADDRESSES);

describe("tcp", () => {
  it("lays out a SYN octet by octet", () => {
    const octets = tcp("10.244.1.7:41000", "10.96.12.3:80", {
      srcMac: "0a:58:0a:f4:01:07",
      dstMac: "0a:58:0a:f4:01:01",
    });
    // Checksums added up by hand.
    const eth = "0a580af40101 0a580af40107 0800";
    const ip4 = "4500 0028 0000 4000 4006 1873 0af40107 0a600c03";
    const tcp4 = "a028 0050 00000000 00000000 5002 faf0 f21b 0000";
    expect(hex(octets)).toBe([eth, ip4, tcp4].join("").replaceAll(" ", ""));
  });

  it("takes flags, payload, TTL, TOS, identification and numbers", () => {
    const options = { flags: "PA", payload: "hello", ttl: 3, tos: 0xb8, id: 7, seq: 9, ack: 8, window: 1 };
    const octets = tcp("10.0.0.1:1", "10.0.0.2:2", options);
    expect(printPacket(octets)).toBe("10.0.0.1.1 > 10.0.0.2.2: Flags [P.], seq 9:14, ack 8, win 1, length 5");
    expect(describePacket(octets)).toMatchObject({ ttl: 3, length: 59 });
    expect(octets[15]).toBe(0xb8);
    expect(hex(octets.subarray(18, 20))).toBe("0007");
    expect(new TextDecoder().decode(octets.subarray(54))).toBe("hello");
  });

  it("fills a payload given by length with a pattern that counts", () => {
    expect([...tcp("10.0.0.1:1", "10.0.0.2:2", { payload: 258 }).subarray(54)].slice(254)).toEqual([
      254, 255, 0, 1,
    ]);
  });

  it.each(["10.0.0.1", "10.0.0.1:65536", "10.0.0.256:1", "fd00::1:80", "", "web:80"])(
    "refuses «%s»",
    (text) => {
      expect(() => tcp(text, "10.0.0.2:2")).toThrow(TypeError);
      expect(() => tcp("10.0.0.2:2", text)).toThrow(`«${text}» is no IP:port; write it as 10.244.1.7:41000`);
    },
  );

  it("refuses unknown flags, bad MAC addresses and mixed IP versions in a sentence", () => {
    expect(() => tcp("10.0.0.1:1", "10.0.0.2:2", { flags: "SX" })).toThrow(
      new TypeError("«SX» are no TCP flags; write letters of FSRPAUEWe, as in SA."),
    );
    expect(() => tcp("10.0.0.1:1", "10.0.0.2:2", { srcMac: "02:00" })).toThrow("«02:00» is no MAC address");
    expect(() => tcp("10.0.0.1:1", "[fd00::2]:2")).toThrow(
      "10.0.0.1 and fd00::2 are of different IP versions",
    );
    expect(() => tcp("10.0.0.1:1", "10.0.0.2:2", { payload: 70000 })).toThrow(RangeError);
  });
});

const port = fc.nat({ max: 65535 });
const families = fc.oneof(
  fc.tuple(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff })),
  fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })),
);

describe("tcp, udp and icmpEcho", () => {
  it("have good checksums and say back what they were told, whatever that is", () => {
    fc.assert(
      fc.property(
        families,
        port,
        port,
        fc.uint8Array({ maxLength: 64 }),
        ([src, dst], srcPort, dstPort, payload) => {
          const [from, to] = [printHostPort(src, srcPort), printHostPort(dst, dstPort)];
          const packets = {
            tcp: tcp(from, to, { payload, flags: "A" }),
            udp: udp(from, to, { payload }),
            icmp: icmpEcho(printIp(src), printIp(dst), { payload }),
          };
          const ip = typeof src === "number" ? "good" : "absent";
          for (const octets of Object.values(packets)) {
            expect(verifyChecksums(octets)).toMatchObject({ ip, l4: "good" });
            expect(describePacket(octets)).toMatchObject({ src: printIp(src), dst: printIp(dst), ttl: 64 });
          }
          expect(describePacket(packets.tcp)).toMatchObject({
            protocol: "tcp",
            srcPort,
            dstPort,
            flags: ".",
          });
          expect(describePacket(packets.udp)).toMatchObject({ protocol: "udp", srcPort, dstPort });
          expect(packets.tcp.subarray(-payload.length || Infinity)).toEqual(payload);
        },
      ),
    );
  });

  it("writes a computed UDP checksum of 0 as ffff", () => {
    const without = ip4.udp({ srcPort: 0, dstPort: 0 }).payload(new Uint8Array(2)).bytes();
    const filler = without.subarray(40, 42); // a payload equal to the checksum brings the sum to ffff
    const octets = ip4.udp({ srcPort: 0, dstPort: 0 }).payload(filler).bytes();
    expect(hex(octets.subarray(40, 42))).toBe("ffff");
    expect(verifyChecksums(octets).l4).toBe("good");
  });
});

describe("arp", () => {
  it("asks all, and answers one", () => {
    const request = arp("10.0.0.1", "10.0.0.2", { srcMac: "02:00:00:00:00:0a" });
    expect(printPacket(request)).toBe("ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
    expect(describePacket(request)).toMatchObject({ dstMac: "ff:ff:ff:ff:ff:ff", protocol: "arp" });
    const reply = arp("10.0.0.2", "10.0.0.1", { reply: true, srcMac: "02:00:00:00:00:0b" });
    expect(printPacket(reply)).toBe("ARP, Reply 10.0.0.2 is-at 02:00:00:00:00:0b, length 28");
  });
});

describe("frame", () => {
  it("puts a frame into Geneve with its options", () => {
    const outer = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 50000, dstPort: 6081 });
    const inside = tcp("10.244.1.7:41000", "10.244.2.9:8080");
    const options = Uint8Array.of(1, 2, 0x80, 1, 0, 1, 0, 2);
    const octets = outer.geneve({ vni: 0xabcdef, critical: true, options }).payload(inside).bytes();
    expect(Buffer.from(octets.subarray(42, 58)).toString("hex")).toBe("02406558abcdef000102800100010002");
    expect(printPacket(octets)).toBe(
      "172.18.0.3.50000 > 172.18.0.4.6081: Geneve, Flags [C], vni 0xabcdef, options [8 bytes]: " +
        "10.244.1.7.41000 > 10.244.2.9.8080: Flags [S], seq 0, win 64240, length 0",
    );
    expect(verifyChecksums(octets)).toEqual({ ip: "good", l4: "good", inner: { ip: "good", l4: "good" } });
    expect(() => outer.geneve({ vni: 1, options: new Uint8Array(256) }).bytes()).toThrow("geneve.options");
    expect(() => outer.geneve({ vni: 2 ** 24 }).bytes()).toThrow("geneve.vni: 16777216");
  });

  it("puts a frame into VXLAN with lengths, types and checksums computed from inside out", () => {
    const octets = frame()
      .eth({ src: "02:00:00:00:01:01", dst: "02:00:00:00:01:02" })
      .vlan({ id: 7, priority: 3 })
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 50000, dstPort: 8472 })
      .vxlan({ vni: 0xabcdef })
      .eth()
      .ip4({ src: "10.244.1.7", dst: "10.244.2.9" })
      .tcp({ srcPort: 41000, dstPort: 8080 })
      .payload(10)
      .bytes();
    expect(printPacket(octets)).toBe(
      "vlan 7, p 3, 172.18.0.3.50000 > 172.18.0.4.8472: VXLAN, flags [I] (0x08), vni 11259375: " +
        "10.244.1.7.41000 > 10.244.2.9.8080: Flags [S], seq 0:10, win 64240, length 10",
    );
    expect(octets.length).toBe(4 + 50 + 14 + 20 + 20 + 10);
    expect(verifyChecksums(octets)).toEqual({ ip: "good", l4: "good", inner: { ip: "good", l4: "good" } });
  });

  it("can be continued in several ways from one beginning", () => {
    expect(printPacket(ip4.udp({ srcPort: 1, dstPort: 2 }).bytes())).toContain("UDP, length 0");
    expect(printPacket(ip4.icmp({ type: 0 }).bytes())).toContain("ICMP echo reply");
  });

  it("fills options up to whole words", () => {
    const options = Uint8Array.of(2, 4, 0x05, 0xb4, 1, 3, 3);
    const octets = ip4.tcp({ srcPort: 1, dstPort: 2, options }).bytes();
    expect(octets.length).toBe(14 + 20 + 28);
    const withOptions = frame()
      .eth()
      .ip4({ ...ADDRESSES, options: Uint8Array.of(1) });
    expect(printPacket(withOptions.udp({ srcPort: 1, dstPort: 2 }).bytes())).toContain("UDP, length 0");
    expect(verifyChecksums(octets)).toEqual({ ip: "good", l4: "good" });
  });

  it("makes frames that are wrong on purpose", () => {
    const wrong = (fields: object) =>
      frame()
        .eth()
        .ip4({ ...ADDRESSES, ...fields })
        .udp({ srcPort: 1, dstPort: 2 });
    expect(printPacket(wrong({ ihl: 4 }).bytes())).toBe("IP bad-hlen 16");
    expect(printPacket(wrong({ version: 5 }).bytes())).toBe("IP wrong version 5");
    expect(printPacket(wrong({ totalLength: 8 }).bytes())).toBe("IP bad-len 8");
    expect(verifyChecksums(wrong({ checksum: 1 }).bytes())).toEqual({ ip: "bad", l4: "good" });
    expect(printPacket(wrong({ fragmentOffset: 1480, mf: true }).bytes())).toContain(
      "ip-proto-17, offset 1480, flags [+]",
    );
    expect(printPacket(ip4.udp({ srcPort: 1, dstPort: 2, length: 100 }).bytes())).toContain(
      "UDP, bad length 92 > 0",
    );
    expect(printPacket(ip4.udp({ srcPort: 1, dstPort: 2, length: 7 }).bytes())).toContain(
      "truncated-udplength 7",
    );
    expect(printPacket(ip4.tcp({ srcPort: 1, dstPort: 2, dataOffset: 4 }).bytes())).toContain(
      "bad hdr length 16",
    );
    expect(describePacket(frame().eth({ type: 0x88cc }).bytes()).protocol).toBe("ethertype-0x88cc");
  });

  it("refuses numbers that do not fit and addresses of the wrong kind", () => {
    expect(() => ip4.udp({ srcPort: 65536, dstPort: 1 }).bytes()).toThrow(
      "udp.srcPort: 65536 is no unsigned number of 16 bits.",
    );
    expect(() => ip4.icmp({ type: -1 }).bytes()).toThrow(RangeError);
    expect(() => frame().eth().ip4({ src: "fd00::1", dst: "10.0.0.1" })).toThrow(
      "«fd00::1» is no IPv4 address",
    );
    expect(() => frame().eth().ip6({ src: "fd00::1", dst: "10.0.0.1" })).toThrow(
      "«10.0.0.1» is no IPv6 address",
    );
    expect(() =>
      frame()
        .eth()
        .vxlan({ vni: 2 ** 24 })
        .bytes(),
    ).toThrow("vxlan.vni: 16777216");
  });
});

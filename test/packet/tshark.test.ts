import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writePcap } from "../../src/io/pcap.js";
import { arp, frame, icmpEcho, sctp, tcp, udp } from "../../src/packet/build.js";

const haveTshark = spawnSync("tshark", ["--version"]).status === 0;
const CHECKS = ["ip", "tcp", "udp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]);
const FIELDS = [
  "frame.protocols",
  "frame.len",
  "frame.time_epoch",
  "ip.checksum.status",
  "tcp.checksum.status",
];
const MORE = ["udp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", "_ws.malformed"];
const SCTP = ["-o", "sctp.checksum:crc-32c"];

/** What tshark reads in a capture of these packets: a row a packet, the outermost header's value first. */
function dissect(packets: readonly Uint8Array[], columns = [...FIELDS, ...MORE]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "packetyard-tshark-"));
  try {
    const file = join(folder, "built.pcap");
    const stamped = packets.map((bytes, index) => ({
      bytes,
      timestampNs: 1_700_000_000_000_000_001n + BigInt(index),
    }));
    writeFileSync(file, writePcap({ packets: stamped, nanosecond: true }));
    const fields = columns.flatMap((field) => ["-e", field]);
    const vxlan = ["-d", "udp.port==8472,vxlan"];
    const args = ["-r", file, "-T", "fields", "-E", "separator=|", ...CHECKS, ...SCTP, ...vxlan, ...fields];
    return execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trimEnd()
      .split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(!haveTshark)("built packets, in tshark (skipped where it is not installed)", () => {
  it("are what they should be, with good checksums", () => {
    const inner = frame()
      .eth()
      .ip4({ src: "10.244.1.7", dst: "10.244.2.9" })
      .tcp({ srcPort: 1, dstPort: 2 })
      .bytes();
    const outer = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 5, dstPort: 8472 });
    const toGeneve = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 5, dstPort: 6081 });
    const rows = dissect([
      tcp("10.244.1.7:41000", "10.96.12.3:80"),
      tcp("10.244.1.7:41000", "10.96.12.3:81", { flags: "PA", payload: 7, ttl: 1 }),
      tcp("[fd00::7]:41000", "[fd00::3]:81", { payload: 5 }),
      udp("10.244.1.7:41000", "10.96.12.3:9", { payload: 9 }),
      udp("[fd00::7]:41000", "[fd00::3]:9", { payload: 9 }),
      icmpEcho("10.244.1.7", "10.96.12.3"),
      icmpEcho("fd00::7", "fd00::3"),
      arp("10.244.1.7", "10.244.1.1"),
      outer.vxlan({ vni: 1 }).payload(inner).bytes(),
      toGeneve
        .geneve({ vni: 1, options: Uint8Array.of(1, 2, 3, 1, 0, 1, 0, 2) })
        .payload(inner)
        .bytes(),
    ]);
    expect(rows.map((row) => row.replace(/:data\b/, ""))).toEqual([
      "eth:ethertype:ip:tcp|54|1700000000.000000001|1|1||||",
      "eth:ethertype:ip:tcp|61|1700000000.000000002|1|1||||",
      "eth:ethertype:ipv6:tcp|79|1700000000.000000003||1||||",
      "eth:ethertype:ip:udp|51|1700000000.000000004|1||1|||",
      "eth:ethertype:ipv6:udp|71|1700000000.000000005|||1|||",
      "eth:ethertype:ip:icmp|98|1700000000.000000006|1|||1||",
      "eth:ethertype:ipv6:icmpv6|118|1700000000.000000007|||||1|",
      "eth:ethertype:arp|42|1700000000.000000008||||||",
      "eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp|104|1700000000.000000009|1,1|1|1|||",
      "eth:ethertype:ip:udp:geneve:eth:ethertype:ip:tcp|112|1700000000.000000010|1,1|1|1|||",
    ]);
  });

  it("are so behind extension headers, and of SCTP", () => {
    const options = (kind: number) => ({ kind, options: Uint8Array.of(1, 4, 0, 0, 0, 0) });
    const extended = frame()
      .eth()
      .ip6({ src: "fd00::7", dst: "fd00::3" })
      .extension(options(0))
      .extension(options(60));
    const columns = ["frame.protocols", "tcp.checksum.status", "sctp.checksum.status", "sctp.chunk_type"];
    const rows = dissect(
      [
        extended.tcp({ srcPort: 1, dstPort: 2 }).bytes(),
        extended
          .extension({ kind: 51, options: new Uint8Array(14) })
          .tcp({ srcPort: 1, dstPort: 2 })
          .bytes(),
        sctp("10.244.1.7:41000", "10.96.12.3:80"),
        sctp("[fd00::7]:41000", "[fd00::3]:80", { chunk: "DATA", payload: 15 }),
        sctp("[fd00::7]:41000", "[fd00::3]:80", { chunk: "ABORT", payload: 0 }),
        frame()
          .eth()
          .ip4({ src: "10.0.0.1", dst: "10.0.0.2" })
          .sctp({ srcPort: 1, dstPort: 2, checksum: 7 })
          .bytes(),
      ],
      [...columns, "_ws.malformed"],
    );
    expect(rows.map((row) => row.replace(/:data\b/, ""))).toEqual([
      "eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:tcp|1|||",
      "eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:ah:tcp|1|||",
      "eth:ethertype:ip:sctp||1|1|",
      "eth:ethertype:ipv6:sctp||1|0|",
      "eth:ethertype:ipv6:sctp||1|6|",
      "eth:ethertype:ip:sctp||0||",
    ]);
  });
});

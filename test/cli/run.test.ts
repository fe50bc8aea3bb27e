import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { clockOf } from "../../src/cli/replay.js";
import { type Capture, type PacketToWrite, parsePcap, writePcap } from "../../src/io/pcap.js";
import { arp, tcp, udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { printPacket } from "../../src/packet/print.js";
import { fragmentsOf } from "../fragments-of.js";
import { sharedCaptures } from "../packet/shared-captures.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { contentOf, type Outcome, packetyard, withFolder } from "./packetyard.js";

const SECOND = 1_000_000_000n;
const START = 1_700_000_000n * SECOND;
const CART = "10.244.1.7:41000";

const at = (bytes: Uint8Array, offset: bigint, originalLength = bytes.length): PacketToWrite => ({
  bytes,
  timestampNs: START + offset,
  originalLength,
});

/** One packet of every fate. */
const MIXED: readonly PacketToWrite[] = [
  at(tcp(CART, "10.96.0.10:80"), 0n),
  at(tcp(CART, "10.96.0.99:80"), 1_000n),
  at(arp("10.244.1.7", "10.244.1.1"), 2_000n),
  at(udp(CART, "10.244.2.9:53", { payload: 100 }), SECOND),
  at(tcp(CART, "10.96.0.20:80").slice(0, 40), SECOND + 1_000n, 54),
  at(tcp(CART, "10.244.1.1:22"), SECOND + 2_000n),
  at(tcp(CART, "10.96.0.20:80"), 3n * SECOND),
];

interface Ran extends Outcome {
  /** What `--write` wrote, if anything. */
  readonly written: Capture | undefined;
}

/** Runs packets through worker-1 of the small cluster, or the cluster that is given. */
function run(packets: readonly PacketToWrite[], args: readonly string[] = [], cluster = SMALL_CLUSTER): Ran {
  return withFolder((folder) => {
    const [input, manifests, output] = ["in.pcap", "cluster.yaml", "out.pcap"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    writeFileSync(input, writePcap({ packets, nanosecond: true }));
    writeFileSync(manifests, cluster);
    const outcome = packetyard([
      "run",
      "-f",
      manifests,
      "--node",
      "worker-1",
      "--pcap",
      input,
      "--write",
      output,
      ...args,
    ]);
    expect(contentOf(folder).filter((name) => name.startsWith("."))).toEqual([]);
    const written = existsSync(output)
      ? parsePcap(new Uint8Array(readFileSync(output)), "out.pcap")
      : undefined;
    return { ...outcome, written };
  });
}

describe("packetyard run", () => {
  it("counts every packet by what became of it", () => {
    const { stdout, stderr, code } = run(MIXED);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "VERDICT   PACKETS  REASON",
        "forward         3",
        "reject          1  ICMP port unreachable",
        "punt            1  neither IPv4 nor IPv6",
        "drop            1  the frame is shorter than its headers say",
        "local           1",
        "total           7",
        "",
      ].join("\n"),
    );
    expect(stderr).toMatch(/^wrote 3 of 7 packets to .*out\.pcap$/m);
  });

  it("writes what the node sends about packets that do not leave it, where asked to", () => {
    for (const output of [[], ["-o", "wide"]]) {
      const { written, stderr, code } = run(MIXED, ["--answers", ...output]);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^wrote 3 of 7 packets and 1 answer to .*out\.pcap$/m);
      const answer = written?.packets.find(({ bytes }) => printPacket(bytes).includes("ICMP"));
      expect(written?.packets).toHaveLength(4);
      expect(answer?.timestampNs).toBe(START + 1_000n);
      expect(printPacket(answer?.bytes ?? new Uint8Array(0))).toMatch(
        /^10\.244\.1\.1 > 10\.244\.1\.7: ICMP 10\.96\.0\.99 tcp port 80 unreachable/,
      );
    }
    const { stderr, code } = packetyard(["run", "--pcap", "in.pcap", "--answers"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--answers goes with --write")]);
  });

  it("writes what leaves in fragments as such, once all have come", () => {
    const whole = udp(CART, "10.244.2.9:53", { payload: 4_000, id: 9 });
    const fragments = fragmentsOf(whole, [1_304, 1_304]);
    for (const output of [[], ["-o", "wide"]]) {
      const { stdout, stderr, written } = run(
        fragments.map((one, index) => at(one, BigInt(index))),
        output,
      );
      expect(stdout).toMatch(/\bhold\b/);
      expect(stderr).toMatch(/^wrote 1 of 3 packets in 3 frames to .*out\.pcap$/m);
      const inner = written?.packets.map(({ bytes }) => describePacket(bytes).vxlan?.inner.fragment?.offset);
      expect(inner).toEqual([0, 1_400, 2_800]);
    }
  });

  it("is not written over itself", () => {
    withFolder((folder) => {
      const file = join(folder, "in.pcap");
      const capture = writePcap({ packets: MIXED, nanosecond: true });
      writeFileSync(file, capture);
      const same = join(folder, ".", "..", basename(folder), "in.pcap");
      const { stderr, code } = packetyard(["run", "--pcap", file, "--write", same]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("--write names the capture that is read")]);
      expect(new Uint8Array(readFileSync(file))).toEqual(capture);
    });
  });

  it("counts the same for programs", () => {
    const data = JSON.parse(run(MIXED, ["-o", "json"]).stdout);
    expect(data).toMatchObject({ apiVersion: "packetyard/v1", kind: "Run", node: "worker-1", packets: 7 });
    expect(data.verdicts).toContainEqual({ verdict: "PUNT", reason: "NOT_IP", packets: 1 });
    expect(data.verdicts).toContainEqual({ verdict: "FORWARD", reason: null, packets: 3 });
    expect(data.written).toMatchObject({ packets: 3, answers: 0 });
  });

  it("tells every packet's fate, and what refused it", () => {
    const { stdout, code } = run(MIXED, ["-o", "wide"]);
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ["NUMBER", "VERDICT", "OUT"],
      ["1", "forward", "cni0"],
      ["2", "reject", "-"],
      ["3", "punt", "-"],
      ["4", "forward", "eth0"],
      ["5", "drop", "-"],
      ["6", "local", "-"],
      ["7", "forward", "eth0"],
    ]);
    expect(rows[1]?.[4]).toMatch(
      /^10\.244\.1\.7\.41000 > 10\.96\.0\.10\.80: .* → 10\.244\.1\.7\.41000 > 10\.244\.1\.8\.8080: /,
    );
    expect(rows[2]?.[3]).toBe("ICMP port unreachable: shop/empty:http has no endpoints");
    expect(rows[3]?.slice(3)).toEqual(["neither IPv4 nor IPv6", expect.stringMatching(/^ARP, .*[^→]+$/)]);
  });

  it.each(["iptables", "ipvs", "nftables"])("tells of each what it counts of all in mode %s", (mode) => {
    const more = Array.from({ length: 30 }, (_, index) =>
      at(udp(`10.244.1.7:${9000 + index}`, "10.96.12.53:53"), 4n * SECOND),
    );
    const packets = [...MIXED, ...more, ...more];
    const example = readFileSync("examples/shop.yaml", "utf8");
    const counted = run(packets, ["--mode", mode, "-o", "json"], example);
    const told = run(packets, ["--mode", mode, "-o", "json", "--packets"], example);
    const { perPacket, ...rest } = JSON.parse(told.stdout);
    // Each ran in a folder of its own.
    const elsewhere = { pcap: "", written: {} };
    expect({ ...rest, ...elsewhere }).toEqual({ ...JSON.parse(counted.stdout), ...elsewhere });
    expect(told.written).toEqual(counted.written);
    expect(perPacket.map(({ number }: { number: number }) => number)).toEqual(
      packets.map((_, index) => index + 1),
    );
    const left = perPacket.filter(({ verdict }: { verdict: string }) => verdict === "FORWARD");
    expect(left.map(({ after }: { after: string }) => after)).toEqual(
      counted.written?.packets.map(({ bytes }) => printPacket(bytes)),
    );
  });

  it("tells of each the same for programs", () => {
    const { perPacket } = JSON.parse(run(MIXED, ["-o", "json", "--packets"]).stdout);
    expect(perPacket[1]).toEqual({
      number: 2,
      verdict: "REJECT",
      reason: expect.any(String),
      words: "ICMP port unreachable: shop/empty:http has no endpoints",
      in: "cni0",
      out: null,
      before: printPacket(MIXED[1]?.bytes ?? new Uint8Array()),
      after: null,
    });
    expect(perPacket[0]).toMatchObject({ reason: null, words: "", in: "cni0", out: "cni0" });
    expect(JSON.parse(run(MIXED, ["-o", "json"]).stdout)).not.toHaveProperty("perPacket");
  });

  it("writes the packets to stdout, and the table to stderr then", () => {
    withFolder((folder) => {
      const input = join(folder, "in.pcap");
      writeFileSync(input, writePcap({ packets: MIXED, nanosecond: true }));
      const args = ["dist/src/cli/main.js", "run", "-f", "-", "--pcap", input, "--write", "-"];
      const { stdout, stderr } = spawnSync(process.execPath, args, { input: SMALL_CLUSTER });
      expect(parsePcap(new Uint8Array(stdout), "stdout")).toEqual(run(MIXED).written);
      expect(stderr.toString()).toMatch(/^wrote 3 of 7 packets to stdout\nVERDICT .*\n(.+\n)+total {11}7\n/m);
      expect(contentOf(folder)).toEqual(["in.pcap"]);
    });
  });

  it("chooses by the seed", () => {
    const packets = Array.from({ length: 20 }, (_, index) =>
      at(udp(`10.244.1.7:${5000 + index}`, "10.96.12.53:53"), 0n),
    );
    const example = readFileSync("examples/shop.yaml", "utf8");
    const written = (...seed: readonly string[]) => run(packets, seed, example).written;
    expect(written("--seed", "7")).toEqual(written("--seed", "7"));
    expect(written("--seed", "1")).toEqual(written());
    expect(written("--seed", "7")).not.toEqual(written());
  });

  it("refuses a folder that is not there before it reads the capture", () => {
    const { stderr, code } = packetyard(["run", "--pcap", "none.pcap", "--write", "no/out.pcap"]);
    expect([code, stderr]).toEqual([
      1,
      "error: no/out.pcap: cannot be written: there is no folder no; make it first.\n",
    ]);
  });

  it("writes what leaves, as it leaves, at the times of the capture", () => {
    const { written } = run(MIXED);
    expect(written?.nanosecond).toBe(true);
    expect(written?.packets.map(({ timestampNs }) => timestampNs - START)).toEqual([0n, SECOND, 3n * SECOND]);
    const described = written?.packets.map(({ bytes }) => describePacket(bytes)) ?? [];
    expect(described[0]).toMatchObject({ protocol: "tcp", dst: "10.244.1.8", dstPort: 8080 });
    expect(described[1]?.vxlan?.inner).toMatchObject({ protocol: "udp", dst: "10.244.2.9", ttl: 63 });
    expect(described[2]?.vxlan?.inner).toMatchObject({ dst: "10.244.2.9", dstPort: 8080 });
  });

  it("takes its time from the capture", () => {
    const dns = (offset: bigint) => at(udp("10.244.1.7:5000", "10.96.12.53:53"), offset);
    const endpoints = (gap: bigint) => {
      const example = readFileSync("examples/shop.yaml", "utf8");
      const { written } = run([dns(0n), dns(gap)], ["--mode", "ipvs"], example);
      return written?.packets.map(({ bytes }) => {
        const packet = describePacket(bytes);
        return packet.vxlan?.inner.dst ?? packet.dst;
      });
    };
    const [first, second] = endpoints(SECOND) ?? [];
    expect(second).toBe(first);
    // IPVS forgets a datagram after 300 seconds; rr has moved on.
    const [before, after] = endpoints(301n * SECOND) ?? [];
    expect([before, after === before]).toEqual([first, false]);
  });

  it("never lets the clock go back", () => {
    const times = [5n, 7n, 6n, 4n, 9n].map((ms) => ({ timestampNs: ms * 1_000_000n }));
    expect(clockOf(times)).toEqual([0, 2, 2, 2, 4]);
    expect(clockOf([])).toEqual([]);
  });

  it("runs more packets of one time than a batch holds, in order", () => {
    const many = Array.from({ length: 600 }, (_, index) =>
      at(tcp(`10.244.1.7:${10_000 + index}`, "10.96.0.10:80"), 0n),
    );
    const { stdout, written } = run(many);
    expect(stdout).toMatch(/^forward {7}600$/m);
    expect(written?.packets.map(({ bytes }) => describePacket(bytes).srcPort)).toEqual(
      many.map((_, index) => 10_000 + index),
    );
  });

  it("lets packets in by the interface that is named", () => {
    const client = [at(tcp("198.51.100.7:1", "172.18.0.3:30080"), 0n)];
    expect(run(client, ["--in", "eth0"]).stdout).toMatch(/^forward/m);
    const { code, stderr, written } = run(client, ["--in", "eth7"]);
    expect([code, written]).toEqual([1, undefined]);
    expect(stderr).toContain(
      "error: Node worker-1: --in eth7: the node has no such interface; it has lo, eth0, cni0, flannel.1.\n",
    );
  });

  it("reads an empty capture, a packed one, and one from stdin", () => {
    const empty = run([]);
    expect([empty.code, empty.stdout]).toEqual([0, "VERDICT   PACKETS  REASON\ntotal           0\n"]);
    expect(empty.written?.packets).toEqual([]);
    const packed = gzipSync(writePcap({ packets: MIXED }));
    expect(packetyard(["run", "--pcap", "-"], packed).stdout).toMatch(/^total {11}7$/m);
  });
});

const haveTshark = spawnSync("tshark", ["--version"]).status === 0;

/** tshark's checksum columns, outermost first: 1 is good, 0 bad. */
function checksumsOf(capture: Uint8Array): string[] {
  return withFolder((folder) => {
    const file = join(folder, "written.pcap");
    writeFileSync(file, capture);
    const checks = ["ip", "udp", "tcp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
    const fields = ["ip", "udp", "tcp"].flatMap((name) => ["-e", `${name}.checksum.status`]);
    const args = ["-r", file, "-d", "udp.port==8472,vxlan", ...checks, "-T", "fields", ...fields];
    const rows = execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return rows.split("\n").filter((row) => row !== "");
  });
}

describe.skipIf(!haveTshark)("what run writes, in tshark (skipped where it is not installed)", () => {
  it.each(["iptables", "ipvs", "nftables"])("has good checksums throughout in mode %s", (mode) => {
    const packets = [
      ...MIXED,
      at(tcp("198.51.100.7:4000", "172.18.0.3:30080", { payload: 33 }), 4n * SECOND),
      at(udp("10.244.1.7:53", "10.244.2.9:53", { payload: 1 }), 5n * SECOND),
    ];
    const { written } = run(packets, ["--mode", mode]);
    const rows = checksumsOf(writePcap({ packets: written?.packets ?? [] }));
    expect(rows.length).toBe(5);
    for (const row of rows) expect(row).toMatch(/^[1,\t]+$/);
  });
});

const ethernet = sharedCaptures().filter(({ truth }) =>
  truth?.some(({ "frame.protocols": protocols }) => /^eth:ethertype:ip/.test(String(protocols))),
);

describe.skipIf(ethernet.length === 0)("real captures (skipped without the shared ones)", () => {
  it("run without an error, every packet with a fate", () => {
    for (const { path, truth } of ethernet.slice(0, 12)) {
      const { stdout, code } = packetyard(["run", "--pcap", path, "-o", "json"]);
      expect([path, code]).toEqual([path, 0]);
      const { packets, verdicts } = JSON.parse(stdout) as {
        packets: number;
        verdicts: { packets: number }[];
      };
      expect(packets).toBe(truth?.length);
      expect(verdicts.reduce((sum, one) => sum + one.packets, 0)).toBe(packets);
    }
  });
});

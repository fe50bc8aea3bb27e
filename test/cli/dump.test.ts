import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writePcap } from "../../src/io/pcap.js";
import { tcp } from "../../src/packet/build.js";
import { packetyard, withFolder } from "./packetyard.js";

const DUMPS = "test/cli/dumps";
const RULES = `${DUMPS}/rules`;
const KNOWN = ["--iptables-save", RULES, "--ip-addr", `${DUMPS}/addr`, "--ip-route", `${DUMPS}/route`];
const LINES = readFileSync(RULES, "utf8").split("\n");

function trace(from: string, to: string, ...args: readonly string[]) {
  return packetyard(["trace", ...KNOWN, "--from", from, "--to", to, ...args]);
}

/** The last line of what a trace prints. */
const ending = (stdout: string) => stdout.trimEnd().split("\n").at(-1);

describe("packetyard trace --iptables-save", () => {
  it("walks a dump's rules, each with its line", () => {
    const { stdout, code } = trace("198.51.100.7:4000", "172.18.0.3:80");
    expect(code).toBe(0);
    const chosen = /WEB rule ([12]) of 2, line (1[67]) /.exec(stdout);
    expect(chosen?.[2]).toBe(chosen?.[1] === "1" ? "16" : "17");
    expect(stdout).toMatch(/^node rules\nparse {6}198\.51\.100\.7\.4000 > 172\.18\.0\.3\.80: tcp/);
    expect(stdout).toContain("DNAT to 172.17.0.");
    expect(ending(stdout)).toBe("leaves node rules by docker0");
  });

  it.each([
    ["172.18.0.3:443", "delivered to the node itself (rules)"],
    ["172.18.0.3:22", `undecided at line 24 of ${RULES}: ${LINES[23]}`],
    ["172.18.0.3:23", `undecided at line 25 of ${RULES}: ${LINES[24]}`],
    ["172.18.0.3:999", `undecided at line 27 of ${RULES}: ${LINES[26]}`],
    ["8.8.8.8:22", "leaves node rules by eth0"],
  ])("ends at %s: %s", (to, end) => {
    expect(ending(trace("198.51.100.7:4000", to).stdout)).toBe(end);
  });

  it("is undecided only where the answer matters", () => {
    const friends = "create friends hash:ip family inet\nadd friends 198.51.100.7\n";
    withFolder((folder) => {
      const file = join(folder, "sets");
      writeFileSync(file, friends);
      const ask = (from: string) => ending(trace(from, "172.18.0.3:999", "--ipset-save", file).stdout);
      expect(ask("198.51.100.7:4000")).toBe("delivered to the node itself (rules)");
      expect(ask("198.51.100.8:4000")).toBe("dropped on node rules: a rule says DROP: policy of INPUT");
    });
  });

  it("says what it guesses, and takes stdin, an interface and a name", () => {
    const args = [
      "trace",
      "--iptables-save",
      "-",
      "--node",
      "n1",
      "--in",
      "docker0",
      "--from",
      "172.17.0.2:1",
    ];
    const { stdout, stderr } = packetyard([...args, "--to", "192.0.2.77:80"], LINES.join("\n"));
    expect(stderr).toContain("its interfaces are not given (ip-addr): taken to be lo, eth0, docker0,");
    expect(stderr).toContain("stdin: line 25: «-j TARPIT» is not known");
    expect(stdout).toMatch(/^node n1\n/);
    expect(stdout).toContain("nat POSTROUTING rule 1 of 1, line 15");
    expect(ending(stdout)).toBe("leaves node n1 by eth0");
  });

  it("warns of an interface that --in alone knows, and refuses one that ip addr does not list", () => {
    const given = ["trace", "--iptables-save", "-", "--from", "192.0.2.9:1", "--to", "192.0.2.77:80"];
    const rules = "*filter\n:INPUT ACCEPT\n-A INPUT -i cali+ -j DROP\n-A INPUT -i docker0 -j DROP\nCOMMIT\n";
    const warned = (name: string) =>
      packetyard([...given, "--in", name], rules).stderr.match(/no rule or route names .*/)?.[0];
    expect(warned("wlan7")).toBe(
      "no rule or route names the interface wlan7; known are lo, eth0, cali+, docker0.",
    );
    for (const name of ["cali7", "docker0", "eth0"]) expect(warned(name)).toBe(undefined);
    const { code, stderr } = trace("192.0.2.9:1", "192.0.2.77:80", "--in", "wlan7");
    expect([code, stderr]).toEqual([
      1,
      "error: Node rules: --in wlan7: the node has no such interface; it has eth0, lo, docker0.\n",
    ]);
  });

  it("gives a program the line, too", () => {
    const { stdout } = trace("198.51.100.7:4000", "172.18.0.3:22", "-o", "json");
    const { undecided, nodes } = JSON.parse(stdout);
    expect(undecided).toEqual({ file: RULES, line: 24, rule: LINES[23] });
    expect(nodes[0]).toMatchObject({ verdict: "PUNT", reason: "UNDECIDED" });
    const { undecided: none } = JSON.parse(trace("198.51.100.7:1", "172.18.0.3:443", "-o", "json").stdout);
    expect(none).toBe(null);
  });

  it.each([
    [["--iptables-save", RULES, "-f", "examples/shop.yaml"], "give a cluster or a node's rules"],
    [["--ip-addr", `${DUMPS}/addr`], "--ip-addr tells more of a node that --iptables-save tells of"],
    [["--iptables-save", RULES, "--local-address", "10"], "It is one address that a node can have"],
    [["--iptables-save", "no-such-file"], "no-such-file: cannot be read"],
    [["--iptables-save", `${DUMPS}/addr`], "«1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536"],
  ])("refuses %j", (args, message) => {
    const { stderr, code } = packetyard(["trace", ...args, "--from", "10.0.0.1", "--to", "10.0.0.2:80"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it("refuses names: a dump knows addresses alone", () => {
    const { stderr, code } = trace("pod/shop/cart", "10.0.0.2:80");
    expect([code, stderr.includes("a node's rules name nobody; write IP:port.")]).toEqual([2, true]);
    expect(trace("10.0.0.1", "10.0.0.2").stderr).toContain("write 10.0.0.2:PORT");
  });
});

describe("packetyard run --iptables-save", () => {
  it("runs a capture through a node that dumps tell of", () => {
    withFolder((folder) => {
      const pcap = join(folder, "in.pcap");
      const to = ["172.18.0.3:443", "172.18.0.3:22", "8.8.8.8:80"];
      const packets = to.map((end, index) => ({
        timestampNs: BigInt(index) * 1_000_000n,
        bytes: tcp(`198.51.100.7:${4000 + index}`, end),
      }));
      writeFileSync(pcap, writePcap({ packets, nanosecond: false }));
      const { stdout, code } = packetyard(["run", ...KNOWN, "--pcap", pcap, "-o", "json"]);
      expect(code).toBe(0);
      const { node, verdicts } = JSON.parse(stdout);
      expect(node).toBe("rules");
      expect(verdicts).toEqual(
        expect.arrayContaining([
          { verdict: "LOCAL", reason: null, packets: 1 },
          { verdict: "PUNT", reason: "UNDECIDED", packets: 1 },
          { verdict: "FORWARD", reason: null, packets: 1 },
        ]),
      );
    });
  });
});

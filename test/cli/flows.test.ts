import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { packetyard, withFolder } from "./packetyard.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;
const SHOP = "examples/shop.yaml";
const DUMPS = "test/cli/dumps";
const KNOWN = ["--iptables-save", `${DUMPS}/rules`, "--ip-addr", `${DUMPS}/addr`];

/** Asks of lines on stdin. */
function ask(lines: readonly unknown[], ...args: readonly string[]) {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  return packetyard(["trace", "--flows", "-", ...args], text);
}

const asData = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("packetyard trace --flows", () => {
  it("answers one JSON line each", () => {
    const { stdout, code } = ask(
      [
        { from: "198.51.100.7", to: "172.18.0.3:30080", iface: "eth0" },
        { from: "10.244.1.2", to: "10.96.99.99:1", protocol: "udp" },
      ],
      "-f",
      SHOP,
      "-o",
      "json",
    );
    expect(code).toBe(0);
    const end = (endpoint: string, probability: number, fraction: string) =>
      `{"verdict":"accept","endpoint":"${endpoint}","probability":${probability},"fraction":"${fraction}","masquerade":true}`;
    const third = [0.3333333332557231, "1431655765/4294967296"] as const;
    const ends = [
      end("10.244.1.2:8080", 0.33333333348855376, "715827883/2147483648"),
      end("10.244.2.2:8080", ...third),
      end("10.244.3.2:8080", ...third),
    ];
    expect(stdout).toBe(
      [
        `{"flow":{"from":"198.51.100.7","to":"172.18.0.3:30080","iface":"eth0"},"verdict":"accept","outcomes":[${ends}]}`,
        '{"flow":{"from":"10.244.1.2","to":"10.96.99.99:1","protocol":"udp"},"verdict":"accept","outcomes":[{"verdict":"accept","endpoint":null,"probability":1,"fraction":"1","masquerade":false}]}',
        "",
      ].join("\n"),
    );
  });

  it.each(MODES)("keeps the order, and answers each line as though it were alone: %s", (mode) => {
    const flows = Array.from({ length: 40 }, (_, index) => ({
      from: index % 3 === 0 ? "10.244.1.7" : `198.51.100.${index % 5}:${3000 + index}`,
      to: ["10.96.0.10:80", "10.96.0.20:80", "10.96.0.99:80", "172.18.0.3:30080"][index % 4],
    }));
    const node = ["-f", "-", "--mode", mode, "-o", "json"];
    withFolder((folder) => {
      const file = join(folder, "flows");
      const answers = (lines: readonly unknown[]) => {
        writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\r\n\n"));
        return asData(packetyard(["trace", "--flows", file, ...node], SMALL_CLUSTER).stdout);
      };
      const all = answers(flows);
      expect(all.map(({ flow }) => flow)).toEqual(flows);
      expect(new Set(all.map(({ verdict }) => verdict))).toEqual(new Set(["accept", "reject"]));
      expect(answers(flows.toReversed())).toEqual(all.toReversed());
      expect(answers(flows.slice(7, 8))).toEqual(all.slice(7, 8));
    });
  });

  it.each(MODES)("lets rules alone judge what is to 127.0.0.1 from outside: %s", (mode) => {
    const to = ["127.0.0.1:30080", "127.0.0.1:9"];
    const flows = to.map((end) => ({ from: "198.51.100.7", to: end }));
    const { stdout } = ask(flows, "-f", SHOP, "--mode", mode, "-o", "json");
    const [nodePort, other] = asData(stdout);
    // Of kube-proxy's modes iptables alone serves nodePorts there, and guards the rest.
    const serves = mode === "iptables";
    expect(nodePort.outcomes.map((one: { endpoint: unknown }) => one.endpoint !== null)).toEqual(
      serves ? [true, true, true] : [false],
    );
    expect(other.verdict).toBe(serves ? "drop" : "accept");
  });

  it("starts on the node what its own addresses send, whatever interface is said", () => {
    const flow = { to: "10.96.0.10:80", iface: "eth0" };
    const lines = ["172.18.0.3", "127.0.0.1", "10.244.1.1", "172.18.0.9"].map((from) => ({ from, ...flow }));
    withFolder((folder) => {
      const file = join(folder, "rules");
      // Only OUTPUT drops.
      writeFileSync(file, "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT DROP\nCOMMIT\n");
      const own = ["--local-address", "172.18.0.3", "--local-address", "10.244.1.1"];
      const answers = asData(ask(lines, "--iptables-save", file, ...own, "-o", "json").stdout);
      expect(answers.map(({ verdict }) => verdict)).toEqual(["drop", "drop", "drop", "accept"]);
    });
  });

  it("reads an IPv6 address without a port in brackets too", () => {
    const lines = [
      { from: "[fd64:244:0:1::2]", to: "[2001:db8::7]:80" },
      { from: "fd64:244:0:1::2", to: "[2001:db8::7]", protocol: "ICMP" },
    ];
    const { stdout, code } = ask(lines, "-f", SHOP, "-o", "json");
    expect(code).toBe(0);
    expect(asData(stdout).map(({ verdict }) => verdict)).toEqual(["accept", "accept"]);
    expect(ask([{ from: "[10.0.0.1]", to: "10.96.0.10:80" }], "-f", SHOP).code).toBe(1);
  });

  it("tells people a line each", () => {
    const lines = [
      { from: "10.244.1.7", to: "10.96.0.20:80" },
      { from: "198.51.100.7:4", to: "10.96.0.99:80", iface: "eth0" },
      { from: "fd00::1", to: "fd00::2", protocol: "ICMP" },
    ];
    withFolder((folder) => {
      const file = join(folder, "flows");
      writeFileSync(file, lines.map((line) => JSON.stringify(line)).join("\n"));
      const { stdout } = packetyard(["trace", "-f", "-", "--flows", file], SMALL_CLUSTER);
      expect(stdout.split("\n")).toEqual([
        "10.244.1.7 > 10.96.0.20:80 tcp              accept     10.244.2.9:8080",
        '198.51.100.7:4 > 10.96.0.99:80 tcp in eth0  reject     icmp-port-unreachable: -A KUBE-SERVICES -d 10.96.0.99/32 -p tcp -m comment --comment "shop/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
        "fd00::1 > fd00::2 icmp                      accept     as addressed",
        "",
      ]);
    });
  });

  it("asks a dump's rules, and says by which line one is undecided", () => {
    const lines = [
      { from: "198.51.100.7", to: "172.18.0.3:80" },
      { from: "198.51.100.7", to: "172.18.0.3:443" },
      { from: "198.51.100.7", to: "172.18.0.3:22" },
      { from: "172.17.0.9", to: "8.8.8.8:53", protocol: "UDP", iface: "docker0" },
      { from: "172.17.0.9", to: "172.17.0.5:53", iface: "docker0" },
    ];
    const { stdout, code } = ask(lines, ...KNOWN, "-o", "json");
    expect(code).toBe(0);
    const [web, open, ssh, out, within] = asData(stdout);
    const half = { verdict: "accept", probability: 0.5, fraction: "1/2", masquerade: false };
    expect(web.outcomes).toEqual([
      { ...half, endpoint: "172.17.0.2:8080" },
      { ...half, endpoint: "172.17.0.3:8080" },
    ]);
    expect(open.outcomes).toMatchObject([{ endpoint: null, accepted: true }]);
    expect(ssh).toMatchObject({
      verdict: "undecided",
      undecided: { file: `${DUMPS}/rules`, line: 24, rule: expect.stringContaining("--string") },
      outcomes: [],
    });
    expect(out.outcomes).toMatchObject([{ verdict: "accept", endpoint: null, masquerade: true }]);
    expect(within).toMatchObject({ verdict: "drop", outcomes: [] });
    expect(ask(lines.slice(2, 3), ...KNOWN).stdout).toContain(
      `undecided  at line 24 of ${DUMPS}/rules: -A INPUT`,
    );
  });

  it("says by which line each outcome is undecided that is so by chance", () => {
    const rules = [
      "*nat",
      ":PREROUTING ACCEPT [0:0]",
      "-A PREROUTING -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.0.0.1",
      "COMMIT",
      "*filter",
      ":FORWARD ACCEPT [0:0]",
      "-A FORWARD -d 10.0.0.1/32 -m string --string SSH --algo bm -j DROP",
      "COMMIT",
      "",
    ];
    withFolder((folder) => {
      const file = join(folder, "rules");
      writeFileSync(file, rules.join("\n"));
      const flow = { from: "198.51.100.7", to: "8.8.8.8:22" };
      const [mixed] = asData(ask([flow], "--iptables-save", file, "-o", "json").stdout);
      expect(mixed.verdict).toBe("mixed");
      const undecided = { file, line: 7, rule: rules[6] };
      expect(mixed.outcomes).toMatchObject([{ verdict: "undecided", undecided }, { verdict: "accept" }]);
      expect(mixed.outcomes[1].undecided).toBeUndefined();
      expect(ask([flow], "--iptables-save", file).stdout).toContain(
        `undecided: 10.0.0.1:22 (50.0000 %, at line 7 of ${file}: ${rules[6]}), accept: as addressed`,
      );
      const { stdout } = packetyard([
        ..."trace --from 198.51.100.7:1 --to 8.8.8.8:22 --iptables-save".split(" "),
        file,
      ]);
      expect(stdout).toMatch(/^undecided {2}10\.0\.0\.1:22 .* at line 7$/m);
    });
  });

  it("prints the same as YAML", () => {
    const { stdout } = ask([{ from: "10.0.0.1", to: "10.0.0.2:1" }], "-f", SHOP, "-o", "yaml");
    expect(stdout).toMatch(/^- flow:\n {4}from: 10\.0\.0\.1\n/);
  });

  it("refuses all lines for one that is wrong, and names its field", () => {
    const good = { from: "10.0.0.1", to: "10.0.0.2:80" };
    const lines = [
      good,
      "{from: 1}",
      "[1]",
      { to: "10.0.0.2:80" },
      { from: "10.0.0.300", to: "10.0.0.2:80" },
      "",
      { from: "10.0.0.1", to: "10.0.0.2" },
      { from: "10.0.0.1", to: "10.0.0.2:70000" },
      { from: "10.0.0.1", to: "[fd00::1]:80" },
      { ...good, protocol: "GRE" },
      { ...good, protocol: "ICMP" },
      { ...good, iface: 7 },
      { ...good, iface: "" },
      { ...good, iface: "eth0:1" },
      { ...good, iface: "eth0123456789012" },
    ];
    const { stdout, stderr, code } = ask(lines, "-f", SHOP);
    expect([stdout, code]).toEqual(["", 1]);
    const places = stderr
      .trimEnd()
      .split("\n")
      .map((line) => /^error: stdin: (line \d+(?:: (?:from|to|protocol|iface)\b)?)/.exec(line)?.[1]);
    expect(places).toEqual([
      "line 2",
      "line 3",
      "line 4: from",
      "line 5: from",
      "line 7: to",
      "line 8: to",
      "line 9: to",
      "line 10: protocol",
      "line 11: protocol",
      "line 12: iface",
      "line 13: iface",
      "line 14: iface",
      "line 15: iface",
    ]);
    expect(stderr).toContain("«eth0123456789012» has 16 octets, and an interface's name at most 15.");
  });

  it("lets flows enter by any interface, and warns of one that nothing else knows", () => {
    const flow = { from: "198.51.100.7", to: "172.18.0.3:30080" };
    expect(ask([{ ...flow, iface: "eth01234567890é" }], "-f", SHOP).code).toBe(1);
    const ofLine = ask([{ ...flow, iface: "eth012345678901" }], "-f", SHOP);
    expect([ofLine.code, ofLine.stderr.match(/warning: .*/g)]).toEqual([
      0,
      [
        "warning: stdin: iface: «eth012345678901» is an interface that neither the node nor any rule knows; known are lo, eth0, cni0, flannel.1.",
      ],
    ]);
    expect(ask([{ ...flow, iface: "cni0" }], "-f", SHOP).stderr).not.toContain("warning");
    const said = (name: string, ...node: readonly string[]) => ask([flow], ...node, "--in", name);
    const strange = said("wlan7", "-f", SHOP);
    expect(strange.code).toBe(0);
    expect(strange.stderr).toContain(
      "warning: --in: «wlan7» is an interface that neither the node nor any rule knows; known are lo, eth0, cni0, flannel.1.\n",
    );
    expect(said("eth0", "-f", SHOP).stderr).not.toContain("warning");
    expect(said("docker7", ...KNOWN).stderr).toContain("known are eth0, lo, docker0.");
    const long = said("eth0123456789012", "-f", SHOP);
    expect([long.code, long.stderr]).toEqual([2, expect.stringContaining("has 16 octets")]);
  });

  it("refuses a file without a flow", () => {
    const { stderr, stdout, code } = ask(["", " "], "-f", SHOP);
    expect([code, stdout, stderr]).toEqual([
      1,
      "",
      expect.stringContaining("holds no flow: write one a line"),
    ]);
  });

  it("warns of fields that it does not know, and keeps them", () => {
    const { stdout, stderr } = ask(
      [{ from: "10.0.0.1", to: "10.0.0.2:1", port: 7 }],
      "-f",
      SHOP,
      "-o",
      "json",
    );
    expect(stderr).toContain("warning: stdin: port: is no field of a flow");
    expect(asData(stdout)[0].flow.port).toBe(7);
  });

  it("refuses what lines say for themselves, and stdin for two", () => {
    const ends = packetyard([
      "trace",
      "--flows",
      "test/cli/flows.jsonl",
      "--to",
      "10.0.0.1:1",
      "--seed",
      "3",
    ]);
    expect([ends.code, ends.stderr]).toEqual([2, expect.stringContaining("--to and --seed")]);
    expect(packetyard(["trace", "--from", "10.0.0.1"]).stderr).toContain("give --from and --to, or --flows");
    const twice = ask([], "-f", "-");
    expect([twice.code, twice.stderr]).toEqual([
      2,
      expect.stringContaining("--flows - and -f - both ask for stdin"),
    ]);
  });
});

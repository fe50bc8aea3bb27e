import { describe, expect, it } from "vitest";
import { packetyard } from "./packetyard.js";

describe("a wrong command line", () => {
  it.each([
    [[], /Usage: packetyard/],
    [["dance"], /^error: unknown command 'dance'/],
    [["trace"], /^error: a packet has two ends: give --from and --to/],
    [["compile", "--mode", "ebpf"], /^error: option '--mode <mode>' argument 'ebpf' is invalid\..*nftables/],
    [
      ["compile", "--nodes", "0"],
      /^error: option '--nodes <number>' argument '0' is invalid\. It is a whole/,
    ],
    [["run"], /^error: required option '--pcap <file>' not specified/],
    [
      ["trace", "--from", "cart", "--to", "svc/shop/web:80"],
      /^error: «cart» names no end of a packet: write /,
    ],
    [
      ["trace", "--from", "svc/shop/web", "--to", "1.2.3.4:5"],
      /^error: --from svc\/shop\/web: a Service sends/,
    ],
    [
      ["trace", "--from", "fd00::1", "--to", "1.2.3.4:5"],
      /^error: fd00::1 is of IPv6 and 1\.2\.3\.4 of IPv4/m,
    ],
    [["run", "-f", "-", "--pcap", "-"], /^error: -f - and --pcap - both ask for stdin/],
    [["run", "--pcap", "x", "--packets"], /^error: --packets goes with -o json or yaml; /],
    [["run", "--pcap", "x", "--seed", "-1"], /^error: option '--seed <number>' argument '-1' is invalid/],
  ])("is refused with exit code 2: %j", (args, message) => {
    const { stderr, stdout, code } = packetyard(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it.each([
    [
      "trace --from 10.0.0.1:1 --from 10.0.0.2:1 --to 10.0.0.3:80",
      "--from takes one value, and is given 2 times",
    ],
    [
      "compile --node worker-1 --node worker-2 --node worker-1",
      "--node takes one value, and is given 3 times",
    ],
    ["run --pcap a --pcap b", "--pcap takes one value, and is given 2 times"],
    ["compare --services 10,20 --services 30", "--services takes one value, and is given 2 times"],
    ["diff --mode ipvs --mode iptables", "--mode takes one value, and is given 2 times"],
    ["assess --to nftables --to iptables", "--to takes one value, and is given 2 times"],
  ])("is refused where it gives one value twice: %s", (words, message) => {
    const { stderr, stdout, code } = packetyard(words.split(" "));
    expect([code, stdout, stderr]).toEqual([2, "", `error: ${message}: give it once.\n`]);
  });

  it("may name what there can be several of again, and say -v twice", () => {
    const several = "compile -f examples/shop.yaml -v -v --local-address 192.0.2.7 --local-address 192.0.2.8";
    expect(packetyard(several.split(" ")).code).toBe(0);
    const both = "diff examples/shop.yaml --modes iptables --modes iptables --node worker-1 --node worker-2";
    expect(packetyard(both.split(" ")).code).toBe(0);
  });

  it("is refused where it names two source ports", () => {
    const to = ["--to", "svc/shop/web", "--sport", "4100"];
    for (const from of ["pod/shop/cart:1234", "10.244.1.7:1234"]) {
      const { stderr, stdout, code } = packetyard(["trace", "--from", from, ...to]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(`error: --from ${from} and --sport 4100 name two source ports, `);
    }
    expect(packetyard(["trace", "--from", "10.244.1.7:4100", ...to]).code).toBe(0);
  });

  it("is refused where the destination has no port, or one that is none", () => {
    const from = ["trace", "--from", "pod/shop/cart", "--to"];
    for (const [to, message] of [
      ["10.244.2.2", "error: --to 10.244.2.2: a packet goes to a port; write 10.244.2.2:PORT.\n"],
      ["pod/shop/web:70000", "error: «70000» is no port: it is a number from 1 to 65535, or a name.\n"],
    ] as const) {
      const { stderr, code } = packetyard([...from, to]);
      expect(code).toBe(2);
      expect(stderr).toContain(message);
    }
  });
});

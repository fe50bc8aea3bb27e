import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { parseIp } from "../../src/net/ip.js";
import type { Match, Rule, Target } from "../../src/ruleset/iptables.js";
import { unknownParts, withoutLines } from "../../src/ruleset/iptables-lines.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { listingOf, RULE_FORMS } from "./rule-forms.js";

function read(rule: string, family: 4 | 6 = 4): Rule {
  const { tables } = parseIptables(listingOf("mangle", [rule]), "rule", family);
  const [found] = tables[0]?.chains[0]?.rules ?? [];
  if (found === undefined) throw new Error("no rule was read");
  return found;
}

const matches = (rule: string, family: 4 | 6 = 4) => read(rule, family).matches;

/** Extensions that are kept as text; a packet that reaches them is not judged. */
const KEPT = /-m (string|time|u32|helper|policy|frag|rt|ipv6header|eui64) |-m (eui64)|-j (TEE|NFQUEUE)/;

describe.each(RULE_FORMS)("rules of ip$family table $table", ({ family, table, rules }) => {
  const listed = rules.map(([written, text = written]) => text);

  it("are listed as the tool lists them, however they are written", () => {
    const written = rules.map(([text]) => text);
    const print = (some: readonly string[]) =>
      printIptables(parseIptables(listingOf(table, some), "rules", family));
    expect(print(written)).toBe(listingOf(table, listed));
    expect(print(listed)).toBe(listingOf(table, listed));
  });

  it("are known, but for a few extensions", () => {
    const iptables = parseIptables(listingOf(table, listed), "rules", family);
    const kept = unknownParts(iptables).map(({ line = 0 }) => listed[line - 3]);
    expect(kept).toEqual(listed.filter((rule) => KEPT.test(rule)));
  });
});

const FULL = 0xffffffff;

describe("matches", () => {
  it.each([
    ["-p 6", { kind: "protocol", protocol: "TCP" }],
    ["-p ICMP", { kind: "protocol", protocol: "ICMP" }],
    ["-p gre", { kind: "protocol", protocol: 47 }],
    ["-p 47", { kind: "protocol", protocol: 47, name: "47" }],
    ["-p 253", { kind: "protocol", protocol: 253 }],
    ["! -p all"],
    ["-s 10.1.2.3/255.255.0.0", { kind: "source", prefix: { address: 0x0a010000, length: 16 } }],
    ["-s ! 10.0.0.1", { kind: "source", prefix: { address: 0x0a000001, length: 32 }, invert: true }],
    ["-m mark --mark 16/0x1f", { kind: "mark", value: 16, mask: 0x1f }],
    ["-m connmark ! --mark 1", { kind: "connmark", value: 1, mask: FULL, invert: true }],
    ["-m state --state NEW", { kind: "ctstate", states: ["NEW"], module: "state" }],
    [
      "-m conntrack --ctorigdstport 53 ! --ctproto udp",
      { kind: "ctproto", protocol: 17, invert: true },
      { kind: "ctport", end: "origdst", from: 53, to: 53 },
    ],
    [
      "-m addrtype --src-type LOCAL ! --dst-type LOCAL,ANYCAST --limit-iface-out",
      { kind: "addrtype", side: "src", types: ["LOCAL"], limitIface: "out" },
      { kind: "addrtype", side: "dst", types: ["LOCAL", "ANYCAST"], limitIface: "out", invert: true },
    ],
    [
      "-m ipvs --vaddr 10.96.0.1/32 --vport 80 ! --vproto tcp",
      { kind: "ipvs-protocol", protocol: 6, invert: true },
      { kind: "ipvs-address", prefix: { address: 0x0a600001, length: 32 } },
      { kind: "ipvs-port", port: 80 },
    ],
    ["-m limit --limit 3/second", { kind: "limit", period: 3333, burst: 5 }],
    ["-m limit --limit 7/h --limit-burst 1", { kind: "limit", period: 5142857, burst: 1 }],
    ["-m statistic --mode nth --every 3 --packet 1", { kind: "nth", every: 3, packet: 1 }],
    ["-m length --length :100", { kind: "length", from: 0, to: 100 }],
    ["-m owner ! --uid-owner 5-7", { kind: "owner", id: "uid", from: 5, to: 7, invert: true }],
    ["-m rpfilter --loose --invert", { kind: "rpfilter", loose: true, invert: true }],
    ["-m dscp --dscp-class AF31", { kind: "dscp", value: 26 }],
    [
      "-m pkttype --pkt-type otherhost",
      { kind: "unknown", module: "pkttype", text: "-m pkttype --pkt-type otherhost" },
    ],
    [
      "-m recent ! --update --seconds 60 --hitcount 3 --rdest",
      {
        kind: "recent",
        op: "update",
        name: "DEFAULT",
        side: "dest",
        mask: FULL,
        seconds: 60,
        hitcount: 3,
        invert: true,
      },
    ],
  ] satisfies readonly (readonly [string, ...Match[]])[])("%s", (...[rule, ...expected]) => {
    expect(matches(rule as string)).toEqual(expected);
  });

  it("of transports need no module to be named", () => {
    const port: Match = { kind: "dport", from: 53, to: 53, invert: true };
    const udp: Match = { kind: "protocol", protocol: "UDP" };
    const mark: Match = { kind: "mark", value: 1, mask: FULL };
    expect(matches("-p udp ! --dport 53")).toEqual([udp, port]);
    expect(matches("-p udp -m mark --mark 1 --dport ! 53")).toEqual([udp, mark, port]);
    expect(matches("! --dport 53 -p udp").map(({ kind }) => kind)).toEqual(["protocol", "unknown"]);
  });

  it("of TCP flags are bits of the header", () => {
    const flags = (rule: string) => matches(`-p tcp ${rule}`)[1];
    expect(flags("--syn")).toEqual({ kind: "tcp-flags", mask: 0x17, flags: 0x02 });
    expect(flags("--tcp-flags ALL FIN,PSH,URG")).toEqual({ kind: "tcp-flags", mask: 0x3f, flags: 0x29 });
    expect(flags("--tcp-flags SYN,RST NONE")).toEqual({ kind: "tcp-flags", mask: 6, flags: 0 });
  });

  it("of ICMP have a type, and perhaps a code", () => {
    const type = (rule: string, family: 4 | 6 = 4) => matches(rule, family)[1];
    expect(type("-p icmp --icmp-type any")).toEqual({ kind: "icmp" });
    expect(type("-p icmp --icmp-type ping")).toEqual({ kind: "icmp", type: 8 });
    expect(type("-p icmp --icmp-type fragmentation-needed")).toEqual({ kind: "icmp", type: 3, code: 4 });
    expect(type("-p ipv6-icmp --icmpv6-type packet-too-big", 6)).toEqual({ kind: "icmpv6", type: 2 });
  });

  it("that share a module remember where they do not", () => {
    const together = "-m conntrack --ctstate NEW --ctproto 6";
    const apart = "-m conntrack --ctstate NEW -m conntrack --ctproto 6";
    expect(matches(together)).not.toEqual(matches(apart));
    for (const rule of [together, apart]) {
      expect(printIptables(parseIptables(listingOf("mangle", [rule]), "rule"))).toBe(
        listingOf("mangle", [rule]),
      );
    }
  });

  it("are no guess where a name is another machine's to look up", () => {
    for (const rule of [
      "-p tcp -m tcp --dport http",
      "-p tcp -m multiport --dports ssh,http",
      "-m owner --uid-owner root",
    ]) {
      expect(matches(rule).at(-1)).toMatchObject({ kind: "unknown" });
    }
  });
});

describe("targets", () => {
  const target = (rule: string, family: 4 | 6 = 4): Target | undefined => read(rule, family).target;

  it("of a mark are one operation, however they are written", () => {
    const written = [
      ["--set-mark 1", 1, FULL],
      ["--set-mark 0x10/0xf", 0x10, 0x1f],
      ["--set-xmark 0x10/0xf", 0x10, 0xf],
      ["--or-mark 0x10", 0x10, 0x10],
      ["--and-mark 0xf0", 0, 0xffffff0f],
      ["--xor-mark 0xf0", 0xf0, 0],
    ] as const;
    for (const [text, value, mask] of written) {
      expect(target(`-j MARK ${text}`)).toEqual({ kind: "mark", value, mask });
      expect(target(`-j CONNMARK ${text}`)).toEqual({ kind: "connmark", value, mask });
    }
    expect(target("-j CONNMARK --save-mark --mask 0xff")).toEqual({
      kind: "connmark-save",
      nfmask: 0xff,
      ctmask: 0xff,
    });
  });

  it("of NAT have a range; one address and port without more is kube-proxy's kind", () => {
    const to = (text: string) => target(`-p tcp -j DNAT --to-destination ${text}`);
    const one = 0x0a000001;
    expect(to("10.0.0.1:80")).toEqual({ kind: "dnat", address: one, port: 80 });
    expect(to("10.0.0.1:80 --random")).toEqual({
      kind: "translate",
      side: "dst",
      range: { addresses: [one, one], ports: [80, 80], random: true },
    });
    expect(to("10.0.0.1-10.0.0.2")).toMatchObject({ range: { addresses: [one, one + 1] } });
    expect(to(":80-90/8000")).toMatchObject({ range: { ports: [80, 90], basePort: 8000 } });
    const six = target("-p tcp -j DNAT --to-destination [fd00::1]:80", 6);
    expect(six).toEqual({ kind: "dnat", address: parseIp("fd00::1"), port: 80 });
    expect(target("-p tcp -j REDIRECT --to-port 15001")).toEqual({
      kind: "redirect",
      range: { ports: [15001, 15001] },
    });
    expect(target("-j NETMAP --to 10.0.0.0/24")).toMatchObject({ prefix: { length: 24 } });
  });

  it("that take note keep their words", () => {
    expect(target('-j LOG --log-prefix "a \\"b\\"" --log-level 4')).toEqual({
      kind: "watch",
      name: "LOG",
      options: ["--log-prefix", 'a "b"', "--log-level", "4"],
    });
  });

  it("have the tool's own defaults, of either family", () => {
    expect(target("-j REJECT")).toEqual({ kind: "reject", with: "icmp-port-unreachable" });
    expect(target("-j REJECT", 6)).toEqual({ kind: "reject", with: "icmp6-port-unreachable" });
    expect(target("-p tcp -j TPROXY --on-port 80", 6)).toMatchObject({ address: 0n, value: 0, mask: 0 });
  });

  it("are unknown where an option of theirs is", () => {
    for (const rule of [
      "-j CT --zone 1 --timeout x",
      "-j DNAT",
      "-j MARK --left-shift-mark 3",
      "-j NOSUCH --x",
    ]) {
      expect(target(rule)).toMatchObject({ kind: "unknown", text: rule });
    }
  });
});

/** A rule with each of its words gone, doubled, negated, and in the place of each other one. */
function mutated(rule: string): readonly string[] {
  const words = rule.split(" ");
  return words
    .flatMap((word, at) => [
      words.toSpliced(at, 1),
      words.toSpliced(at, 0, word),
      words.toSpliced(at, 0, "!"),
      ...words.slice(0, at).map((other, to) => words.with(at, other).with(to, word)),
    ])
    .map((changed) => changed.join(" "));
}

/** Whether a rule is refused in words, or read and printed and read again as it was, or what else becomes of it. */
function fateOf(rule: string, family: 4 | 6): string {
  const readAll = (text: string) => parseIptables(text, "rule", family);
  let listed: string;
  try {
    listed = printIptables(readAll(listingOf("mangle", [rule])));
  } catch (error) {
    return error instanceof InputError ? "refused" : `${rule}: ${error}`;
  }
  const again = readAll(listed);
  const printed = printIptables(again);
  const isSame = printed === listed && isDeepStrictEqual(withoutLines(again), withoutLines(readAll(printed)));
  return isSame ? "understood" : `${rule}: ${listed} is printed as ${printed}`;
}

describe("rules with mistakes", () => {
  it("are refused where an option stands apart from its module's others, which a listing would put together", () => {
    const apart = "-m connlimit --connlimit-upto 3 -p 24 --connlimit-daddr";
    expect(() => read(apart)).toThrow(
      "«--connlimit-daddr» stands apart from «-m connlimit»: write it with that one's options.",
    );
    expect(() => read("-m conntrack --ctstate NEW -s 10.0.0.1 ! --ctproto 6")).toThrow(
      "apart from «-m conntrack»",
    );
    expect(matches("-m connlimit --connlimit-upto 3 --connlimit-daddr -p 24")).toHaveLength(2);
  });

  it("are refused in words, or read and printed and read again as they were", () => {
    const fates = RULE_FORMS.flatMap(({ family, rules }) =>
      rules.flatMap(([rule]) => mutated(rule).map((changed) => fateOf(changed, family))),
    );
    const count = (fate: string) => fates.filter((one) => one === fate).length;
    expect(fates.filter((fate) => fate !== "refused" && fate !== "understood")).toEqual([]);
    expect(Math.min(count("refused"), count("understood"))).toBeGreaterThan(500);
  }, 60_000);
});

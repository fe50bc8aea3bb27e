import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { prefixOf } from "../../src/net/prefix.js";
import type { Iptables, Match, Rule } from "../../src/ruleset/iptables.js";
import { unknownParts, withoutLines } from "../../src/ruleset/iptables-lines.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { parseProbability, printProbability } from "../../src/ruleset/iptables-values.js";

const invert = fc.constantFrom({}, { invert: true as const });
const word = fc.stringMatching(/^[a-zA-Z][\w.+-]{0,11}$/);
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const port = fc.integer({ min: 0, max: 65535 });
const prefix = fc.tuple(u32, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => prefixOf(ip, length));

/** At most one of these, in listing order. */
const header = fc
  .tuple(
    fc.option(fc.record({ kind: fc.constant("source" as const), prefix })),
    fc.option(fc.record({ kind: fc.constant("destination" as const), prefix })),
    fc.option(fc.record({ kind: fc.constant("in-interface" as const), name: word })),
    fc.option(fc.record({ kind: fc.constant("out-interface" as const), name: word })),
  )
  .chain((parts) => {
    const present = parts.filter((part) => part !== null);
    return fc.tuple(...present.map((part) => invert.map((negated): Match => ({ ...part, ...negated }))));
  });

const module: fc.Arbitrary<Match> = fc.oneof(
  fc
    .tuple(u32, fc.oneof(fc.constant(0xffffffff), u32), invert)
    .map(([value, mask, negated]): Match => ({ kind: "mark", value, mask, ...negated })),
  fc
    .tuple(
      fc.subarray(["INVALID", "NEW", "RELATED", "ESTABLISHED", "SNAT", "DNAT"] as const, { minLength: 1 }),
      invert,
    )
    .map(([states, negated]): Match => ({ kind: "ctstate", states, ...negated })),
  fc
    .tuple(fc.constantFrom("src" as const, "dst" as const), invert)
    .map(([side, negated]): Match => ({ kind: "addrtype", side, types: ["LOCAL"], ...negated })),
  fc.integer({ min: 0, max: 2 ** 31 }).map((threshold): Match => ({ kind: "statistic", threshold })),
  fc
    .tuple(
      word,
      fc.array(fc.constantFrom("src" as const, "dst" as const), { minLength: 1, maxLength: 3 }),
      invert,
    )
    .map(([set, sides, negated]): Match => ({ kind: "set", set, sides, ...negated })),
  invert.map((negated): Match => ({ kind: "physdev-is-in", ...negated })),
);

const ports = fc
  .tuple(fc.subarray(["sport", "dport"] as const), fc.tuple(port, port), fc.tuple(port, port), invert)
  .map(([kinds, a, b, negated]): readonly Match[] =>
    kinds.map((kind) => {
      const [x, y] = kind === "sport" ? a : b;
      return { kind, from: Math.min(x, y), to: Math.max(x, y), ...negated };
    }),
  );

/** The protocol, and after it the ports or the bare module of a transport. */
const transport = fc.oneof(
  fc.constant<readonly [readonly Match[], readonly Match[]]>([[], []]),
  fc.constant<readonly [readonly Match[], readonly Match[]]>([[{ kind: "protocol", protocol: "ICMP" }], []]),
  fc
    .tuple(fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const), ports, fc.boolean())
    .map(([protocol, some, module]): readonly [readonly Match[], readonly Match[]] => {
      const bare = module && some.length === 0 ? { module: true as const } : {};
      return [[{ kind: "protocol", protocol, ...bare }], some];
    }),
);

const target = fc.oneof(
  fc.constantFrom("accept" as const, "drop" as const, "return" as const).map((kind) => ({ kind })),
  fc.constantFrom("jump" as const, "goto" as const).map((kind) => ({ kind, chain: "KUBE-A" })),
  fc.constant({ kind: "reject" as const, with: "icmp-port-unreachable" as const }),
  fc.tuple(u32, port).map(([address, port]) => ({ kind: "dnat" as const, address, port })),
  fc.boolean().map((randomFully) => ({ kind: "masquerade" as const, randomFully })),
  fc.tuple(u32, u32).map(([value, mask]) => ({ kind: "mark" as const, value, mask })),
);

/** Those that could share a module, but have one each. */
function apart(match: Match, index: number, all: readonly Match[]): Match {
  const before = all[index - 1];
  const shares = before?.kind === "addrtype" && before.side === "src";
  return shares && match.kind === "addrtype" && match.side === "dst" ? { ...match, apart: true } : match;
}

const comment = fc.string({ minLength: 0, maxLength: 40 }).filter((text) => !/[\n\r]/.test(text));

const rule: fc.Arbitrary<Rule> = fc
  .tuple(
    header,
    transport,
    fc.array(module, { maxLength: 3 }),
    fc.option(comment),
    fc.nat(4),
    fc.option(target),
  )
  .map(([head, [protocol, some], modules, text, at, end]): Rule => {
    const count = modules.length + (some.length > 0 || protocol.some((one) => "module" in one) ? 1 : 0);
    const commentAt = Math.min(at, count);
    return {
      matches: [...head, ...protocol, ...some, ...modules.map(apart)],
      ...(text === null ? {} : { comment: text, ...(commentAt === 0 ? {} : { commentAt }) }),
      ...(end === null ? {} : { target: end }),
    };
  });

const iptables: fc.Arbitrary<Iptables> = fc.array(rule, { maxLength: 6 }).map((rules) => ({
  family: 4,
  tables: [
    {
      name: "filter",
      chains: [
        { name: "INPUT", policy: "DROP", rules },
        { name: "KUBE-A", rules: [] },
      ],
    },
    {
      name: "nat",
      chains: [
        { name: "KUBE-A", rules },
        { name: "KUBE-B", rules: [] },
      ],
    },
  ],
}));

function refusals(text: string): string {
  try {
    parseIptables(text, "node.rules");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "accepted";
}

/** A listing with one rule in nat KUBE-A, on line 4. */
function listing(rule: string): string {
  return `*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-A - [0:0]\n${rule}\nCOMMIT\n`;
}

const listedRules = (read: Iptables) => printIptables(read).match(/^-A .*$/gm);

describe("iptables-save", () => {
  it("is read as it was printed", () => {
    fc.assert(
      fc.property(iptables, (made) => {
        const text = printIptables(made);
        const read = parseIptables(text, "made");
        expect(withoutLines(read)).toEqual(made);
        expect(printIptables(read)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("prints saved lines as they were", () => {
    const text = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
-A INPUT ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "it's \\"quoted\\" \\\\ here" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A INPUT -i lo -m comment --comment plain-word_1 -j ACCEPT
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "after the state" -j KUBE-FORWARD
-A FORWARD ! -i docker+ -o eth0 -p tcp -m tcp ! --sport 1:1023 --dport 30000:32767 -g KUBE-FORWARD
-A KUBE-FORWARD -p udp -m comment --comment "a bare module" -m udp
-A KUBE-FORWARD -p udp -m mark --mark 0x1 -j REJECT --reject-with icmp-port-unreachable
COMMIT
`.replace("it's", "it\\'s");
    expect(printIptables(parseIptables(text, "saved"))).toBe(text);
  });

  it("passes over comment lines and counters", () => {
    const plain = listing("-A KUBE-A -s 10.0.0.0/8 -j ACCEPT");
    const counted = `# Generated by iptables-save\n${plain.replace("\n-A", "\n[12:345] -A").replace("[0:0]", "[9:99]")}# Completed\n`;
    const read = parseIptables(counted, "counted");
    expect(withoutLines(read)).toEqual(withoutLines(parseIptables(plain, "plain")));
    const inside = plain.replace("-j ACCEPT", "-c 12 345 -j ACCEPT");
    expect(parseIptables(inside, "counted")).toEqual(parseIptables(plain, "plain"));
  });

  it("lists connection states in the tool's order", () => {
    const states = ["DNAT", "NEW", "ESTABLISHED", "RELATED"] as const;
    const chain = { name: "A", rules: [{ matches: [{ kind: "ctstate" as const, states }] }] };
    const text = printIptables({ family: 4, tables: [{ name: "nat", chains: [chain] }] });
    expect(text).toContain("-A A -m conntrack --ctstate NEW,RELATED,ESTABLISHED,DNAT\n");
  });

  it("lists chains by name, built-in ones first", () => {
    const chains = ["KUBE-SEP-B", "KUBE-SEP-A", "KUBE-EXT-C"].map((name) => ({ name, rules: [] }));
    const text = printIptables({
      family: 4,
      tables: [{ name: "nat", chains: [{ name: "PREROUTING", policy: "ACCEPT", rules: [] }, ...chains] }],
    });
    const declared = [...text.matchAll(/^:(\S+)/gm)].map(([, name]) => name);
    expect(declared).toEqual(["PREROUTING", "KUBE-EXT-C", "KUBE-SEP-A", "KUBE-SEP-B"]);
  });

  it("keeps what it does not know as text, with its line", () => {
    const text = listing(
      '-A KUBE-A -p tcp -m string --string "a b" ! --algo bm -m tcp --dport 80 -j TARPIT --tarpit',
    );
    const read = parseIptables(text, "node");
    expect(unknownParts(read)).toMatchObject([
      { table: "nat", chain: "KUBE-A", line: 4, text: '-m string --string "a b" ! --algo bm' },
      { table: "nat", chain: "KUBE-A", line: 4, text: "-j TARPIT --tarpit" },
    ]);
    expect(printIptables(read)).toBe(text);
    const [rule] = read.tables[0]?.chains.find(({ name }) => name === "KUBE-A")?.rules ?? [];
    expect(rule?.matches.map(({ kind }) => kind)).toEqual(["protocol", "unknown", "dport"]);
    expect(rule?.target).toEqual({ kind: "unknown", name: "TARPIT", text: "-j TARPIT --tarpit" });
  });

  it.each([
    "-m tos --tos 0x10/0x3f --to 5",
    "-m conntrack --ctstate NEW --ctfuture 5",
    "-m conntrack",
    "-s 10.0.0.0/255.0.255.0",
    "-s node.example",
    "-s 10.0.0.1,node.example",
    "--ipv4",
  ])("knows nothing of a part it knows in part: %s", (part) => {
    const read = parseIptables(listing(`-A KUBE-A -i eth0 ${part} -j DROP`), "node");
    expect(unknownParts(read).map(({ text }) => text)).toEqual([part]);
  });

  it("reads what iptables-restore takes: chains unlisted, new ones, rules put in between", () => {
    const restored =
      "* nat\n-N A\n-A A -j RETURN\n-I A 1 -j ACCEPT\n-I A -p tcp\n-A OUTPUT --jump A\nCOMMIT\n";
    expect(printIptables(parseIptables(restored, "node"))).toBe(
      "*nat\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A OUTPUT -j A\n-A A -p tcp\n-A A -j ACCEPT\n-A A -j RETURN\nCOMMIT\n",
    );
  });

  it("makes a rule of every address of a list, in the order of the tool", () => {
    const restored = [
      "*filter",
      '-A INPUT -d 10.1.0.1,10.1.0.2 -s 10.0.0.1,10.0.0.2/31 -m comment --comment "a, b" -j DROP',
      "-A FORWARD -j ACCEPT",
      "-I FORWARD 1 -s 10.0.0.1,10.0.0.2 -j DROP",
      "-A OUTPUT --dst 10.0.0.8,10.0.0.8 -g A",
      "COMMIT\n",
    ];
    const read = parseIptables(restored.join("\n").replace("*filter", "*filter\n:A - [0:0]"), "node");
    // As iptables 1.8.9 lists them, both backends.
    expect(listedRules(read)).toEqual([
      '-A INPUT -s 10.0.0.1/32 -d 10.1.0.1/32 -m comment --comment "a, b" -j DROP',
      '-A INPUT -s 10.0.0.1/32 -d 10.1.0.2/32 -m comment --comment "a, b" -j DROP',
      '-A INPUT -s 10.0.0.2/31 -d 10.1.0.1/32 -m comment --comment "a, b" -j DROP',
      '-A INPUT -s 10.0.0.2/31 -d 10.1.0.2/32 -m comment --comment "a, b" -j DROP',
      "-A FORWARD -s 10.0.0.2/32 -j DROP",
      "-A FORWARD -s 10.0.0.1/32 -j DROP",
      "-A FORWARD -j ACCEPT",
      "-A OUTPUT -d 10.0.0.8/32 -g A",
      "-A OUTPUT -d 10.0.0.8/32 -g A",
    ]);
    const lines = read.tables.flatMap(({ chains }) =>
      chains.flatMap(({ rules }) => rules.map((r) => r.line)),
    );
    expect(lines).toEqual([3, 3, 3, 3, 5, 5, 4, 6, 6]);
  });

  it.each([
    [
      "-A KUBE-A ! -s 10.0.0.1,10.0.0.2",
      "«!» negates one address, not a list: iptables refuses the rule; write one for each.",
    ],
    ["-A KUBE-A -s 10.0.0.1,", "«» is not an IPv4 prefix."],
    ["-A KUBE-A -s 10.0.0.1,fd00::1", "«fd00::1» is not an IPv4 prefix."],
    ["-A KUBE-A -s 10.0.0.1, 10.0.0.2", "«» is not an IPv4 prefix."],
    [
      "-A KUBE-A -s 10.0.0.1 --src 10.0.0.2",
      "«--src» stands a second time in the rule: leave one of them out.",
    ],
    ["-A KUBE-A -m tcp --dport 80", "«-m tcp» stands in a rule that is not of its protocol (-p)."],
    ["-A KUBE-A ! -p tcp -m tcp", "«-m tcp» stands in a rule that is not of its protocol (-p)."],
    ["-A KUBE-A -p nonsense -j ACCEPT", "«nonsense» is not a protocol."],
    ["-A KUBE-A -p 256", "«256» is not a protocol."],
    ["-A KUBE-A -p tcp -m tcp --dport 70000", "«70000» is not a port or a range of ports, the lower first."],
    ["-A KUBE-A -p tcp -m tcp --dport 80:70", "«80:70» is not a port or a range of ports, the lower first."],
    [
      "-A KUBE-A -p sctp -m sctp --sport 80:70",
      "«80:70» is not a port or a range of ports, the lower first.",
    ],
    ["-A KUBE-A -p udp -m multiport --dports 7,80:70", "«7,80:70» is not a list of ports."],
    ["-A KUBE-A -s fd00::/8 -j ACCEPT", "«fd00::/8» is not an IPv4 prefix."],
    ["-A KUBE-A -s 10.0.0.0/33", "«10.0.0.0/33» is not an IPv4 prefix."],
    [
      "-A KUBE-A -m conntrack --ctstate FRESH",
      "«FRESH» is not a list of connection states (INVALID, NEW, RELATED, ESTABLISHED, UNTRACKED, SNAT, DNAT).",
    ],
    ["-A KUBE-A -m mark --mark 0x4000/ -j DROP", "«0x4000/» is not a mark."],
    ["-A KUBE-A -m statistic --mode often", "«often» is not random or nth."],
    [
      "-A KUBE-A -j DNAT --to-destination fd00::1",
      "«fd00::1» is not an IPv4 address, a range of them or ports.",
    ],
    ["-A KUBE-A -j", "the line ends where a target should stand."],
    ["-A KUBE-A word", "«word» stands where an option should."],
    ["-A KUBE-A ! -j DROP", "«!» negates nothing."],
    ["-A KUBE-A -g KUBE-B", "«KUBE-B» is not a chain of this table."],
    ["-A KUBE-A -g KUBE-A now", "«now» stands behind the chain."],
    ["-A KUBE-B -j DROP", "«KUBE-B» is not a chain of this table."],
    ["-I KUBE-A 2 -j DROP", "«2» is not the number of a rule, or one more."],
    ["-D KUBE-A -j DROP", "«-D» is not -A, -I or -N."],
    ["-N KUBE-A", "chain KUBE-A is there already."],
    ['-A KUBE-A -m comment --comment "open', "a quote is not closed."],
  ])("refuses %s", (line, message) => {
    expect(refusals(listing(line))).toBe(`node.rules: line 4: ${message}`);
  });

  it("refuses whole, with every line that is wrong", () => {
    expect(
      refusals(listing("-A KUBE-A -p 300\n-A KUBE-A -j DROP\n-A KUBE-B -j DROP")).split("\n"),
    ).toHaveLength(2);
    expect(refusals("*nat\n:KUBE-A - [0:0]\n")).toBe("node.rules: line 3: the listing ends before COMMIT.");
    expect(refusals("*broute\n:BROUTING ACCEPT [0:0]\n-A BROUTING -j DROP\nCOMMIT\n")).toBe(
      "node.rules: line 1: «*broute» is not a table this program models.",
    );
    expect(refusals("*nat\n:A - [0:0]\n:A - [0:0]\nCOMMIT\n")).toContain("chain A is listed a second time.");
  });
});

describe("probabilities", () => {
  it("survive their eleven decimals, at every threshold", () => {
    const threshold = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(threshold, (t) => {
        expect(parseProbability(printProbability(t))).toBe(t);
      }),
    );
  });

  it("are rounded as printf rounds, halves to even", () => {
    // 1/4096 = 0.000244140625; seen in a listing of iptables-save.
    expect(printProbability(2 ** 19)).toBe("0.00024414062");
    expect(printProbability(3 * 2 ** 19)).toBe("0.00073242188");
    expect(printProbability(2 ** 31)).toBe("1.00000000000");
  });
});

import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { tcp } from "../../src/packet/build.js";
import { rulesetFromDump } from "../../src/ruleset/node-dump.js";

const RULES = `*filter
:A - [0:0]
:B - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j A
-A INPUT -p tcp -m tcp --dport 23 -j B
-A INPUT -p tcp -m tcp --dport 24 -j REJECT
-A INPUT -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
-A A -j TARPIT
-A B -j DROP
COMMIT
`;

async function steps(port: number) {
  const engine = await Engine.load(rulesetFromDump({ "iptables-save": { file: "rules", text: RULES } }));
  return engine.follow(tcp("198.51.100.7:4000", `192.0.2.1:${port}`)).steps;
}

describe("rules that were read from a file", () => {
  it("are told with their lines", async () => {
    const told = await steps(24);
    expect(told.map(({ line }) => line)).toContain(6);
    expect(told.at(-2)?.text).toContain("INPUT rule 3 of 4, line 6 (-p tcp -m tcp --dport 24) → REJECT");
    expect(told.at(-1)?.text).toContain("INPUT rule 3, line 6");
  });

  it("are told by what they reject with", async () => {
    expect((await steps(24)).at(-1)?.text).toMatch(/^ICMP port unreachable: INPUT rule 3/);
    expect((await steps(25)).at(-1)?.text).toMatch(/^TCP reset: INPUT rule 4/);
  });

  it("are told by the line that led to a chain's one deed", async () => {
    const told = await steps(23);
    expect(told.at(-2)?.text).toBe("INPUT rule 2 of 4, line 5 (-p tcp -m tcp --dport 23) → B: DROP");
  });

  it("are told by their own line where nothing is known of what they do", async () => {
    const told = await steps(22);
    expect(told.at(-2)).toMatchObject({ chain: "A", rule: 1, line: 8 });
    expect(told.at(-1)).toMatchObject({ stage: "punt", reason: "UNDECIDED" });
  });
});

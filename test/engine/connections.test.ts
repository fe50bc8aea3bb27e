import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { tcp, udp } from "../../src/packet/build.js";
import { printConnection } from "../../src/ruleset/connections.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { engineOf, POD } from "../drawn-cluster.js";
import { WEB } from "./web.js";

const CLIENT = `${POD}:40000`;
const SERVER = "10.244.2.9:8080";

async function rulesetOf(sysctls: Ruleset["sysctls"] = {}): Promise<Ruleset> {
  const { ruleset } = await engineOf([{ ...WEB, endpoints: WEB.endpoints.slice(1) }], "iptables");
  return { ...ruleset, sysctls: { ...ruleset.sysctls, ...sysctls } };
}

describe("an engine's connections", () => {
  it("are listed as conntrack -L does, and closed one by one", async () => {
    const engine = await Engine.load(await rulesetOf());
    engine.follow(tcp(CLIENT, "10.96.0.10:80"));
    engine.follow(udp(CLIENT, "10.244.2.9:53"));
    const lines = engine.listConnections().map(printConnection);
    expect(lines).toEqual([
      `tcp      6 120 SYN_SENT src=${POD} dst=10.96.0.10 sport=40000 dport=80 [UNREPLIED] ` +
        `src=10.244.2.9 dst=${POD} sport=8080 dport=40000 mark=0 use=1`,
      `udp      17 30 src=${POD} dst=10.244.2.9 sport=40000 dport=53 [UNREPLIED] ` +
        `src=10.244.2.9 dst=${POD} sport=53 dport=40000 mark=0 use=1`,
    ]);
    engine.closeConnections(engine.listConnections().filter(({ protocol }) => protocol === 17));
    expect(engine.listConnections().map(printConnection)).toEqual([lines[0]]);
    expect(engine.listConnections(120_000)).toEqual([]);
    expect(() => engine.listConnections(-1)).toThrow(RangeError);
  });

  it("live as long as the ruleset's settings of the kernel say", async () => {
    const engine = await Engine.load(await rulesetOf({ "net.netfilter.nf_conntrack_udp_timeout": 7 }));
    engine.follow(udp(CLIENT, "10.244.2.9:53"));
    expect(engine.listConnections().map(({ timeout }) => timeout)).toEqual([7000]);
    await expect(
      Engine.load(await rulesetOf({ "net.netfilter.nf_conntrack_tcp_loose": 0.5 })),
    ).rejects.toThrow("sysctl net.netfilter.nf_conntrack_tcp_loose: 0.5 is not a whole number");
  });

  it("have windows if asked, also in a saved engine", async () => {
    const ruleset = await rulesetOf();
    await expect(Engine.load(ruleset, { windows: "yes" as unknown as boolean })).rejects.toThrow(
      "windows: «yes» is neither true nor false.",
    );
    const [watching, without] = [await Engine.load(ruleset, { windows: true }), await Engine.load(ruleset)];
    const beyond = tcp(CLIENT, SERVER, { flags: "PA", seq: 900_000, ack: 51, payload: 9 });
    for (const engine of [watching, without]) {
      engine.follow(tcp(CLIENT, SERVER, { flags: "S", seq: 10, window: 100 }));
      engine.follow(tcp(SERVER, CLIENT, { flags: "SA", seq: 50, ack: 11, window: 100 }), { in: "flannel.1" });
      engine.follow(tcp(CLIENT, SERVER, { flags: "A", seq: 11, ack: 51, window: 100 }));
    }
    const saved = await Engine.load(watching.save());
    expect([watching, saved, without].map((engine) => engine.follow(beyond).verdict)).toEqual([
      "DROP",
      "DROP",
      "FORWARD",
    ]);
  });

  it("do not depend on checksums where the kernel does not ask for them", async () => {
    const broken = udp(CLIENT, "10.244.2.9:53", { payload: 3 });
    broken[40] = (broken[40] ?? 0) ^ 1;
    const trusting = await Engine.load(await rulesetOf({ "net.netfilter.nf_conntrack_checksum": 0 }));
    const verifying = await Engine.load(await rulesetOf());
    expect([trusting, verifying].map((engine) => engine.follow(broken).verdict)).toEqual(["FORWARD", "DROP"]);
  });
});

import { describe, expect, it } from "vitest";
import {
  Cluster,
  Compilation,
  compile,
  Director,
  diffNodes,
  Engine,
  healthChecks,
  listServers,
  parseIptables,
  parseIptablesDump,
  parseIpvs,
  parseProxyConfig,
  printRuleset,
  printServers,
  rulesetFromDump,
  serverCounters,
  tcp,
} from "../src/index.js";

/** What a caller without types may give instead of an object, a list or text. */
const VALUES = [undefined, null, 7, "text", [], {}, true, () => undefined] as const;
const SAID = /is (missing|«.*»|a list|a function|an object of another kind): give .+\.$/;

const cluster = Cluster.synthetic({ services: 2, endpoints: 2 });
const ruleset = compile(cluster);
const engine = await Engine.load(ruleset, { connections: 63 });
const director = await Director.create({ connections: 63 });
const web = { protocol: "TCP", address: 0xc000020a, port: 80, scheduler: "rr" } as const;
director.add(web);
const real = { address: 0x0a000001, port: 8080, weight: 1 };
const frame = tcp("10.0.0.1:1", "10.0.0.2:2");
const batch = engine.batch(1);

type Call = (value: never) => unknown;
/** A call by what it is given, the argument that its sentence names, and how many of VALUES are right. */
const CALLS: readonly (readonly [string, Call, string, number?])[] = [
  ["Cluster.parse", (it) => Cluster.parse(it), "the text of input", 1],
  ["Cluster.parse's options", (it) => Cluster.parse("a: 1", it), "the options of Cluster.parse()", 2],
  ["Cluster.parseFiles", (it) => Cluster.parseFiles(it), "the texts of Cluster.parseFiles()", 1],
  ["Cluster.parseFiles, an item", (it) => Cluster.parseFiles([it]), "a file|item 1 of the texts"],
  ["Cluster.synthetic", (it) => Cluster.synthetic(it), "what Cluster.synthetic() makes", 1],
  ["compile", (it) => compile(it), "the cluster of compile()"],
  ["compile's options", (it) => compile(cluster, it), "the options of compile()", 2],
  ["Compilation", (it) => new Compilation(it), "the cluster of a Compilation"],
  ["Compilation's options", (it) => new Compilation(cluster, it), "the options of a Compilation", 2],
  [
    "a Service of a change",
    (service) => new Compilation(cluster).apply({ kind: "service-set", service }),
    "service of the change",
  ],
  [
    "an EndpointSlice of a change",
    (endpointSlice) => new Compilation(cluster).apply({ kind: "endpointslice-set", endpointSlice }),
    "endpointSlice of the change",
  ],
  ["Compilation.terminate", (it) => new Compilation(cluster).terminate(it), "what terminate() asks", 1],
  [
    "Compilation.staleConnections",
    (it) => new Compilation(cluster).staleConnections(it),
    "the connections of staleConnections()",
    1,
  ],
  ["parseProxyConfig", (it) => parseProxyConfig(it), "the text of input", 1],
  ["diffNodes", (it) => diffNodes(it, { ruleset }), "the first side of diffNodes()"],
  ["diffNodes, the other", (it) => diffNodes({ ruleset }, it), "the second side of diffNodes()"],
  [
    "a side's cluster",
    (it) => diffNodes({ ruleset, cluster: it }, { ruleset }),
    "the cluster of the first side of diffNodes()",
    1,
  ],
  ["diffNodes' options", (it) => diffNodes({ ruleset }, { ruleset }, it), "the options of diffNodes()", 2],
  ["healthChecks", (it) => healthChecks(it, "worker-1"), "the cluster of healthChecks()"],
  ["Engine.load", (it) => Engine.load(it), "what Engine.load() loads"],
  ["Engine.load's options", (it) => Engine.load(ruleset, it), "the options of Engine.load()", 2],
  ["Engine.load's sysctls", (it) => Engine.load({ ...ruleset, sysctls: it }), "sysctls", 2],
  ["engine.follow's options", (it) => engine.follow(frame, it), "the options of engine.follow()", 2],
  ["engine.follow's choices", (it) => engine.follow(frame, { choices: it }), "choices", 2],
  ["engine.trace's options", (it) => engine.trace(frame, it), "the options of engine.follow()", 2],
  ["engine.explore's options", (it) => engine.explore(frame, it), "the options of engine.explore()", 2],
  ["engine.batch's options", (it) => engine.batch(1, it), "the options of engine.batch()", 2],
  ["engine.save's options", (it) => engine.save(it), "the options of engine.save()", 2],
  ["engine.closeConnections", (it) => engine.closeConnections(it), "what closeConnections() closes", 1],
  ["one of them", (it) => engine.closeConnections([it]), "what closeConnections() closes"],
  ["Director.create", (it) => Director.create(it), "the options of Director.create()", 2],
  ["its ipvs", (it) => Director.create({ ipvs: it }), "ipvs of Director.create()", 1],
  ["its rules", (it) => Director.create({ rules: it }), "rules of Director.create()", 2],
  [
    "its addresses",
    (it) => Director.create({ localAddresses: it }),
    "localAddresses of Director.create()",
    2,
  ],
  ["a director's text", (it) => director.restore(it), "the text of director.restore()", 1],
  ["its list's options", (it) => director.list(it), "the options of printServers()", 2],
  ["listServers", (it) => listServers(it), "whose servers are asked"],
  ["printServers", (it) => printServers(it), "whose servers are asked"],
  ["serverCounters", (it) => serverCounters(it), "whose servers are asked"],
  ["parseIptables", (it) => parseIptables(it, "rules"), "the text of rules", 1],
  ["parseIptablesDump", (it) => parseIptablesDump(it, "rules"), "the text of rules", 1],
  ["parseIpvs", (it) => parseIpvs(it, "saved"), "the text of saved", 1],
  ["printRuleset", (it) => printRuleset(it, "nft"), "the ruleset of printRuleset()", 1],
  ["rulesetFromDump", (it) => rulesetFromDump(it), "the dump of rulesetFromDump()", 1],
  ["its options", (it) => rulesetFromDump({}, it), "the options of rulesetFromDump()", 2],
];

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof TypeError ? error.message : "";
  }
  return "";
}

describe("an argument that is none", () => {
  const calls = CALLS.map(([name, call, argument, right = 0]) => [name, call, argument, right] as const);
  it.each(calls)("is named, with what to give: %s", async (_, call, argument, right) => {
    const messages = await Promise.all(VALUES.map((value) => messageOf(() => call(value as never))));
    const names = argument.split("|");
    const told = messages.filter((one) => SAID.test(one) && names.some((name) => one.includes(name)));
    expect(messages.length - told.length, messages.join("\n")).toBe(right);
  });

  it.each([
    ["add", (it: never) => director.add(it), "a virtual server"],
    ["edit", (it: never) => director.edit(it), "a virtual server"],
    ["remove", (it: never) => director.remove(it), "a virtual server"],
    ["counters", (it: never) => director.counters(it), "a virtual server"],
    ["addServer", (it: never) => director.addServer(it, real), "a virtual server"],
    ["addServer, the real one", (it: never) => director.addServer(web, it), "a real server"],
    ["editServer, the real one", (it: never) => director.editServer(web, it), "a real server"],
    ["removeServer, the real one", (it: never) => director.removeServer(web, it), "a real server"],
  ])("is named by a director, which changes nothing: %s", async (_, call, argument) => {
    for (const value of VALUES.filter((one) => typeof one !== "object" || one === null || Array.isArray(one)))
      expect(() => call(value as never)).toThrow(new RegExp(`^${argument} ${SAID.source}`));
    expect(() => call({} as never)).toThrow(
      /^the (protocol|address) of a (virtual|real) server: nothing is none: give /,
    );
    expect(director.save()).toBe("-A -t 192.0.2.10:80 -s rr\n");
  });

  it("keeps a virtual server out whose real ones are not all right", () => {
    const more = { ...web, port: 81 };
    const bad = { ...real, weight: -1 };
    expect(() => director.add({ ...more, servers: [real, bad] })).toThrow("is not a whole number from 0 to");
    expect(() => director.add({ ...more, servers: [undefined] as never })).toThrow(
      "item 1 of the servers of a virtual server is missing: give a list of real servers.",
    );
    expect(director.save()).toBe("-A -t 192.0.2.10:80 -s rr\n");
  });

  it("is named where it should be a batch", () => {
    for (const value of VALUES)
      for (const call of [() => engine.run(value as never), () => director.run(value as never)])
        expect(call).toThrow("The batch is not one of this engine's: make it with this engine's batch().");
    expect(() => engine.run(batch, 0, 0)).not.toThrow();
  });
});

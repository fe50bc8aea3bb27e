import { describe, expect, it } from "vitest";
import { printDiagnostic } from "../../src/diagnostics.js";
import { parseIp, printIp } from "../../src/net/ip.js";
import { type NodeDump, rulesetFromDump } from "../../src/ruleset/node-dump.js";
import { printRoutes } from "../../src/ruleset/routes.js";

const text = (file: string, ...lines: readonly string[]) => ({ file, text: `${lines.join("\n")}\n` });
const rules = (...lines: readonly string[]) =>
  text("rules", "*filter", ...lines.map((line) => `-A ${line}`), "COMMIT");

const PLAIN = rules(
  "FORWARD -i ens3 -o cali+ -j ACCEPT",
  "FORWARD -i docker0 -o ens3 -j ACCEPT",
  "INPUT -i lo",
);

const told = (dump: NodeDump, options = {}) =>
  rulesetFromDump(dump, options).diagnostics.map(printDiagnostic);
const interfacesOf = (dump: NodeDump, options = {}) =>
  rulesetFromDump(dump, options).interfaces.map(
    ({ name, kind, addresses }) =>
      `${name} ${kind} ${addresses.map(({ address }) => printIp(address)).join(" ")}`,
  );

const ADDRESSES = text(
  "addr",
  "1: lo: <LOOPBACK,UP> mtu 65536",
  "    inet 127.0.0.1/8 scope host lo",
  "2: cni0: <BROADCAST,UP> mtu 1500",
  "    bridge forward_delay 1500",
  "    inet 10.244.1.1/24 scope global cni0",
  "3: ens3: <BROADCAST,UP> mtu 1500",
  "    inet 192.168.1.5/24 scope global ens3",
);

describe("a node that dumps tell of", () => {
  it("has the interfaces that its rules name, one of them to the outside, where nothing else is given", () => {
    expect(interfacesOf({ "iptables-save": PLAIN })).toEqual([
      "ens3 uplink 192.0.2.1",
      "lo loopback 127.0.0.1 ::1",
      "docker0 uplink ",
    ]);
    expect(printRoutes(rulesetFromDump({ "iptables-save": PLAIN }).routes)).toBe("default dev ens3\n");
    expect(told({ "iptables-save": PLAIN })).toEqual([
      "the node's network: its interfaces are not given (ip-addr): taken to be lo, ens3, docker0, as rules and routes name them, ens3 to the outside.",
      "the node's network: its address is not given: taken to be 192.0.2.1, on ens3.",
      "the node's network: its routes are not given (ip-route): what is no network of its own leaves by ens3.",
    ]);
  });

  it("takes the user's word for addresses and interfaces", () => {
    const options = { localAddresses: [parseIp("10.0.0.7")], interfaces: ["cali1", "ens3"], node: "n" };
    expect(interfacesOf({ "iptables-save": PLAIN }, options)).toEqual([
      "ens3 uplink 10.0.0.7",
      "lo loopback 127.0.0.1 ::1",
      "docker0 uplink ",
      "cali1 uplink ",
    ]);
    expect(told({ "iptables-save": PLAIN }, options)).toHaveLength(2);
    const known = { "iptables-save": PLAIN, "ip-addr": ADDRESSES };
    expect(interfacesOf(known, options).find((one) => one.startsWith("ens3"))).toBe(
      "ens3 uplink 192.168.1.5 10.0.0.7",
    );
  });

  it("is of both families where its rules are", () => {
    const dump = {
      "iptables-save": rules("INPUT -j DROP"),
      "ip6tables-save": rules("INPUT -s fd00::/8 -j DROP"),
    };
    const { routes, iptables, ip6tables } = rulesetFromDump(dump);
    expect(routes.map(({ prefix }) => printIp(prefix.address))).toEqual(["0.0.0.0", "::"]);
    expect([iptables?.family, ip6tables?.family]).toEqual([4, 6]);
    expect(interfacesOf(dump)).toContain("eth0 uplink 192.0.2.1 2001:db8::1");
  });

  it("has the networks of its addresses, and a way out of them", () => {
    const { routes, interfaces } = rulesetFromDump({ "iptables-save": PLAIN, "ip-addr": ADDRESSES });
    expect(printRoutes(routes)).toBe(
      "default dev ens3\n" +
        "10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1\n" +
        "192.168.1.0/24 dev ens3 proto kernel scope link src 192.168.1.5\n",
    );
    // Without a list of neighbours whoever is asked for answers: as beyond an uplink.
    expect(interfaces.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "ens3 uplink",
      "lo loopback",
      "cni0 uplink",
    ]);
  });

  it("is told nothing where all is given; gateways that are no neighbours answer", () => {
    const dump: NodeDump = {
      "iptables-save": PLAIN,
      "ip-addr": ADDRESSES,
      "ip-route": [
        text("route", "default via 192.168.1.1 dev ens3", "10.244.1.0/24 dev cni0 scope link"),
        text("route6", "default via fe80::1 dev ens3"),
      ],
      "ip-neigh": text("neigh", "10.244.1.7 dev cni0 lladdr 0a:58:0a:f4:01:07 REACHABLE"),
    };
    const { neighbours, interfaces, diagnostics } = rulesetFromDump(dump);
    expect(diagnostics).toEqual([]);
    expect(neighbours.map(({ address, dev }) => `${printIp(address)} ${dev}`)).toEqual([
      "10.244.1.7 cni0",
      "192.168.1.1 ens3",
      "fe80::1 ens3",
    ]);
    expect(interfaces.find(({ name }) => name === "cni0")?.kind).toBe("bridge");
  });

  it("is warned of what rules ask and is not known, and of sets that are not given", () => {
    const asking = rules(
      "INPUT -m string --algo bm --string x -j DROP",
      "INPUT -m set --match-set A src -j DROP",
      "INPUT -m set --match-set A dst -m set ! --match-set B dst -j DROP",
      "INPUT -m set --match-set C src -j TARPIT",
    );
    const sets = text("sets", "create A hash:ip family inet", "add A 10.0.0.1", "create C list:set size 8");
    const dump = { "iptables-save": asking, "ipset-save": sets, "ip-addr": ADDRESSES, "ip-route": [] };
    expect(told(dump)).toEqual([
      "rules: line 2: «-m string --algo bm --string x» is not known: what becomes of a packet that meets it is undecided.",
      "rules: line 5: «-j TARPIT» is not known: what becomes of a packet that meets it is undecided.",
      "rules: line 4: the set «B» is not given (ipset-save): rules that ask it are undecided.",
      "rules: line 5: the set «C» is not given (ipset-save): rules that ask it are undecided.",
      expect.stringMatching(
        /^sets: line 3: the set C is left out, so that rules which ask it are undecided: /,
      ),
    ]);
    expect(rulesetFromDump(dump).ipsets?.map(({ name }) => name)).toEqual(["A"]);
  });

  it("is refused with every error of every listing", () => {
    const wrong: NodeDump = {
      "iptables-save": rules("INPUT -p tcp --dport 70000"),
      "ip-addr": text("addr", "nothing"),
      "ip-neigh": text("neigh", "10.0.0.1 dev"),
    };
    expect(() => rulesetFromDump(wrong)).toThrow(/^rules: line 2: .*\naddr: line 1: .*\nneigh: line 1: .*$/);
    const six = rules("INPUT -s fd00::/8 -j DROP");
    const twice = { "iptables-save": six, "ip6tables-save": { ...six, file: "six" } };
    expect(() => rulesetFromDump(twice)).toThrow(
      "rules: holds IPv6 tables, and so does six: give one of them.",
    );
  });
});

import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { parseIp4 } from "../../src/net/ip.js";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { printSteps } from "../../src/trace/steps.js";
import { engineOf, SMALL_CLUSTER } from "./small-cluster.js";

const CART = "10.244.1.7:41000";

async function loadWith(change: (ruleset: Ruleset) => Ruleset): Promise<Engine> {
  return Engine.load(change(compile(Cluster.parse(SMALL_CLUSTER))), { connections: 1024 });
}

describe("a trace of a known connection", () => {
  it("tells both directions, and where each end is translated", async () => {
    const engine = await engineOf();
    engine.trace(tcp(CART, "10.96.0.10:80"));
    expect(engine.trace(tcp("10.244.1.8:8080", CART, { flags: "SA" })).split("\n")).toEqual([
      "parse      10.244.1.8.8080 > 10.244.1.7.41000: tcp, 54 octets (pod/shop/near > pod/shop/cart)",
      "conntrack  known connection, reply direction: ESTABLISHED, DNAT",
      "route      10.244.1.7 → pod/shop/cart (cni0)",
      "filter     FORWARD → KUBE-FORWARD rule 3 of 3 (kubernetes forwarding conntrack rule) → ACCEPT",
      "translate  src 10.244.1.8:8080 → 10.96.0.10:80",
      "forward    cni0 to pod/shop/cart",
    ]);
    expect(
      engine
        .trace(tcp(CART, "10.96.0.10:80", { flags: "A" }))
        .split("\n")
        .slice(1, 4),
    ).toEqual([
      "conntrack  known connection, original direction: ESTABLISHED, DNAT",
      "translate  dst 10.96.0.10:80 → 10.244.1.8:8080",
      "route      10.244.1.8 → pod/shop/near (cni0)",
    ]);
  });

  it("tells a masquerade only of the first packet, and a translation afterwards", async () => {
    const engine = await engineOf();
    const client = () => tcp("198.51.100.7:40000", "172.18.0.3:30080", { flags: "S" });
    const stages = [engine.follow(client()), engine.follow(client())].map(({ steps }) =>
      steps.filter(({ text }) => text.startsWith("src ")).map(({ stage }) => stage),
    );
    expect(stages).toEqual([["masquerade"], ["translate"]]);
  });
});

describe("a trace that ends early", () => {
  it("names the rule that dropped", async () => {
    const engine = await engineOf();
    expect(
      engine
        .trace(tcp(CART, "10.244.1.8:8080", { flags: "FA" }))
        .split("\n")
        .slice(1),
    ).toEqual([
      "conntrack  INVALID: its header or checksum is wrong, or it is of no connection and cannot open one",
      "route      10.244.1.8 → pod/shop/near (cni0)",
      "filter     FORWARD → KUBE-FORWARD rule 1 of 3 (-m conntrack --ctstate INVALID) → DROP",
      "drop       a rule says DROP: KUBE-FORWARD rule 1 (-m conntrack --ctstate INVALID)",
    ]);
  });

  it("names the policy that dropped", async () => {
    const engine = await loadWith((ruleset) => ({
      ...ruleset,
      iptables: {
        family: 4,
        tables: [{ name: "filter", chains: [{ name: "FORWARD", policy: "DROP", rules: [] }] }],
      },
    }));
    expect(engine.trace(tcp(CART, "10.244.2.9:8080")).split("\n").slice(-2)).toEqual([
      "filter     FORWARD: no rule decides, policy DROP",
      "drop       a rule says DROP: policy of FORWARD",
    ]);
  });

  it("says what the machine does not judge, and why", async () => {
    const engine = await engineOf();
    expect(engine.trace(new Uint8Array(20))).toBe("punt       neither IPv4 nor IPv6");
    expect(engine.trace(udp(CART, "239.1.1.1:5353"))).toBe("punt       multicast or broadcast");
    expect(engine.trace(new Uint8Array(5))).toBe("drop       the frame is shorter than its headers say");
  });

  it("says that nothing answers at an address", async () => {
    const engine = await engineOf();
    expect(engine.trace(tcp(CART, "10.244.1.99:80")).split("\n").slice(-2)).toEqual([
      "route      10.244.1.0/24 → cni0",
      "drop       no neighbour entry for its next hop",
    ]);
    const routeless = await loadWith((ruleset) => ({ ...ruleset, routes: [], neighbours: [] }));
    expect(routeless.trace(tcp(CART, "198.51.100.1:80"), { in: "eth0" })).toMatch(
      /drop {7}no route to its destination$/,
    );
  });

  it("tells a packet used up on its way", async () => {
    const engine = await engineOf();
    expect(engine.trace(tcp(CART, "10.244.2.9:80", { ttl: 1 }))).toMatch(/drop {7}its TTL is used up$/);
  });
});

describe("a trace of what has no ports", () => {
  it("names addresses alone", async () => {
    const engine = await engineOf();
    expect(engine.trace(icmpEcho("10.244.1.7", "10.244.2.9")).split("\n")).toEqual([
      "parse      10.244.1.7 > 10.244.2.9: icmp, 98 octets (pod/shop/cart > pod/shop/far)",
      "conntrack  new connection",
      "iptables   nat PREROUTING → KUBE-SERVICES: no rule translates it",
      "route      10.244.2.0/24 → vtep worker-2 (flannel.1)",
      "encap      vxlan vni 1, 172.18.0.3 > 172.18.0.4, 148 octets",
      "forward    eth0",
    ]);
    const gre = frame().eth().ip4({ src: "10.244.1.7", dst: "172.18.0.3", protocol: 47 }).payload(8).bytes();
    expect(engine.trace(gre)).toContain("10.244.1.7 > 172.18.0.3: protocol 47, 42 octets");
  });
});

describe("the facts beside the words", () => {
  it("are those of the words", async () => {
    const { steps } = (await engineOf({ proxy: "ipvs" })).follow(tcp(CART, "10.96.0.20:80"));
    const facts = steps.map(({ text: _, ...rest }) => rest);
    expect(facts).toEqual([
      { stage: "parse", src: CART, dst: "10.96.0.20:80", protocol: "tcp", octets: 54 },
      { stage: "conntrack" },
      { stage: "ipvs", service: "shop/far:http", dst: "10.244.2.9:8080" },
      { stage: "ipvs" },
      { stage: "translate", dst: "10.244.2.9:8080" },
      { stage: "route", prefix: "10.244.2.0/24", dev: "flannel.1", to: "10.244.2.0" },
      { stage: "encap", vni: 1, src: "172.18.0.3", dst: "172.18.0.4", octets: 104 },
      { stage: "forward", dev: "eth0", octets: 104, to: "172.18.0.4" },
    ]);
  });

  it("name nothing where the ruleset knows no names", async () => {
    const engine = await loadWith((ruleset) => ({ ...ruleset, names: new Map() }));
    const text = engine.trace(tcp(CART, "10.244.2.9:80"));
    expect(text).toContain("10.244.1.7.41000 > 10.244.2.9.80: tcp, 54 octets\n");
    expect(text).toContain("route      10.244.2.0/24 → vtep 10.244.2.0 (flannel.1)\n");
  });

  it("name one end where only one is known", async () => {
    const known = parseIp4("10.244.2.9") ?? 0;
    const engine = await loadWith((ruleset) => ({ ...ruleset, names: new Map([[known, "pod/shop/far"]]) }));
    expect(engine.trace(tcp(CART, "10.244.2.9:80"))).toContain("octets (10.244.1.7 > pod/shop/far)\n");
  });
});

describe("printSteps", () => {
  it("pads every stage to the same width", () => {
    const lines = printSteps([
      { stage: "masquerade", text: "a" },
      { stage: "local", text: "" },
    ]);
    expect(lines).toBe("masquerade a\nlocal");
  });
});

import { describe, expect, it } from "vitest";
import { type CompileOptions, compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { printHostPort } from "../../src/net/port.js";
import { icmpEcho, tcp } from "../../src/packet/build.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import type { VirtualServer } from "../../src/ruleset/ipvs.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { textOfDestination, textOfSource, tupleOf } from "../frame-tuple.js";
import { type ClusterBuilder, clusterOf, ip, nodeOf, prefix, type ServiceFields } from "./cluster-of.js";
import { walk } from "./nft-walk.js";

const NODE = "172.18.0.2";
const BRIDGE = "10.244.1.1";
const LOCAL = [NODE, BRIDGE, "127.0.0.1"].map(ip);
const POD = "10.244.1.7";
const OUTSIDER = "203.0.113.2";
const CLUSTER_IP = "10.96.0.1:80";
const EXTERNAL_IP = "192.0.2.1:80";
const VIP = "198.51.100.1:80";
const NODE_PORT = `${NODE}:30080`;

/** Every address that a Service can have. */
const EVERYWHERE: ServiceFields = {
  type: "LoadBalancer",
  clusterIPs: "10.96.0.1",
  externalIPs: "192.0.2.1",
  ingress: "198.51.100.1",
  ports: "http:80>30080",
};
const EXTERNAL_LOCAL: ServiceFields = { ...EVERYWHERE, externalTrafficPolicy: "Local" };
const INTERNAL_LOCAL: ServiceFields = { ...EVERYWHERE, internalTrafficPolicy: "Local" };
const GUARDED: ServiceFields = { ...EVERYWHERE, sourceRanges: "203.0.113.0/25" };

const NEAR = "10.244.1.21@worker-1";
const FAR = "10.244.2.22@worker-2";

/** shop/web as said, on worker-1. */
function web(fields: ServiceFields, ...endpoints: readonly string[]): ClusterBuilder {
  return clusterOf()
    .service("shop/web", fields)
    .slice("shop/web", "http:8080", ...endpoints);
}

/** `21`, `22 masquerade` for endpoints, `*` for a packet that is left alone. */
function short(end: string, to: string): string {
  return end.replace(to, "*").replace(/^10\.244\.\d\.(\d+):8080/, "$1");
}

function table(cluster: ClusterBuilder, options: ProxyOptions = {}): NftTable {
  const built = cluster.build();
  return compileNftables(built, nodeOf(built), options).nftables;
}

/** Where a new TCP connection may go in mode nftables. */
function nft(
  cluster: ClusterBuilder,
  from: string,
  to: string,
  options: ProxyOptions = {},
): readonly string[] {
  const [dst = "", port] = to.split(":");
  const packet = { src: ip(from), dst: ip(dst), protocol: "TCP", dport: Number(port) } as const;
  const fromNode = LOCAL.includes(packet.src);
  const ends = walk(table(cluster, options), { ...packet, fromNode }, LOCAL);
  return ends.map((end) => short(end, to)).sort();
}

function rulesetOf(cluster: ClusterBuilder, options: CompileOptions = {}): Ruleset {
  const cni = { plugin: "flannel", backend: "host-gw" } as const;
  return compile(cluster.build(), { node: "worker-1", proxy: "ipvs", cni, ...options });
}

function wayIn(from: string): string | undefined {
  if (LOCAL.includes(ip(from)) || from === "198.51.100.1") return undefined;
  return from.startsWith("10.244.1.") ? "cni0" : "eth0";
}

/** Where four connections in a row go in mode ipvs. */
async function ipvsOf(ruleset: Ruleset, from: string, to: string): Promise<readonly string[]> {
  const engine = await Engine.load(ruleset, { seed: 1 });
  const batch = engine.batch(4);
  for (let index = 0; index < 4; index += 1) {
    const frame = tcp(`${from}:${41000 + index}`, to);
    batch.set(index, frame, engine.interfaceNumber(frame, wayIn(from)));
  }
  engine.run(batch, 0);
  const ends = [0, 1, 2, 3].map((index) => {
    const verdict = batch.verdict(index);
    if (verdict !== "FORWARD") return verdict;
    const tuple = tupleOf(batch.frame(index));
    const masquerade = textOfSource(tuple).startsWith(`${from}:`) ? "" : " masquerade";
    return short(`${textOfDestination(tuple)}${masquerade}`, to);
  });
  return [...new Set(ends)].sort();
}

const ipvs = (cluster: ClusterBuilder, from: string, to: string, options: CompileOptions = {}) =>
  ipvsOf(rulesetOf(cluster, options), from, to);

/** The servers behind one address. */
function serverAt(cluster: ClusterBuilder, at: string): VirtualServer {
  const servers = rulesetOf(cluster).ipvs?.servers ?? [];
  const found = servers.find(({ address, port }) => printHostPort(address, port) === at);
  if (found === undefined) throw new Error(`no virtual server ${at}`);
  return found;
}

const EXTERNAL = [EXTERNAL_IP, VIP, NODE_PORT];

describe("what models of kube-proxy get wrong, in modes nftables and ipvs: endpoints and policies", () => {
  it("4. nftables draws among endpoints in the order of the text ip:port", () => {
    const { chains } = table(web(EVERYWHERE, "10.244.2.2@worker-2", "10.244.2.10@worker-2"));
    const drawn = chains
      .flatMap(({ rules }) => rules.flatMap(({ statements }) => statements))
      .find((statement) => statement.kind === "numgen-vmap");
    expect(drawn?.chains.map((chain) => chain.split("__")[1])).toEqual([
      "10.244.2.10/8080",
      "10.244.2.2/8080",
    ]);
  });

  it("6. none anywhere is a refusal; none here under policy Local a drop in nftables, and none in ipvs", async () => {
    expect(nft(web(INTERNAL_LOCAL), POD, CLUSTER_IP)).toEqual(["REJECT"]);
    expect(await ipvs(web(INTERNAL_LOCAL), POD, CLUSTER_IP)).toEqual(["REJECT"]);
    for (const to of EXTERNAL) {
      expect(nft(web(EXTERNAL_LOCAL), OUTSIDER, to)).toEqual(["REJECT"]);
      expect(await ipvs(web(EXTERNAL_LOCAL), OUTSIDER, to)).toEqual(["REJECT"]);
      expect(nft(web(EXTERNAL_LOCAL, FAR), OUTSIDER, to)).toEqual(["DROP"]);
      expect(await ipvs(web(EXTERNAL_LOCAL, FAR), OUTSIDER, to)).toEqual(["22"]);
    }
    expect(nft(web(INTERNAL_LOCAL, FAR), POD, CLUSTER_IP)).toEqual(["DROP"]);
    expect(await ipvs(web(INTERNAL_LOCAL, FAR), POD, CLUSTER_IP)).toEqual(["22"]);
  });

  it("7. an endpoint elsewhere that terminates and serves makes a drop of the refusal", () => {
    expect(nft(web(EXTERNAL_LOCAL, `${FAR} !ready terminating`), OUTSIDER, VIP)).toEqual(["DROP"]);
    expect(nft(web(EXTERNAL_LOCAL, `${FAR} !ready !serving terminating`), OUTSIDER, VIP)).toEqual(["REJECT"]);
  });

  it("8. the Cluster set and the Local set fall back to terminating endpoints each for itself", async () => {
    const cluster = web(EXTERNAL_LOCAL, `${NEAR} !ready terminating`, FAR);
    expect(nft(cluster, OUTSIDER, VIP)).toEqual(["21"]);
    expect(nft(cluster, POD, VIP)).toEqual(["22"]);
    expect(await ipvs(cluster, OUTSIDER, VIP)).toEqual(["21"]);
    expect(await ipvs(cluster, POD, CLUSTER_IP)).toEqual(["22"]);
  });

  it("9. under externalTrafficPolicy Local nftables leads this node and its Pods to every endpoint, ipvs nobody", async () => {
    const cluster = web(EXTERNAL_LOCAL, NEAR, FAR);
    for (const to of EXTERNAL) {
      expect(nft(cluster, OUTSIDER, to)).toEqual(["21"]);
      expect(nft(cluster, POD, to)).toEqual(["21", "22"]);
      expect(nft(cluster, NODE, to)).toEqual(["21 masquerade", "22 masquerade"]);
      for (const from of [OUTSIDER, POD]) expect(await ipvs(cluster, from, to)).toEqual(["21"]);
    }
    const unlike = (kubernetesVersion: "1.33" | "1.34") =>
      nft(web(EXTERNAL_LOCAL, FAR), NODE, VIP, { kubernetesVersion });
    expect(unlike("1.33")).toEqual(["DROP"]);
    expect(unlike("1.34")).toEqual(["22 masquerade"]);
  });

  it("10. on that way a Pod keeps its address, and the node's packets are masqueraded", () => {
    const cluster = web(EXTERNAL_LOCAL, FAR);
    expect(nft(cluster, POD, VIP)).toEqual(["22"]);
    expect(nft(cluster, NODE, VIP)).toEqual(["22 masquerade"]);
  });

  it("11. externalTrafficPolicy Cluster masquerades Pods too; masqueradeAll is about ClusterIPs", async () => {
    for (const to of [VIP, NODE_PORT]) {
      expect(nft(web(EVERYWHERE, FAR), POD, to)).toEqual(["22 masquerade"]);
      expect(await ipvs(web(EVERYWHERE, FAR), POD, to)).toEqual(["22 masquerade"]);
    }
    const all = { masqueradeAll: true };
    expect(nft(web(EXTERNAL_LOCAL, NEAR), OUTSIDER, VIP, all)).toEqual(["21"]);
    expect(await ipvs(web(EXTERNAL_LOCAL, NEAR), OUTSIDER, VIP, all)).toEqual(["21"]);
    expect(nft(web(EVERYWHERE, FAR), POD, CLUSTER_IP, all)).toEqual(["22 masquerade"]);
    expect(await ipvs(web(EVERYWHERE, FAR), POD, CLUSTER_IP, all)).toEqual(["22 masquerade"]);
  });

  it("12. internalTrafficPolicy Local holds the ClusterIP alone, and masquerades no one more or less", async () => {
    const cluster = web(INTERNAL_LOCAL, NEAR, FAR);
    expect(nft(cluster, POD, CLUSTER_IP)).toEqual(["21"]);
    expect(nft(cluster, OUTSIDER, CLUSTER_IP)).toEqual(["21 masquerade"]);
    expect(await ipvs(cluster, POD, CLUSTER_IP)).toEqual(["21"]);
    expect(await ipvs(cluster, OUTSIDER, CLUSTER_IP)).toEqual(["21 masquerade"]);
    expect(nft(cluster, OUTSIDER, VIP)).toEqual(["21 masquerade", "22 masquerade"]);
    expect(await ipvs(cluster, OUTSIDER, VIP)).toEqual(["21 masquerade", "22 masquerade"]);
  });

  it("13. without a detector no ClusterIP traffic is masqueraded, and Pods are held to local endpoints", async () => {
    const none = { detectLocal: "none" } as const;
    expect(nft(web(EVERYWHERE, FAR), OUTSIDER, CLUSTER_IP, none)).toEqual(["22"]);
    expect(await ipvs(web(EVERYWHERE, FAR), OUTSIDER, CLUSTER_IP, none)).toEqual(["22"]);
    expect(nft(web(EXTERNAL_LOCAL, NEAR, FAR), POD, VIP, none)).toEqual(["21"]);
  });

  it("14. an endpoint that reaches itself is masqueraded on every path", async () => {
    for (const to of [CLUSTER_IP, VIP, NODE_PORT]) {
      expect(nft(web(EXTERNAL_LOCAL, NEAR), "10.244.1.21", to)).toEqual(["21 masquerade"]);
      expect(await ipvs(web(EXTERNAL_LOCAL, NEAR), "10.244.1.21", to)).toEqual(["21 masquerade"]);
    }
  });

  it("15. externalTrafficPolicy Local means nothing where nothing is external; the Cluster set may be none at all", async () => {
    const inside: ServiceFields = { clusterIPs: "10.96.0.1", ports: "http:80" };
    const external = { ...inside, externalTrafficPolicy: "Local" } as const;
    expect(nft(web(external, FAR), POD, CLUSTER_IP)).toEqual(["22"]);
    const internal = { ...inside, internalTrafficPolicy: "Local" } as const;
    expect(nft(web(internal, FAR), POD, CLUSTER_IP)).toEqual(["DROP"]);
    // No set to fall back to: the virtual server has no destination.
    expect(serverAt(web(internal, FAR), CLUSTER_IP).servers).toEqual([]);
    expect(await ipvs(web(internal, FAR), POD, CLUSTER_IP)).toEqual(["REJECT"]);
  });
});

describe("what models of kube-proxy get wrong, in modes nftables and ipvs: load balancers and nodePorts", () => {
  const BLOCKED = "203.0.113.200";

  it("18. source ranges guard VIPs alone, and Pods are no exception", async () => {
    for (const mode of [nft, ipvs]) {
      expect(await mode(web(GUARDED, FAR), OUTSIDER, VIP)).toEqual(["22 masquerade"]);
      expect(await mode(web(GUARDED, FAR), BLOCKED, VIP)).toEqual(["DROP"]);
      expect(await mode(web(GUARDED, FAR), POD, VIP)).toEqual(["DROP"]);
      expect(await mode(web(GUARDED, FAR), BLOCKED, EXTERNAL_IP)).toEqual(["22 masquerade"]);
      expect(await mode(web(GUARDED, FAR), BLOCKED, NODE_PORT)).toEqual(["22 masquerade"]);
      expect(await mode(web(GUARDED, FAR), POD, CLUSTER_IP)).toEqual(["22"]);
    }
  });

  it("19. a range that holds the node lets the VIP reach itself; ranges of the other family alone guard nothing", async () => {
    const admitting = { ...GUARDED, sourceRanges: "172.18.0.0/16" };
    for (const mode of [nft, ipvs]) {
      expect(await mode(web(admitting, FAR), "198.51.100.1", VIP)).toEqual(["22 masquerade"]);
      expect(await mode(web(GUARDED, FAR), "198.51.100.1", VIP)).toEqual(["DROP"]);
      const other = { ...GUARDED, sourceRanges: "2001:db8::/32" };
      expect(await mode(web(other, FAR), BLOCKED, VIP)).toEqual(["22 masquerade"]);
    }
  });

  it("20. both drop who is outside of the ranges also where there are no endpoints", async () => {
    for (const mode of [nft, ipvs]) {
      expect(await mode(web(GUARDED), BLOCKED, VIP)).toEqual(["DROP"]);
      expect(await mode(web(GUARDED), OUTSIDER, VIP)).toEqual(["REJECT"]);
    }
  });

  it("21. an address of ipMode Proxy is left alone, the Service's others are not", async () => {
    const fields = { ...EVERYWHERE, ingress: "198.51.100.1!" };
    for (const mode of [nft, ipvs]) {
      expect(await mode(web(fields, FAR), POD, VIP)).toEqual(["*"]);
      expect(await mode(web(fields, FAR), OUTSIDER, NODE_PORT)).toEqual(["22 masquerade"]);
    }
  });

  it("22. other ports of a ClusterIP and pings are refused; what no Service has is dropped in nftables alone", async () => {
    for (const mode of [nft, ipvs])
      expect(await mode(web(EVERYWHERE, FAR), POD, "10.96.0.1:81")).toEqual(["REJECT"]);
    expect(nft(web(EVERYWHERE, FAR), POD, "10.96.9.9:80")).toEqual(["DROP"]);
    expect(await ipvs(web(EVERYWHERE, FAR), POD, "10.96.9.9:80")).toEqual(["*"]);
    const pinged = async (proxy: "nftables" | "ipvs") => {
      const engine = await Engine.load(rulesetOf(web(EVERYWHERE, FAR), { proxy }), { seed: 1 });
      return engine.trace(icmpEcho(POD, "10.96.0.1"), { in: "cni0" });
    };
    expect(await pinged("nftables")).toContain("cluster-ips-check");
    expect(await pinged("nftables")).toMatch(/^reject/m);
    // The address is the node's own, but the filter before it asks for no protocol.
    expect(await pinged("ipvs")).toContain("KUBE-IPVS-FILTER");
    expect(await pinged("ipvs")).toMatch(/^reject/m);
  });

  it("23. nftables answers nodePorts on the primary address, ipvs on all but loopback", async () => {
    const all = { nodePortAddresses: [prefix("0.0.0.0/0")] };
    const cluster = web(EVERYWHERE, FAR);
    expect(nft(cluster, OUTSIDER, NODE_PORT)).toEqual(["22 masquerade"]);
    expect(nft(cluster, POD, `${BRIDGE}:30080`)).toEqual(["*"]);
    expect(nft(cluster, POD, `${BRIDGE}:30080`, all)).toEqual(["22 masquerade"]);
    expect(nft(cluster, NODE, "127.0.0.1:30080", all)).toEqual(["*"]);
    expect(await ipvs(cluster, POD, `${BRIDGE}:30080`)).toEqual(["22 masquerade"]);
    expect(() => serverAt(cluster, "127.0.0.1:30080")).toThrow("no virtual server");
  });

  it("24. nftables has no rule for health checks; ipvs has one, also without endpoints", () => {
    const fields = { ...EXTERNAL_LOCAL, healthCheckNodePort: 32000 };
    expect(
      JSON.stringify(table(web(fields)), (_, value) => (typeof value === "bigint" ? 0 : value)),
    ).not.toContain("32000");
    const sets = rulesetOf(web(fields)).ipsets ?? [];
    expect(sets.find(({ name }) => name === "KUBE-HEALTH-CHECK-NODE-PORT")?.entries).toEqual([
      { port: 32000 },
    ]);
  });

  it("26. affinity is one set an endpoint in nftables, and each virtual server's own in ipvs", () => {
    const cluster = web({ ...EVERYWHERE, affinitySeconds: 60 }, NEAR, FAR);
    const { sets, chains } = table(cluster);
    expect(sets.filter(({ dynamic }) => dynamic !== undefined)).toHaveLength(2);
    const updates = chains.filter(({ rules }) =>
      rules.some(({ statements }) => statements.some(({ kind }) => kind === "update-set")),
    );
    expect(updates.map(({ name }) => name.split("-")[0])).toEqual(["endpoint", "endpoint"]);
    const servers = rulesetOf(cluster).ipvs?.servers ?? [];
    expect(servers.length).toBeGreaterThan(4);
    expect(servers.every(({ persistence }) => persistence === 60)).toBe(true);
  });

  it("27. a client is remembered only among the endpoints of the chain that its packet walks", () => {
    const { chains } = table(web({ ...EXTERNAL_LOCAL, affinitySeconds: 60 }, NEAR, FAR));
    const asked = (chain: string) =>
      chains
        .find(({ name }) => name.startsWith(chain) && name.includes("/"))
        ?.rules.flatMap(({ statements }) => statements)
        .flatMap((one) => (one.kind === "match-address-set" ? [one.set.split("__")[1]] : []));
    expect(asked("service-")).toEqual(["10.244.1.21/8080", "10.244.2.22/8080"]);
    expect(asked("local-")).toEqual(["10.244.1.21/8080"]);
  });

  it("28. a chain's hash in nftables is of ns/name/proto/port and the endpoint behind two underscores, eight characters", () => {
    const { chains } = table(
      clusterOf()
        .service("ns1/svc1", { clusterIPs: "10.96.0.1", ports: "p80:80" })
        .slice("ns1/svc1", "p80:80", "10.180.0.1"),
    );
    const names = chains.map(({ name }) => name).filter((name) => name.includes("/"));
    expect(names).toEqual([
      "service-ULMVA6XW-ns1/svc1/tcp/p80",
      "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80",
    ]);
  });

  it("29. ipvs has no short circuit and drops nothing for policy Local; KUBE-LOOP-BACK is of local endpoints alone", async () => {
    const cluster = web(EXTERNAL_LOCAL, FAR);
    expect(await ipvs(cluster, OUTSIDER, VIP)).toEqual(["22"]);
    expect(await ipvs(web(EXTERNAL_LOCAL, NEAR, FAR), POD, VIP)).toEqual(["21"]);
    const loopBack = (...endpoints: readonly string[]) => {
      const { ipsets = [] } = rulesetOf(web(EVERYWHERE, ...endpoints));
      return ipsets.find(({ name }) => name === "KUBE-LOOP-BACK")?.entries.map((entry) => entry.ip);
    };
    expect(loopBack(`${NEAR} !ready`, FAR, "10.244.1.30")).toEqual([ip("10.244.1.21")]);
  });

  it("30. rr and dh take a server of weight 5 no more often than one of weight 1, rr never one of weight 0", async () => {
    const made = rulesetOf(web(EVERYWHERE, NEAR, FAR, "10.244.2.23@worker-2"));
    const weights = [0, 5, 1];
    const weighed = (scheduler: "rr" | "dh"): Ruleset => ({
      ...made,
      ipvs: {
        servers: (made.ipvs?.servers ?? []).map((server) => ({
          ...server,
          scheduler,
          servers: server.servers.map((one, index) => ({ ...one, weight: weights[index] ?? 1 })),
        })),
      },
    });
    const engine = await Engine.load(weighed("rr"), { seed: 1 });
    const picked = Array.from(
      { length: 10 },
      (_, index) =>
        /→ 10\.244\.\d\.(\d+):8080/.exec(
          engine.trace(tcp(`${POD}:${42000 + index}`, CLUSTER_IP), { in: "cni0" }),
        )?.[1],
    );
    expect(new Set(picked)).toEqual(new Set(["22", "23"]));
    expect(picked.filter((one) => one === "22")).toHaveLength(5);
    // The destination's address alone chooses.
    expect(await ipvsOf(weighed("dh"), POD, CLUSTER_IP)).toHaveLength(1);
  });
});

import { describe, expect, it } from "vitest";
import { Compilation } from "../../src/compilation.js";
import { Engine } from "../../src/engine/engine.js";
import { tcp } from "../../src/packet/build.js";
import { base32Sha256, hash16 } from "../../src/proxy/chain-name.js";
import { healthChecks } from "../../src/proxy/health-check.js";
import { compileIptables, type IptablesOptions } from "../../src/proxy/iptables.js";
import type { Iptables, Match } from "../../src/ruleset/iptables.js";
import { type ClusterBuilder, clusterOf, ip, nodeOf, type ServiceFields } from "./cluster-of.js";
import { walk } from "./iptables-walk.js";

const NODE = "172.18.0.2";
const LOCAL = [NODE, "10.244.1.1", "127.0.0.1"].map(ip);
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

const NEAR = "10.244.1.21@worker-1";
const FAR = "10.244.2.22@worker-2";

/** shop/web as said, on worker-1. */
function web(fields: ServiceFields, ...endpoints: readonly string[]): ClusterBuilder {
  return clusterOf()
    .service("shop/web", fields)
    .slice("shop/web", "http:8080", ...endpoints);
}

function compiled(cluster: ClusterBuilder, options: IptablesOptions = {}): Iptables {
  const built = cluster.build();
  return compileIptables(built, nodeOf(built), options).iptables;
}

/** Where a new TCP connection may go, in any order: `21`, `22 masquerade` are endpoints, `*` is an untouched packet. */
function ways(
  cluster: ClusterBuilder,
  from: string,
  to: string,
  options: IptablesOptions = {},
): readonly string[] {
  const [dst = "", port] = to.split(":");
  const packet = { src: ip(from), dst: ip(dst), protocol: "TCP", dport: Number(port) } as const;
  const fromNode = LOCAL.includes(packet.src);
  const ends = walk(compiled(cluster, options), { ...packet, fromNode }, LOCAL);
  return [...ends.keys()].map((end) => end.replace(to, "*").replace(/^10\.244\.\d\.(\d+):8080/, "$1")).sort();
}

/** The matches of one kind in the chains whose names begin so, in order. */
function matchesOf<K extends Match["kind"]>(iptables: Iptables, chain: string, kind: K) {
  const chains = iptables.tables
    .flatMap((table) => table.chains)
    .filter(({ name }) => name.startsWith(chain));
  return chains.flatMap(({ rules }) =>
    rules.flatMap(({ matches }) =>
      matches.filter((match): match is Extract<Match, { kind: K }> => match.kind === kind),
    ),
  );
}

function jumpsOf(iptables: Iptables, chain: string, to: string): readonly string[] {
  const chains = iptables.tables
    .flatMap((table) => table.chains)
    .filter(({ name }) => name.startsWith(chain));
  return chains
    .flatMap(({ rules }) => rules.map(({ comment, target }) => ({ comment: comment ?? "", target })))
    .filter(({ target }) => target?.kind === "jump" && target.chain.startsWith(to))
    .map(({ comment }) => comment);
}

describe("what models of kube-proxy get wrong: endpoints", () => {
  it("1. a slice's port joins by name and protocol and brings its own number", () => {
    const cluster = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80 admin:81" })
      .slice("shop/web", "http:8080/UDP", "10.244.1.30")
      .slice("shop/web", "admin:9090", "10.244.1.31")
      .slice("shop/web", "http:8080", NEAR);
    expect(ways(cluster, POD, CLUSTER_IP)).toEqual(["21"]);
    expect(ways(cluster, POD, "10.96.0.1:81")).toEqual(["10.244.1.31:9090"]);
  });

  it("2. what a slice leaves open is ready, serving and not terminating; without nodeName it is elsewhere", () => {
    const fields = { ...EXTERNAL_LOCAL };
    expect(ways(web(fields, "10.244.1.21"), OUTSIDER, VIP)).toEqual(["DROP"]);
    expect(ways(web(fields, NEAR), OUTSIDER, VIP)).toEqual(["21"]);
    // Not ready and terminating, serving left open: it serves.
    expect(ways(web(fields, `${NEAR} !ready terminating`), OUTSIDER, VIP)).toEqual(["21"]);
    expect(ways(web(fields, `${NEAR} !ready`), OUTSIDER, VIP)).toEqual(["REJECT"]);
  });

  it("3. of equal ip:port the later counts, unless it is terminating; another port is another endpoint", () => {
    const twice = (first: string, second: string) =>
      web(EXTERNAL_LOCAL, first).slice("shop/web", "http:8080", second);
    expect(ways(twice("10.244.1.21@worker-2", NEAR), OUTSIDER, VIP)).toEqual(["21"]);
    expect(ways(twice(NEAR, "10.244.1.21@worker-2 !ready terminating"), OUTSIDER, VIP)).toEqual(["21"]);
    const ports = web(EVERYWHERE, NEAR).slice("shop/web", "http:8081", NEAR);
    expect(ways(ports, POD, CLUSTER_IP)).toEqual(["10.244.1.21:8081", "21"]);
  });

  it("4. endpoints stand in the order of the text ip:port", () => {
    const texts = ["10.0.0.2", "10.1.1.1", "10.0.0.10", "10.1.1.11"];
    const cluster = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80", affinitySeconds: 60 })
      .slice("shop/web", "http:11", ...texts);
    const order = ["10.0.0.10", "10.0.0.2", "10.1.1.11", "10.1.1.1"].map((at) => `shop/web:http -> ${at}:11`);
    const comments = jumpsOf(compiled(cluster), "KUBE-SVC-", "KUBE-SEP-");
    expect(comments).toEqual([...order, ...order]);
  });

  it("5. the rule of the i-th of n endpoints has one chance in n - i, of ten decimals, and the last has no match", () => {
    const cluster = web(EVERYWHERE, "10.244.1.1", "10.244.1.2", "10.244.1.3");
    const drawn = matchesOf(compiled(cluster), "KUBE-SVC-", "statistic").map(({ threshold }) => threshold);
    expect(drawn).toEqual([Math.round(0.3333333333 * 2 ** 31), 2 ** 30]);
    expect(jumpsOf(compiled(cluster), "KUBE-SVC-", "KUBE-SEP-")).toHaveLength(3);
  });

  it("6. without any endpoint a packet is refused, with none here under policy Local it is dropped", () => {
    for (const to of [EXTERNAL_IP, VIP, NODE_PORT]) {
      expect(ways(web(EXTERNAL_LOCAL), OUTSIDER, to)).toEqual(["REJECT"]);
      expect(ways(web(EXTERNAL_LOCAL, FAR), OUTSIDER, to)).toEqual(["DROP"]);
    }
    const internal: ServiceFields = { ...EVERYWHERE, internalTrafficPolicy: "Local" };
    expect(ways(web(internal), POD, CLUSTER_IP)).toEqual(["REJECT"]);
    expect(ways(web(internal, FAR), POD, CLUSTER_IP)).toEqual(["DROP"]);
  });

  it("7. an endpoint elsewhere that terminates and serves makes a drop of the refusal", () => {
    expect(ways(web(EXTERNAL_LOCAL, `${FAR} !ready`), OUTSIDER, VIP)).toEqual(["REJECT"]);
    expect(ways(web(EXTERNAL_LOCAL, `${FAR} !ready terminating`), OUTSIDER, VIP)).toEqual(["DROP"]);
    expect(ways(web(EXTERNAL_LOCAL, `${FAR} !ready !serving terminating`), OUTSIDER, VIP)).toEqual([
      "REJECT",
    ]);
  });

  it("8. the Cluster set and the Local set fall back to terminating endpoints each for itself", () => {
    const cluster = web(EXTERNAL_LOCAL, `${NEAR} !ready terminating`, FAR);
    expect(ways(cluster, OUTSIDER, VIP)).toEqual(["21"]);
    expect(ways(cluster, POD, VIP)).toEqual(["22"]);
    expect(ways(cluster, POD, CLUSTER_IP)).toEqual(["22"]);
  });

  it("25. hints hold if every ready endpoint has one, nodes' before zones', and never for the Local set", () => {
    const zoned = (...endpoints: readonly string[]) => {
      const cluster = clusterOf()
        .node("here", "172.18.0.9", "10.244.9.0/24", { "topology.kubernetes.io/zone": "east" })
        .service("shop/web", EXTERNAL_LOCAL)
        .slice("shop/web", "http:8080", ...endpoints)
        .build();
      const { iptables } = compileIptables(cluster, nodeOf(cluster, "here"));
      const chosen = (chain: string) =>
        jumpsOf(iptables, chain, "KUBE-SEP-").map((comment) => /\.(\d+):8080$/.exec(comment)?.[1]);
      return [chosen("KUBE-SVC-").join(), chosen("KUBE-SVL-").join()];
    };
    expect(zoned("10.0.0.1@here zone=west", "10.0.0.2@a zone=east")).toEqual(["2", "1"]);
    expect(zoned("10.0.0.1@here zone=west", "10.0.0.2@a zone=east", "10.0.0.3@a")).toEqual(["1,2,3", "1"]);
    expect(zoned("10.0.0.1@a zone=east", "10.0.0.2@a zone=east node=here")).toEqual(["1,2", ""]);
    expect(zoned("10.0.0.1@a zone=east node=a", "10.0.0.2@a zone=west node=here")).toEqual(["2", ""]);
    expect(zoned("10.0.0.1@a zone=east node=a", "10.0.0.2@a zone=west node=b")).toEqual(["1", ""]);
  });
});

describe("what models of kube-proxy get wrong: policies and masquerade", () => {
  it("9. under externalTrafficPolicy Local this node and its Pods still reach every endpoint", () => {
    const cluster = web(EXTERNAL_LOCAL, NEAR, FAR);
    for (const to of [EXTERNAL_IP, VIP, NODE_PORT]) {
      expect(ways(cluster, OUTSIDER, to)).toEqual(["21"]);
      expect(ways(cluster, POD, to).map((way) => way.slice(0, 2))).toEqual(["21", "22"]);
      expect(ways(cluster, NODE, to).map((way) => way.slice(0, 2))).toEqual(["21", "22"]);
    }
  });

  it("10. on that way a Pod keeps its address, and the node's packets are masqueraded", () => {
    const cluster = web(EXTERNAL_LOCAL, FAR);
    expect(ways(cluster, POD, VIP)).toEqual(["22"]);
    expect(ways(cluster, NODE, VIP)).toEqual(["22 masquerade"]);
  });

  it("11. externalTrafficPolicy Cluster masquerades Pods too; masqueradeAll is about ClusterIPs", () => {
    const cluster = web(EVERYWHERE, FAR);
    for (const to of [EXTERNAL_IP, VIP, NODE_PORT]) expect(ways(cluster, POD, to)).toEqual(["22 masquerade"]);
    expect(ways(cluster, POD, CLUSTER_IP)).toEqual(["22"]);
    expect(ways(cluster, POD, CLUSTER_IP, { masqueradeAll: true })).toEqual(["22 masquerade"]);
    expect(ways(web(EXTERNAL_LOCAL, NEAR), OUTSIDER, VIP, { masqueradeAll: true })).toEqual(["21"]);
  });

  it("12. internalTrafficPolicy Local holds the ClusterIP alone, and masquerades no one more or less", () => {
    const cluster = web({ ...EVERYWHERE, internalTrafficPolicy: "Local" }, NEAR, FAR);
    expect(ways(cluster, POD, CLUSTER_IP)).toEqual(["21"]);
    expect(ways(cluster, OUTSIDER, CLUSTER_IP)).toEqual(["21 masquerade"]);
    for (const to of [EXTERNAL_IP, VIP, NODE_PORT]) {
      expect(ways(cluster, OUTSIDER, to)).toEqual(["21 masquerade", "22 masquerade"]);
    }
  });

  it("13. without a detector no ClusterIP traffic is masqueraded, and Pods are held to local endpoints", () => {
    const options = { detectLocal: "none" } as const;
    expect(ways(web(EVERYWHERE, FAR), OUTSIDER, CLUSTER_IP, options)).toEqual(["22"]);
    expect(ways(web(EXTERNAL_LOCAL, NEAR, FAR), POD, VIP, options)).toEqual(["21"]);
    expect(ways(web(EXTERNAL_LOCAL, FAR), POD, VIP, options)).toEqual(["DROP"]);
    expect(ways(web(EXTERNAL_LOCAL, FAR), NODE, VIP, options)).toEqual(["22 masquerade"]);
  });

  it("14. an endpoint that reaches itself is masqueraded on every path", () => {
    const self = "10.244.1.21";
    expect(ways(web(EVERYWHERE, NEAR), self, CLUSTER_IP)).toEqual(["21 masquerade"]);
    for (const to of [EXTERNAL_IP, VIP, NODE_PORT]) {
      expect(ways(web(EXTERNAL_LOCAL, NEAR), self, to)).toEqual(["21 masquerade"]);
      expect(ways(web(EXTERNAL_LOCAL, NEAR), self, to, { detectLocal: "none" })).toEqual(["21 masquerade"]);
    }
  });

  it("15. externalTrafficPolicy Local means nothing where nothing is external; the Cluster set may be none at all", () => {
    const inside: ServiceFields = { clusterIPs: "10.96.0.1", ports: "http:80", type: "LoadBalancer" };
    const chains = (fields: ServiceFields) =>
      compiled(web(fields, NEAR, FAR))
        .tables.flatMap(({ chains }) => chains.map(({ name }) => name.slice(0, 9)))
        .filter((name) => /^KUBE-(SVC|SVL|EXT|SEP)-/.test(name));
    expect(chains({ ...inside, externalTrafficPolicy: "Local" })).toEqual([
      "KUBE-SVC-",
      "KUBE-SEP-",
      "KUBE-SEP-",
    ]);
    expect(chains({ ...inside, internalTrafficPolicy: "Local" })).toEqual(["KUBE-SVL-", "KUBE-SEP-"]);
  });

  it("16. filter sees where DNAT sent a packet: rules that lead to endpoints and rules that drop stand together", () => {
    const iptables = compiled(web(EXTERNAL_LOCAL, FAR));
    const about = (table: string) =>
      iptables.tables
        .filter(({ name }) => name === table)
        .flatMap(({ chains }) => chains.flatMap(({ rules }) => rules))
        .filter(({ matches }) =>
          matches.some(
            (match) => match.kind === "destination" && match.prefix.address === ip("198.51.100.1"),
          ),
        )
        .map(({ target }) => target?.kind);
    expect([about("nat"), about("filter")]).toEqual([["jump"], ["drop"]]);
    expect(ways(web(EXTERNAL_LOCAL, FAR), POD, VIP)).toEqual(["22"]);
    expect(ways(web(EXTERNAL_LOCAL, FAR), OUTSIDER, VIP)).toEqual(["DROP"]);
  });

  it("17. nat is asked once for a connection: its packets go on to an endpoint that has left", async () => {
    const cluster = web({ clusterIPs: "10.96.0.1", ports: "http:80" }, FAR).build();
    const compilation = new Compilation(cluster, { node: "worker-1" });
    const engine = await Engine.load(compilation.ruleset, { seed: 1 });
    const way = (flags: string, port: number) => engine.trace(tcp(`${POD}:${port}`, CLUSTER_IP, { flags }));
    expect(way("S", 41000)).toContain("10.244.2.22");
    engine.trace(tcp("10.244.2.22:8080", `${POD}:41000`, { flags: "SA" }));
    const [slice] = cluster.endpointSlices;
    if (slice === undefined) throw new Error("no slice");
    engine.apply(compilation.apply({ kind: "endpointslice-deleted", namespace: "shop", name: slice.name }));
    expect(way("A", 41000)).toContain("10.244.2.22");
    expect(way("S", 41001)).not.toContain("10.244.2.22");
  });
});

describe("what models of kube-proxy get wrong: source ranges, load balancers and nodePorts", () => {
  const GUARDED: ServiceFields = { ...EVERYWHERE, sourceRanges: "198.51.100.128/25" };

  it("18. source ranges guard VIPs alone, and Pods are no exception", () => {
    const cluster = web(GUARDED, FAR);
    expect(ways(cluster, OUTSIDER, VIP)).toEqual(["DROP"]);
    expect(ways(cluster, POD, VIP)).toEqual(["DROP"]);
    expect(ways(cluster, "198.51.100.200", VIP)).toEqual(["22 masquerade"]);
    for (const to of [EXTERNAL_IP, NODE_PORT, CLUSTER_IP]) {
      expect(ways(cluster, OUTSIDER, to)).toEqual(["22 masquerade"]);
    }
  });

  it("19. a range that holds the node lets the VIP reach itself; ranges of the other family alone guard nothing", () => {
    const near = web({ ...GUARDED, sourceRanges: "172.18.0.0/16" }, FAR);
    expect(ways(near, "198.51.100.1", VIP)).toEqual(["22 masquerade"]);
    expect(ways(web(GUARDED, FAR), "198.51.100.1", VIP)).toEqual(["DROP"]);
    expect(ways(web({ ...GUARDED, sourceRanges: "2001:db8::/32" }, FAR), OUTSIDER, VIP)).toEqual([
      "22 masquerade",
    ]);
  });

  it("20. iptables asks for source ranges behind DNAT: without endpoints everyone is refused", () => {
    expect(ways(web(GUARDED), OUTSIDER, VIP)).toEqual(["REJECT"]);
    expect(ways(web(GUARDED), "198.51.100.200", VIP)).toEqual(["REJECT"]);
  });

  it("21. an address of ipMode Proxy is left alone, the Service's others are not", () => {
    const cluster = web({ ...EVERYWHERE, ingress: "198.51.100.1!" }, FAR);
    expect(ways(cluster, OUTSIDER, VIP)).toEqual(["*"]);
    expect(ways(cluster, OUTSIDER, NODE_PORT)).toEqual(["22 masquerade"]);
    expect(ways(cluster, POD, CLUSTER_IP)).toEqual(["22"]);
  });

  it("22. iptables leaves other ports of a ClusterIP alone, and ClusterIPs that no Service has", () => {
    expect(ways(web(EVERYWHERE, FAR), POD, "10.96.0.1:81")).toEqual(["*"]);
    expect(ways(web(EVERYWHERE, FAR), POD, "10.96.0.99:80")).toEqual(["*"]);
  });

  it("23. iptables answers nodePorts on every local address, 127.0.0.1 among them with masquerade, never ::1", () => {
    const cluster = web(EVERYWHERE, FAR);
    expect(ways(cluster, OUTSIDER, "10.244.1.1:30080")).toEqual(["22 masquerade"]);
    expect(ways(cluster, "127.0.0.1", "127.0.0.1:30080")).toEqual(["22 masquerade"]);
    expect(ways(cluster, "127.0.0.1", "127.0.0.1:30080", { localhostNodePorts: false })).toEqual(["*"]);
    const six = clusterOf()
      .service("shop/web", { clusterIPs: "fd00:96::1", ports: "http:80>30080" })
      .slice("shop/web", "http:8080", "fd00:244::22@worker-2");
    const to = (text: string) => {
      const packet = { src: ip(text), dst: ip(text), protocol: "TCP", dport: 30080, fromNode: true } as const;
      return [...walk(compiled(six, { family: 6 }), packet, ["::1", "fd00:18::2"].map(ip)).keys()];
    };
    expect(to("::1")).toEqual(["[::1]:30080"]);
    expect(to("fd00:18::2")).toEqual(["[fd00:244::22]:8080 masquerade"]);
  });

  it("24. the health check's rule accepts without endpoints, on every address; the answer counts those that are ready here", () => {
    const fields: ServiceFields = { ...EXTERNAL_LOCAL, healthCheckNodePort: 32000 };
    const ports = (cluster: ClusterBuilder, options: IptablesOptions) =>
      compiled(cluster, options)
        .tables.filter(({ name }) => name === "filter")
        .flatMap(({ chains }) => chains.filter(({ name }) => name === "KUBE-NODEPORTS"))
        .flatMap(({ rules }) => rules.map(({ matches, target }) => [target?.kind, matches.at(-1)]));
    const accepted = [["accept", { kind: "dport", from: 32000, to: 32000 }]];
    const elsewhere = { nodePortAddresses: [{ address: ip("192.0.2.0"), length: 24 }] };
    expect(ports(web(fields), {})).toEqual(accepted);
    expect(ports(web(fields, NEAR), elsewhere)).toEqual(accepted);
    expect(ports(web({ ...fields, externalTrafficPolicy: "Cluster" }, NEAR), {})).toEqual([]);
    const answer = (...endpoints: readonly string[]) =>
      healthChecks(web(fields, ...endpoints).build(), "worker-1").map(
        ({ service, port, status, localEndpoints }) => `${service} ${port} ${status} ${localEndpoints}`,
      );
    const draining = "10.244.1.23@worker-1 !ready terminating";
    expect(answer()).toEqual(["shop/web 32000 503 0"]);
    expect(answer(FAR, draining)).toEqual(["shop/web 32000 503 0"]);
    expect(answer(NEAR, FAR, draining, "10.244.1.24")).toEqual(["shop/web 32000 200 1"]);
  });
});

describe("what models of kube-proxy get wrong: affinity and names", () => {
  const STICKY: ServiceFields = { ...EXTERNAL_LOCAL, affinitySeconds: 600 };

  it("26. an endpoint's clients are one list for every address of the port, set by new connections alone", () => {
    const iptables = compiled(web(STICKY, NEAR, FAR));
    const recent = matchesOf(iptables, "KUBE-", "recent");
    const of = (op: string) => recent.filter((match) => match.op === op).map(({ name }) => name);
    // Each endpoint's own chain sets it, and that is reached from any address; nothing else touches it.
    expect(of("set")).toHaveLength(2);
    expect(new Set(of("rcheck"))).toEqual(new Set(of("set")));
    expect(recent.every(({ op, seconds }) => op === "set" || seconds === 600)).toBe(true);
  });

  it("27. a client is remembered only among the endpoints of the chain that its packet walks", () => {
    const iptables = compiled(web(STICKY, NEAR, FAR));
    const names = (chain: string) => matchesOf(iptables, chain, "recent").map(({ name }) => name);
    expect(names("KUBE-SVC-")).toHaveLength(2);
    expect(names("KUBE-SVL-")).toEqual([hash16("shop/web:http", "TCP", "10.244.1.21:8080", "KUBE-SEP-")]);
  });

  it("28. a chain's hash is of the printed port, the protocol and the endpoint, without anything between", () => {
    expect(hash16("ns1/svc1:p80", "TCP")).toBe("XPGD46QRK7WJZT7O");
    const together = base32Sha256("ns1/svc1:p80tcp10.180.0.1:80", 16);
    expect(hash16("ns1/svc1:p80", "TCP", "10.180.0.1:80")).toBe(together);
  });
});

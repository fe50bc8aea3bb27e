import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder } from "../packet/shared-captures.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { packetyard } from "./packetyard.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;

function trace(args: readonly string[], cluster = SMALL_CLUSTER) {
  return packetyard(["trace", "-f", "-", ...args], cluster);
}

/** The stages of every node, by its heading. */
function stagesOf(stdout: string): Record<string, string[]> {
  const nodes = stdout.split(/^node /m).slice(1);
  return Object.fromEntries(
    nodes.map((text) => {
      const [name = "", ...lines] = text.split("\n\n")[0]?.split("\n") ?? [];
      return [name, lines.map((line) => line.split(" ")[0] ?? "").filter((stage) => stage !== "")];
    }),
  );
}

describe("packetyard trace", () => {
  it("tells the way through two nodes, and where it ends", () => {
    const { stdout, code } = trace(["--from", "pod/shop/cart", "--to", "svc/shop/far:80", "--mode", "ipvs"]);
    expect(code).toBe(0);
    const port = /172\.18\.0\.3\.([0-9]+) > 172\.18\.0\.4\.8472/.exec(stdout)?.[1];
    expect(stdout.split("\n")).toEqual([
      "node worker-1",
      "parse      10.244.1.7.41000 > 10.96.0.20.80: tcp, 54 octets (pod/shop/cart > svc/shop/far)",
      "conntrack  new connection",
      "ipvs       shop/far:http 10.96.0.20:80, rr → 10.244.2.9:8080",
      "ipvs       connection: NONE → SYN_RECV",
      "translate  dst 10.96.0.20:80 → 10.244.2.9:8080",
      "route      10.244.2.0/24 → vtep worker-2 (flannel.1)",
      "encap      vxlan vni 1, 172.18.0.3 > 172.18.0.4, 104 octets",
      "forward    eth0",
      "",
      "node worker-2",
      `parse      172.18.0.3.${port} > 172.18.0.4.8472: udp, 104 octets (node/worker-1 > node/worker-2)`,
      "decap      vxlan vni 1, 172.18.0.3 > 172.18.0.4 → flannel.1",
      "parse      10.244.1.7.41000 > 10.244.2.9.8080: tcp, 54 octets (pod/shop/cart > pod/shop/far)",
      "conntrack  new connection",
      "route      10.244.2.9 → pod/shop/far (cni0)",
      "forward    cni0 to pod/shop/far",
      "",
      "delivered to pod/shop/far on node worker-2",
      "",
    ]);
  });

  const DUAL = `
apiVersion: v1
kind: Node
metadata: { name: a }
spec: { podCIDRs: [10.244.1.0/24, "fd00:244:0:1::/64"] }
---
apiVersion: v1
kind: Node
metadata: { name: b }
spec: { podCIDRs: [10.244.2.0/24, "fd00:244:0:2::/64"] }
---
apiVersion: v1
kind: Pod
metadata: { name: cart, namespace: shop }
spec: { nodeName: a }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { nodeName: b }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }], ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4] }
---
apiVersion: v1
kind: Service
metadata: { name: six, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }], ipFamilies: [IPv6] }
`;

  it.each(MODES)("follows packets of either family, of IPv4 where both ends have it: %s", (mode) => {
    const to = (end: string, from = "pod/shop/cart") =>
      trace(["--from", from, "--to", end, "--mode", mode], DUAL).stdout.split("\n");
    expect(to("svc/shop/web")[1]).toContain("10.244.1.2.41000 > 10.96.1.1.80: tcp");
    expect(to("svc/shop/six")[1]).toContain("fd00:244:0:1::2.41000 > fd00:10:96::102.80: tcp");
    for (const end of ["svc/shop/six", "[fd00:10:96::101]:80", "[fd00:244:0:2::2]:80"]) {
      expect(to(end).at(-2)).toBe("delivered to pod/shop/web on node b");
      expect(to(end, "[fd00:244:0:1::2]:40000").at(-2)).toBe("delivered to pod/shop/web on node b");
    }
  });

  it("says that an IPv6 address stands in brackets, and that a packet has one family", () => {
    const refused = (from: string, end: string) => trace(["--from", from, "--to", end], DUAL).stderr;
    expect(refused("pod/shop/cart", "fd00::1")).toContain("write [fd00::1]:PORT");
    expect(refused("10.244.1.2:1", "svc/shop/six")).toContain(
      "10.244.1.2 is of IPv4 and svc/shop/six of IPv6: no packet has both.",
    );
  });

  it.each(MODES)("ends at the same Pod in mode %s", (mode) => {
    const near = trace(["--from", "pod/shop/cart", "--to", "svc/shop/near:http", "--mode", mode]);
    expect(near.stdout).toMatch(/\n\ndelivered to pod\/shop\/near on node worker-1\n$/);
    expect(Object.keys(stagesOf(near.stdout))).toEqual(["worker-1"]);
    const far = trace(["--from", "pod/shop/cart", "--to", "svc/shop/far", "--mode", mode]);
    expect(far.stdout).toMatch(/\n\ndelivered to pod\/shop\/far on node worker-2\n$/);
    expect(stagesOf(far.stdout)["worker-2"]).toEqual(expect.arrayContaining(["decap", "forward"]));
  });

  it.each(MODES)("refuses for a Service without endpoints in mode %s", (mode) => {
    const { stdout, code } = trace(["--from", "pod/shop/cart", "--to", "svc/shop/empty", "--mode", mode]);
    expect(code).toBe(0);
    const source = mode === "ipvs" ? "10\\.96\\.0\\.99" : "10\\.244\\.1\\.1";
    expect(stdout).toMatch(new RegExp(`^answer {5}ICMP port unreachable, ${source} > .*, by cni0$`, "m"));
    expect(stdout).toMatch(/\n\nrejected on node worker-1: ICMP port unreachable: shop\/empty:http .*\n$/);
  });

  it("starts where the sender lives, wherever the option says otherwise", () => {
    const fromFar = trace(["--from", "pod/shop/far", "--to", "svc/shop/near"]).stdout;
    expect(Object.keys(stagesOf(fromFar))).toEqual(["worker-2", "worker-1"]);
    const byAddress = trace(["--from", "10.244.2.9", "--to", "svc/shop/near"]).stdout;
    expect(byAddress).toBe(fromFar);
    const client = ["--from", "198.51.100.7:40000", "--to", "node/worker-2:30080"];
    expect(Object.keys(stagesOf(trace([...client, "--node", "worker-2"]).stdout))).toEqual([
      "worker-2",
      "worker-1",
    ]);
  });

  it("sends from the node itself", () => {
    const { stdout } = trace(["--from", "node/worker-1", "--to", "svc/shop/near"]);
    expect(stdout).toContain("\nparse      172.18.0.3.41000 > 10.96.0.10.80: tcp");
    expect(stdout).toContain("nat OUTPUT → KUBE-SERVICES");
  });

  it("says that the node itself got it", () => {
    const { stdout } = trace(["--from", "pod/shop/cart", "--to", "node/worker-1:22"]);
    expect(stdout).toMatch(/\n\ndelivered to the node itself \(worker-1\)\n$/);
  });

  it("shows every example in its help working", () => {
    const { stdout: help } = packetyard(["trace", "--help"]);
    const examples = help.match(/^ {2}packetyard trace .*$/gm) ?? [];
    expect(examples.length).toBe(6);
    for (const example of examples) {
      const args = example.trim().split(" ").slice(1);
      const given = args.map((arg) => {
        if (/^(rules|addr|route)$/.test(arg)) return `test/cli/dumps/${arg}`;
        if (arg === "flows.jsonl") return `test/cli/${arg}`;
        return arg === "cluster.yaml" ? "examples/shop.yaml" : arg;
      });
      expect([example, packetyard(given).code]).toEqual([example, 0]);
    }
    expect(help).toContain("node/NAME[:PORT]");
  });

  it("takes ports and protocols as told", () => {
    const args = ["--from", "pod/shop/cart", "--to", "10.244.2.9:53", "--protocol", "udp", "--sport", "5353"];
    expect(trace(args).stdout).toContain("10.244.1.7.5353 > 10.244.2.9.53: udp");
    expect(trace(["--from", "pod/shop/cart:http", "--to", "pod/shop/far:http"]).stdout).toContain(
      "10.244.1.7.8080 > 10.244.2.9.8080: tcp",
    );
  });

  it("sends SCTP and ICMP, which has no ports", () => {
    const sctp = trace(["--from", "pod/shop/cart", "--to", "svc/shop/far:80", "--protocol", "sctp"]);
    expect(sctp.stdout).toContain("10.244.1.7.41000 > 10.96.0.20.80: sctp");
    const icmp = trace(["--from", "pod/shop/cart", "--to", "pod/shop/far", "--protocol", "icmp"]);
    expect(icmp.stdout).toContain("10.244.1.7 > 10.244.2.9: icmp");
    expect(icmp.stdout).toContain("\n\ndelivered to pod/shop/far on node worker-2\n");
  });

  it("tells the likeliest outcome, the first of equals, unless a seed is given", () => {
    const to = (mode: string) => ["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web", "--mode", mode];
    const first = packetyard(to("iptables")).stdout;
    expect(first).toContain("→ 10.244.1.2:8080\n");
    expect(packetyard(to("nftables")).stdout).toContain("→ 10.244.1.2:8080\n");
    expect(packetyard([...to("ipvs"), "--seed", "1"]).stdout).toBe(packetyard(to("ipvs")).stdout);
  });

  it("takes a protocol in either case, and refuses others", () => {
    const dns = ["trace", "--from", "pod/shop/cart", "--to", "10.244.2.9:53", "--protocol"];
    for (const word of ["UDP", "Udp", "udp"])
      expect(packetyard([...dns, word]).stdout).toContain(".53: udp,");
    const { code, stderr } = packetyard([...dns, "GRE"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/argument 'GRE' is invalid\. Allowed choices are tcp, udp, sctp, icmp\.$/m);
  });

  it("takes the protocol that the destination's port is declared with", () => {
    const dns = ["trace", "--from", "pod/shop/cart", "--to", "svc/shop/dns:53"];
    expect(packetyard(dns).stdout).toContain(".53: udp,");
    expect(packetyard([...dns, "--protocol", "tcp"]).stdout).toContain(".53: tcp,");
    expect(packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/dns:dns-tcp"]).stdout).toContain(
      ".53: tcp,",
    );
  });

  it("takes a Deployment's name for its first Pod, and says so", () => {
    const { stdout, stderr } = packetyard(["trace", "--from", "pod/shop/web", "--to", "svc/shop/cart"]);
    const [, pod] = /^note: pod\/shop\/web is taken for (web-\S+), the first of 3\.$/m.exec(stderr) ?? [];
    expect(stdout).toContain(`(pod/shop/${pod} > svc/shop/cart)`);
  });

  it("sends to a port that a Service does not have, and says so", () => {
    const { stdout, stderr } = trace(["--from", "pod/shop/cart", "--to", "svc/shop/near:81"]);
    expect(stderr).toContain("note: svc/shop/near has no port 81; the packet is sent there all the same.\n");
    const udp = trace(["--from", "pod/shop/cart", "--to", "svc/shop/near:80", "--protocol", "udp"]);
    expect(udp.stderr).toContain("note: svc/shop/near has no port 80 of UDP; the packet is sent there ");
    expect(stdout).toContain("left node worker-1 by eth0, to no node of the cluster\n");
  });

  it("names the Pod that listens on the node's own network", () => {
    const { stdout } = packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/agent"]);
    expect(stdout).toMatch(/\ndelivered to pod\/shop\/agent-\w+ on node worker-1\n$/);
  });

  it("refuses an interface where the source's route says it", () => {
    const { code, stderr } = trace(["--from", "pod/shop/cart", "--to", "svc/shop/near:80", "--in", "eth0"]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "error: --in eth0: goes with --iptables-save, --ipvsadm-save or --flows; in a cluster ",
    );
  });

  it("chooses by the seed", () => {
    const ends = [1, 2, 3, 4].map(
      (seed) =>
        packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web", "--seed", `${seed}`]).stdout,
    );
    const again = packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web", "--seed", "4"]);
    expect(new Set(ends.map((text) => text.split("\n").at(-2))).size).toBeGreaterThan(1);
    expect(again.stdout).toBe(ends.at(-1));
  });

  it("tells all that may become of the packet, with exact probabilities", () => {
    const args = ["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web"];
    const { stdout } = packetyard(args);
    const table = stdout.split("\n\n").find((part) => part.startsWith("all outcomes on node worker-1\n"));
    expect(table?.split("\n").slice(1)).toEqual([
      expect.stringMatching(
        /^accepted {2}10\.244\.1\.2:8080 {2}pod\S+ {2}33\.3333333 % {2}715827883\/2147483648$/,
      ),
      expect.stringMatching(
        /^accepted {2}10\.244\.2\.2:8080 {2}pod\S+ {2}33\.3333333 % {2}1431655765\/4294967296$/,
      ),
      expect.stringMatching(
        /^accepted {2}10\.244\.3\.2:8080 {2}pod\S+ {2}33\.3333333 % {2}1431655765\/4294967296$/,
      ),
    ]);
    const [{ outcomes }] = JSON.parse(packetyard([...args, "--mode", "ipvs", "-o", "json"]).stdout).nodes;
    const turns = outcomes.map(({ rules, ...rest }: { rules: unknown }) => rest);
    expect(turns).toContainEqual({
      verdict: "FORWARD",
      reason: null,
      endpoint: "10.244.2.2:8080",
      probability: null,
      fraction: null,
      masquerade: false,
      next: false,
    });
    expect(turns.map(({ next }: { next: boolean }) => next).filter(Boolean)).toHaveLength(1);
    const twos = packetyard([...args, "--mode", "ipvs", "--ipvs-scheduler", "twos"]).stdout;
    const [, ...rows] =
      twos
        .split("\n\n")
        .find((part) => part.startsWith("all outcomes"))
        ?.split("\n") ?? [];
    expect(rows.map((row) => / (next )?by the scheduler's choice$/.test(row))).toEqual([true, true, true]);
  });

  it.each([
    ["ipvs", "svc/shop/far:80", "10.96.0.20"],
    ["iptables", "svc/shop/far:80", "172.18.0.3"],
    ["iptables", "10.244.1.1:9", "10.244.1.1"],
    ["ipvs", "10.244.2.9:8080", "172.18.0.3"],
  ])("lets the node call itself as its kernel would: %s, %s", (mode, to, source) => {
    const asked = ["--to", to, "--mode", mode, "-o", "json"];
    const sourceOf = (from: string) => JSON.parse(trace(["--from", from, ...asked]).stdout).from.address;
    expect(sourceOf("node/worker-1")).toBe(source);
    // An address that is said stays.
    expect(sourceOf("172.18.0.3")).toBe("172.18.0.3");
  });

  it("names the rule that refuses, as data, and none where none does", () => {
    const outcomesTo = (to: string) =>
      JSON.parse(trace(["--from", "pod/shop/cart", "--to", to, "-o", "json"]).stdout).nodes[0].outcomes;
    const [refused] = outcomesTo("svc/shop/empty:80");
    expect(refused.rule).toBe(`-A KUBE-SERVICES ${refused.rules.at(-1).text}`);
    expect(refused.rule).toContain("-j REJECT --reject-with icmp-port-unreachable");
    expect(outcomesTo("svc/shop/far")[0]).not.toHaveProperty("rule");
  });

  it("prints the same as data", () => {
    const args = ["--from", "pod/shop/cart", "--to", "svc/shop/far", "-o", "json"];
    const data = JSON.parse(trace(args).stdout);
    expect(data).toMatchObject({
      apiVersion: "packetyard/v1",
      kind: "Trace",
      mode: "iptables",
      protocol: "tcp",
      from: { name: "pod/shop/cart", address: "10.244.1.7", port: 41000 },
      to: { name: "svc/shop/far", address: "10.96.0.20", port: 80 },
      delivered: "pod/shop/far",
      end: "delivered to pod/shop/far on node worker-2",
    });
    const facts = data.nodes.map(({ node, verdict, reason, out }: Record<string, unknown>) => ({
      node,
      verdict,
      reason,
      out,
    }));
    expect(facts).toEqual([
      { node: "worker-1", verdict: "FORWARD", reason: null, out: "eth0" },
      { node: "worker-2", verdict: "FORWARD", reason: null, out: "cni0" },
    ]);
    expect(data.nodes[0].steps.at(-1)).toMatchObject({ stage: "forward", dev: "eth0", to: "172.18.0.4" });
    expect(trace([...args.slice(0, -1), "yaml"]).stdout).toMatch(
      /^apiVersion: packetyard\/v1\nkind: Trace\n/,
    );
  });
});

const MANIFESTS = join(process.env.PACKETYARD_SHARED ?? "../shared", "data", "k8s", "manifests");
/** Manifests of shops: a frontend that calls the Services behind it. */
const shops = filesUnder(MANIFESTS).filter(
  (path) => /boutique[^/]*\.yaml$/.test(path) && !/istio/.test(path),
);

describe.skipIf(shops.length === 0)(
  "packetyard trace of a real shop (skipped without the shared manifests)",
  () => {
    it.each(shops.flatMap((path) => MODES.map((mode) => ({ path, mode }))))(
      "crosses nodes from the frontend to a backend: $mode",
      ({ path, mode }) => {
        const args = ["trace", "-f", path, "--mode", mode, "--from", "pod/default/frontend", "--to"];
        const { stdout, code } = packetyard([...args, "svc/default/checkoutservice:5050"]);
        expect(code).toBe(0);
        const stages = Object.values(stagesOf(stdout));
        expect(stages.length).toBe(2);
        expect(stages[0]).toEqual(expect.arrayContaining(["parse", mode, "translate", "route", "encap"]));
        expect(stages[1]).toEqual(expect.arrayContaining(["decap", "route", "forward"]));
        expect(stdout).toMatch(/\ndelivered to pod\/default\/checkoutservice-\S+ on node \S+\n$/);
      },
    );
  },
);

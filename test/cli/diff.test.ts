import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { packetyard, withFolder } from "./packetyard.js";

/** Runs diff in a folder that holds the cluster as `a.yaml`, and a changed one as `b.yaml`. */
function diff(args: readonly string[], change: (cluster: string) => string = (cluster) => cluster) {
  return withFolder((folder) => {
    const paths = { a: join(folder, "a.yaml"), b: join(folder, "b.yaml"), rules: join(folder, "rules") };
    writeFileSync(paths.a, SMALL_CLUSTER);
    writeFileSync(paths.b, change(SMALL_CLUSTER));
    if (args.includes("rules")) {
      const saved = packetyard(["compile", "-f", paths.b, "--node", "worker-1", "-o", "iptables-save"]);
      writeFileSync(paths.rules, saved.stdout);
    }
    return packetyard([
      "diff",
      ...args.map((arg) => (arg in paths ? paths[arg as keyof typeof paths] : arg)),
    ]);
  });
}

const moved = (cluster: string) => cluster.replaceAll("10.96.0.20", "10.96.0.21");

interface Data {
  readonly kind: string;
  readonly same: boolean;
  readonly asked: number;
  readonly differing: number;
  readonly differences: readonly {
    readonly topic: string;
    readonly flows: number;
    readonly nodes: readonly string[];
    readonly example: Readonly<Record<string, unknown>>;
  }[];
}

describe("packetyard diff", () => {
  it("says that nothing differs, and exits with 0", () => {
    const { stdout, code } = diff(["a", "b"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nNo flow differs: [0-9]+ flows on 2 nodes asked\.\n$/);
  });

  it("tells every kind of difference with its plainest packet, and exits with 1", () => {
    const { stdout, code } = diff(["a", "b"], moved);
    expect(code).toBe(1);
    expect(stdout).toContain("Service shop/far; nodes worker-1, worker-2");
    expect(stdout).toMatch(
      /packet {2}10\.244\.1\.[0-9]+:41000 > 10\.96\.0\.20:80 TCP S, by cni0 of worker-1 \(a Pod to ClusterIP of shop\/far:http\)\n {3}A {7}goes to 10\.244\.2\.9:8080 \(pod\/shop\/far\)\n {3}B {7}passes, its destination untouched/,
    );
    expect(stdout).toMatch(/\n[0-9]+ of [0-9]+ flows on 2 nodes differ, in [0-9]+ ways\.\n$/);
  });

  it("prints no line beyond 120 columns where there is no terminal, and none alone that fits behind another", () => {
    const { stdout } = packetyard(["diff", "--modes", "iptables", "ipvs"]);
    const lines = stdout.split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeGreaterThan(100);
    expect(lines.filter(({ length }) => length > 120)).toEqual([]);
    expect(stdout).toMatch(/\n {3}A {7}goes to \S+ \(\S+\),(.*,)?\n {11}\S/);
  });

  it("tells the same to programs", () => {
    const { stdout, code } = diff(["a", "--modes", "iptables", "nftables", "-o", "json"]);
    expect(code).toBe(1);
    const data = JSON.parse(stdout) as Data;
    expect(data).toMatchObject({
      apiVersion: "packetyard/v1",
      kind: "Diff",
      a: "iptables",
      b: "nftables",
      same: false,
    });
    expect(data.differences.map(({ topic }) => topic)).toContain("unallocated-cluster-ip");
    expect(data.differences.reduce((sum, { flows }) => sum + flows, 0)).toBe(data.differing);
    expect(data.differing).toBeLessThan(data.asked);
    for (const { example } of data.differences) {
      expect(example).toMatchObject({ from: expect.any(String), to: expect.any(String), run: true });
      expect(example.frame).toMatch(/^([0-9a-f]{2})+$/);
    }
  });

  it("compares two versions, and two configurations", () => {
    expect(diff(["a", "--mode", "nftables", "--kubernetes-versions", "1.34", "1.35"]).code).toBe(0);
    withFolder((folder) => {
      const paths = ["ClusterCIDR", "NodeCIDR"].map((detector) => {
        const path = join(folder, `${detector}.yaml`);
        const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: iptables\n`;
        writeFileSync(path, `${text}detectLocalMode: ${detector}\n`);
        return path;
      });
      const { stdout, code } = diff(["a", "--proxy-configs", ...paths]);
      expect(code).toBe(1);
      expect(stdout).toContain("a ClusterIP: masquerade");
    });
  });

  it("compares a cluster with what a node's tools printed, at that node", () => {
    expect(diff(["a", "--iptables-save", "rules"])).toMatchObject({ code: 0 });
    const { stdout, code } = diff(["a", "--node", "worker-1", "--iptables-save", "rules"], moved);
    expect(code).toBe(1);
    expect(stdout).toContain("> 10.96.0.20:80 TCP S");
    expect(stdout).toContain("> 10.96.0.21:80 TCP S");
  });

  it("asks for packets out of state where it is told to", () => {
    const args = ["a", "--modes", "iptables", "nftables"];
    expect(diff(args).stdout).not.toContain("out of state");
    expect(diff([...args, "--all-packets"]).stdout).toContain("a packet out of state\n");
  });

  it("names no option that it does not have", () => {
    const { stdout } = packetyard(["diff", "--help"]);
    expect(stdout).toMatch(/--iptables-save <file> +as B: a node's rules/);
    expect(stdout).not.toMatch(/(^|\s)-f\b/);
  });

  it.each([
    [["a"], "diff compares two things: beside "],
    [["a", "--modes", "iptables"], "--modes takes two values, of A and of B: 1 is given."],
    [["a", "--modes", "ipvs", "iptables", "--mode", "ipvs"], "--modes is of each side and --mode of both"],
    [["a", "b", "--iptables-save", "rules"], "--iptables-save is what one cluster is compared with"],
    [
      ["a", "b", "--node", "worker-9"],
      "--node worker-9: no such node is on both sides; there are worker-1, worker-2.",
    ],
    [["a", "nowhere.yaml"], "nowhere.yaml: cannot be read: there is no such file."],
    [["-", "-"], "A - and B - both ask for stdin"],
    [["a", "b", "--local-address", "192.0.2.9"], "--local-address is of one node: give --node too"],
    [["a", "--iptables-save", "a"], "a.yaml"],
  ])("%j exits with 2 and says why", (args, message) => {
    const { stdout, stderr, code } = diff(args);
    expect(stderr).toContain(message);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Assessment } from "../../src/report/assessment.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { packetyard, withFolder } from "./packetyard.js";

const ONE = ["assess", "-f", "-", "--node", "worker-1"];

const assessed = (...more: readonly string[]): Assessment =>
  JSON.parse(packetyard([...ONE, "-o", "json", ...more], SMALL_CLUSTER).stdout);

describe("packetyard assess", () => {
  it("tells what leaving IPVS changes, each finding with a packet and both modes' verdicts", () => {
    const { stdout, code } = packetyard(ONE, SMALL_CLUSTER);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^From IPVS \(rr\) to nftables, node worker-1\n\nConnections that are open at the switch\n/,
    );
    const blocks = stdout.split("\n\n").filter((block) => /^\d+\. \[/.test(block));
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) {
      expect(block).toMatch(/^\d+\. \[(breaks|moves|opens|changes|refused otherwise)\] /);
      expect(block).toMatch(/^ {3}packet {4}\S+ > \S+ (TCP|UDP|ICMP)/m);
      expect(block).toMatch(/^ {3}ipvs {6}(accept|drop|reject|mixed): /m);
      expect(block).toMatch(/^ {3}nftables {2}(accept|drop|reject|mixed): /m);
    }
    expect(blocks.map((block) => Number.parseInt(block, 10))).toEqual(blocks.map((_, index) => index + 1));
    expect(stdout).toMatch(/\n\d+ findings \(.*\), of \d+ packets asked about on 1 node, in both modes\.\n$/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("asks every node where none is named, and tells once what is the same on all of them", () => {
    const { stdout } = packetyard(["assess", "-f", "-"], SMALL_CLUSTER);
    expect(stdout).toMatch(/^From IPVS \(rr\) to nftables, nodes worker-1, worker-2/);
    expect(stdout).toMatch(/^ {3}\d+ flows; .*every node$/m);
    expect(packetyard(["assess", "--help"]).stdout).toContain("Without --node all nodes are asked");
  });

  it("tells it to programs, of either mode", () => {
    const nftables = assessed();
    expect(nftables).toMatchObject({
      apiVersion: "packetyard/v1",
      kind: "Assessment",
      from: "ipvs",
      to: "nftables",
    });
    expect(nftables.findings[0]?.category).toBe(nftables.categories[0]?.name);
    const iptables = assessed("--to", "iptables", "--ipvs-scheduler", "sh");
    expect(iptables).toMatchObject({ to: "iptables", schedulers: ["sh"] });
    expect(iptables.findings).not.toEqual(nftables.findings);
  });

  it("heeds kube-proxy's configuration, and says so where it runs in another mode", () => {
    withFolder((folder) => {
      const path = join(folder, "kube-proxy.yaml");
      const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
      const all = 'clusterCIDR: 10.244.0.0/16\nnodePortAddresses: [0.0.0.0/0, "::/0"]\n';
      writeFileSync(path, `${head}${all}mode: iptables\nipvs: { scheduler: mh }\n`);
      const { stdout, stderr } = packetyard([...ONE, "-o", "json", "--proxy-config", path], SMALL_CLUSTER);
      const { schedulers, categories } = JSON.parse(stdout) as Assessment;
      expect(schedulers).toEqual(["mh"]);
      expect(categories.map(({ name }) => name)).not.toContain("node-ports");
      expect(stderr).toContain(
        "note: kube-proxy's configuration says mode iptables: its nodes are assessed as though",
      );
    });
  });

  it("reads one node's own virtual servers, and names the file of what is wrong with them", () => {
    withFolder((folder) => {
      const path = join(folder, "worker-1.ipvs");
      writeFileSync(path, "-A -t 192.0.2.80:443 -s sh\n-a -t 192.0.2.80:443 -r 10.244.1.9:8443 -m -w 1\n");
      const args = ["assess", "-f", "-", "-o", "json", "--ipvsadm-save", path];
      const { stdout, stderr } = packetyard(args, SMALL_CLUSTER);
      const { nodes, schedulers, findings } = JSON.parse(stdout) as Assessment;
      expect([nodes, schedulers]).toEqual([["worker-1"], ["sh"]]);
      expect(findings.find(({ category }) => category === "foreign")?.example.to).toBe("192.0.2.80:443");
      expect(stderr).toContain(`${path}: lacks TCP `);
      const two = packetyard([...args, "--node", "worker-1", "--node", "worker-2"], SMALL_CLUSTER);
      expect([two.code, two.stderr]).toEqual([
        2,
        expect.stringContaining("--ipvsadm-save is of one node: give one --node, which one."),
      ]);
      writeFileSync(path, "-A -t 192.0.2.80:443 -s random\n");
      const wrong = packetyard(args, SMALL_CLUSTER);
      expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
      expect(wrong.stderr).toContain(`${path}: line 1: `);
    });
  });

  it("writes a page that needs nothing else", () => {
    withFolder((folder) => {
      const path = join(folder, "page.html");
      const { stdout, stderr, code } = packetyard([...ONE, "-o", "json", "--report", path], SMALL_CLUSTER);
      expect([code, (JSON.parse(stdout) as Assessment).kind]).toEqual([0, "Assessment"]);
      expect(stderr).toContain(`report written to ${path}`);
      const page = readFileSync(path, "utf8");
      expect(page).toMatch(/^<!doctype html>.*What leaving IPVS for nftables changes.*<\/html>\n$/s);
      expect(page).not.toMatch(/<script|https?:\/\//);
    });
  });

  it("refuses what it cannot do", () => {
    const refused = (...args: readonly string[]) => {
      const { code, stdout, stderr } = packetyard(["assess", ...args], SMALL_CLUSTER);
      expect(stdout).toBe("");
      return `${code} ${stderr}`;
    };
    expect(refused("-f", "-", "--to", "ipvs")).toMatch(/^2 .*Allowed choices are nftables, iptables/s);
    expect(refused("-f", "-", "--node", "worker-9")).toMatch(
      /^2 .*--node worker-9: no such node is in the cluster; there are worker-1, /s,
    );
    expect(refused("-f", "-", "--ipvsadm-save", "-")).toMatch(/^2 .*both ask for stdin/s);
    expect(refused("-f", "-", "--report", "/nowhere/page.html")).toMatch(/^2 .*there is no folder/s);
  });
});

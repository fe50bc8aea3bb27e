import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { tcp } from "../../src/packet/build.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { contentOf, packetyard, withFolder } from "./packetyard.js";

describe("packetyard compile", () => {
  it("sums up the example cluster's first node when nothing is said", () => {
    const { stdout, stderr, code } = packetyard(["compile"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^node {7}worker-1\nmode {7}iptables\ncluster {4}3 nodes, /);
    expect(stdout).toMatch(/^rules {6}[0-9,]+ rules, [0-9,]+ chains$/m);
    expect(stdout).not.toContain("ipvs");
    expect(stderr).toMatch(/^note: no -f is given: .*examples\/shop\.yaml\.$/m);
  });

  it.each([
    ["iptables", "iptables-save", /^-A KUBE-SERVICES .*"shop\/near:http cluster IP"/m],
    ["ipvs", "ipvsadm-save", /^-a -t 10\.96\.0\.10:80 -r 10\.244\.1\.8:8080 -m -w 1$/m],
    ["ipvs", "ipset-save", /^add KUBE-CLUSTER-IP 10\.96\.0\.10,tcp:80$/m],
    ["nftables", "nft", /10\.96\.0\.10 . tcp . 80 : goto service-/],
    ["nftables", "ip-route", /^10\.244\.2\.0\/24 via 10\.244\.2\.0 dev flannel\.1 onlink$/m],
  ])("prints mode %s as %s", (mode, format, line) => {
    const { stdout, code } = packetyard(["compile", "-f", "-", "--mode", mode, "-o", format], SMALL_CLUSTER);
    expect(code).toBe(0);
    expect(stdout).toMatch(line);
  });

  it("compiles for the node that is named", () => {
    const { stdout } = packetyard(
      ["compile", "-f", "-", "--node", "worker-2", "-o", "ip-route"],
      SMALL_CLUSTER,
    );
    expect(stdout).toContain("10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink\n");
  });

  it("makes as many nodes as it is told where there are none", () => {
    const deployment = "{kind: Service, apiVersion: v1, metadata: {name: a}, spec: {ports: [{port: 80}]}}";
    const { stdout } = packetyard(["compile", "-f", "-", "--nodes", "5", "-o", "json"], deployment);
    const { kind, cluster, octets } = JSON.parse(stdout);
    expect([kind, cluster.nodes, cluster.services]).toEqual(["Compilation", 5, 1]);
    expect(octets.rules).toBeGreaterThan(0);
  });

  it("counts one of a kind as one", () => {
    const service = "{kind: Service, apiVersion: v1, metadata: {name: a}, spec: {ports: [{port: 80}]}}";
    const { stdout } = packetyard(["compile", "-f", "-", "--nodes", "1"], service);
    expect(stdout).toMatch(/^cluster {4}1 node, 1 service$/m);
    const nftables = ["compile", "-f", "-", "--mode", "nftables"];
    expect(packetyard(nftables, SMALL_CLUSTER).stdout).toMatch(
      /^sets {7}[0-9]+ sets and maps, [0-9]+ elements$/m,
    );
  });

  it("writes to stdout where it is told so", () => {
    const route = ["compile", "-o", "ip-route"];
    const { stdout } = packetyard([...route, "--write", "-"]);
    expect(stdout).toMatch(/^default via /);
    expect(stdout).toBe(packetyard(route).stdout);
  });

  it("prints notes only when asked, but says how many there are; warnings always", () => {
    const quiet = packetyard(["compile", "-f", "examples/shop.yaml"]);
    const [, count] = /^([0-9]+) notes?: -v shows (?:it|them)$/m.exec(quiet.stderr) ?? [];
    expect(quiet.stderr).not.toMatch(/^note:/m);
    const verbose = packetyard(["compile", "-f", "examples/shop.yaml", "-v"]);
    expect(verbose.stderr.match(/^note: /gm)?.length).toBe(Number(count));
    expect(verbose.stderr).not.toContain("-v shows");
    expect(verbose.stdout.split("\n").slice(0, -2)).toEqual(quiet.stdout.split("\n").slice(0, -2));
  });

  it("skips what lies beside manifests in a folder, with a warning, but takes a named file at its word", () => {
    withFolder((folder) => {
      const [stray, values] = [join(folder, "package.json"), join(folder, "values.yaml")];
      writeFileSync(join(folder, "cluster.yaml"), SMALL_CLUSTER);
      writeFileSync(stray, '{ "name": "shop" }');
      writeFileSync(values, "replicas: 3\n");
      const walked = packetyard(["compile", "-f", folder, "-o", "iptables-save"]);
      expect(walked.code).toBe(0);
      for (const path of [stray, values]) {
        expect(walked.stderr).toContain(`warning: ${path}: is skipped: it names no kind, so `);
      }
      expect(walked.stdout).toBe(
        packetyard(["compile", "-f", "-", "-o", "iptables-save"], SMALL_CLUSTER).stdout,
      );
      expect(packetyard(["compile", "-f", folder, "-f", stray]).code).toBe(1);
      writeFileSync(values, "replicas: [3\n");
      expect(packetyard(["compile", "-f", folder]).stderr).toMatch(/^error: .*values\.yaml: .* is not YAML/m);
    });
    withFolder((folder) => {
      writeFileSync(join(folder, "package.json"), "{}");
      const { stderr, code } = packetyard(["compile", "-f", folder]);
      expect([code, stderr]).toEqual([
        1,
        `error: ${folder}: holds no Kubernetes object: no document in it names a kind.\n`,
      ]);
    });
  });

  it("prints its summary as YAML too", () => {
    expect(packetyard(["compile", "-o", "yaml"]).stdout).toMatch(
      /^apiVersion: packetyard\/v1\nkind: Compilation\nnode: worker-1\n/,
    );
  });

  it("writes an image that an engine runs", async () => {
    const image = withFolder((folder) => {
      const path = join(folder, "worker-1.image");
      const { stdout, code } = packetyard(
        ["compile", "-f", "-", "-o", "image", "--write", path],
        SMALL_CLUSTER,
      );
      expect([stdout, code, contentOf(folder)]).toEqual(["", 0, ["worker-1.image"]]);
      return new Uint8Array(readFileSync(path));
    });
    const engine = await Engine.load(image);
    expect(engine.trace(tcp("10.244.1.7:41000", "10.96.0.10:80"))).toMatch(
      /forward {4}cni0 to pod\/shop\/near$/,
    );
  });

  it("replaces what a link leads to, and leaves the link", () => {
    withFolder((folder) => {
      const [real, link] = [join(folder, "real.txt"), join(folder, "link.txt")];
      writeFileSync(real, "old");
      symlinkSync(real, link);
      expect(packetyard(["compile", "-o", "ip-route", "--write", link]).code).toBe(0);
      expect(readFileSync(real, "utf8")).toMatch(/^default via /);
      expect(contentOf(folder)).toEqual(["link.txt", "real.txt"]);
    });
  });

  it("reads files, folders with all below them, packed ones, and each once", () => {
    withFolder((folder) => {
      const documents = SMALL_CLUSTER.split("\n---");
      const [first = "", second = "", ...rest] = documents;
      mkdirSync(join(folder, "deep", "er"), { recursive: true });
      writeFileSync(join(folder, "a.yaml"), first);
      writeFileSync(join(folder, "deep", "b.yml.gz"), gzipSync(second));
      writeFileSync(join(folder, "deep", "er", "c.yaml"), rest.join("\n---"));
      writeFileSync(join(folder, "deep", "README.md"), "# not read");
      const split = packetyard([
        "compile",
        "-f",
        folder,
        "-f",
        join(folder, "a.yaml"),
        "-o",
        "iptables-save",
      ]);
      const whole = packetyard(["compile", "-f", "-", "-o", "iptables-save"], SMALL_CLUSTER);
      expect(split.code).toBe(0);
      expect(split.stdout).toBe(whole.stdout);
    });
  });
});

describe("packetyard", () => {
  it("prints its version and its help, with an example for every command", () => {
    expect(packetyard(["--version"]).stdout).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+\n$/);
    const { stdout, code } = packetyard(["--help"]);
    expect(code).toBe(0);
    for (const command of ["compare", "compile", "trace", "run"]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
      expect(packetyard([command, "--help"]).stdout).toMatch(new RegExp(`^  packetyard ${command}`, "m"));
    }
  });
});

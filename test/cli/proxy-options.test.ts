import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { type Outcome, packetyard, withFolder } from "./packetyard.js";

const HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

/** Runs a command on the small cluster, kube-proxy configured so. */
function configured(body: string, ...args: readonly string[]): Outcome {
  return withFolder((folder) => {
    const path = join(folder, "kube-proxy.yaml");
    writeFileSync(path, HEAD + body);
    return packetyard([...args, "-f", "-", "--proxy-config", path], SMALL_CLUSTER);
  });
}

const SAVE = ["compile", "-o", "iptables-save"];

describe("--proxy-config", () => {
  it("says how kube-proxy runs, in every command that compiles", () => {
    const body = "mode: nftables\nclusterCIDR: 10.244.0.0/16\n";
    expect(JSON.parse(configured(body, "compile", "-o", "json").stdout).mode).toBe("nftables");
    const trace = ["trace", "--from", "pod/shop/cart", "--to", "svc/shop/near:http", "-o", "json"];
    expect(JSON.parse(configured(body, ...trace).stdout).mode).toBe("nftables");
  });

  it("names the node where nobody else does: hostnameOverride", () => {
    const asked = ["trace", "--to", "10.96.0.20:80", "-o", "json"];
    const nodeOf = (from: string, ...more: readonly string[]) =>
      JSON.parse(configured("hostnameOverride: Worker-2", ...asked, "--from", from, ...more).stdout).nodes[0]
        .node;
    expect(nodeOf("198.51.100.7:4000")).toBe("worker-2");
    expect(nodeOf("198.51.100.7:4000", "--node", "worker-1")).toBe("worker-1");
    expect(nodeOf("pod/shop/cart")).toBe("worker-1");
    const own = configured("", ...asked, "--from", "198.51.100.7:4000");
    expect(JSON.parse(own.stdout).nodes[0].node).toBe("worker-1");
  });

  it("is heeded by compare in each of its modes", () => {
    const args = ["compare", "--modes", "iptables", "--rounds", "1", "-o", "json"];
    const measured = (body: string, ...more: readonly string[]) =>
      JSON.parse(configured(body, ...args, ...more).stdout).rows[0];
    const plain = measured("mode: ipvs");
    expect(measured("iptables: { masqueradeAll: true }").walked).toBeGreaterThan(plain.walked);
    expect(measured("mode: ipvs", "--nfacct").tableBytes).toBeGreaterThan(plain.tableBytes);
    const refused = configured("mode: iptable", ...args);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(
      "kube-proxy.yaml: document 1: KubeProxyConfiguration: mode: «iptable» is none of iptables, ",
    );
  });

  it("yields to --mode", () => {
    const { stdout, code } = configured(
      "mode: ipvs\niptables: { masqueradeBit: 5 }",
      ...SAVE,
      "--mode",
      "iptables",
    );
    expect(code).toBe(0);
    expect(stdout).toContain("--set-xmark 0x20/0x20");
    expect(stdout).toContain(":KUBE-EXTERNAL-SERVICES ");
  });

  it("decides which listings there are", () => {
    const { stderr, code } = configured("mode: nftables", ...SAVE);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "error: -o iptables-save: a node in mode nftables has no such listing; compile with --mode iptables or --mode ipvs.\n",
    );
  });

  it("names its faults by file and field", () => {
    const { stderr, stdout, code } = configured("iptables: { masqueradeBits: 5 }", ...SAVE);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^error: .*kube-proxy\.yaml: document 1: KubeProxyConfiguration: iptables\.masqueradeBits: is not known here: known are masqueradeBit, /m,
    );
  });

  it("is a file that can be read, and not stdin twice", () => {
    const args = ["compile", "-f", "-", "--proxy-config"];
    expect(packetyard([...args, "/nowhere.yaml"], SMALL_CLUSTER).stderr).toContain(
      "error: /nowhere.yaml: cannot be read:",
    );
    const trace = ["--from", "pod/shop/cart", "--to", "svc/shop/near"];
    for (const command of [["compile"], ["compare"], ["trace", ...trace], ["run", "--pcap", "in.pcap"]]) {
      const both = packetyard([...command, "-f", "-", "--proxy-config", "-"], SMALL_CLUSTER);
      expect([both.code, both.stderr]).toEqual([
        2,
        "error: -f - and --proxy-config - both ask for stdin: give one of them as a file.\n",
      ]);
    }
  });
});

describe("--kubernetes-version and --nfacct", () => {
  it("are one of those that are followed", () => {
    for (const wrong of ["1.30", "1.36", "v1.33", "1.33.1", ""]) {
      const { stderr, stdout, code } = packetyard(["compile", "--kubernetes-version", wrong]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(
        `error: option '--kubernetes-version <version>' argument '${wrong}' is invalid. Allowed choices are 1.31, 1.32, 1.33, 1.34, 1.35.\n`,
      );
    }
  });
});

describe("--local-address", () => {
  it("gives the node further addresses, on which nodePorts answer", () => {
    const addresses = ["--local-address", "192.0.2.77", "--local-address", "192.0.2.78"];
    const { stdout } = configured("nodePortAddresses: [192.0.2.0/24]", ...SAVE, ...addresses);
    expect(stdout.match(/-A KUBE-SERVICES -d (\S+) .* -j KUBE-NODEPORTS/g)).toHaveLength(2);
    for (const wrong of ["192.0.2", "192.0.2.1/24", "worker-1", "192.0.2.1,192.0.2.2", "224.0.0.1", "::"]) {
      const { stderr, stdout, code } = packetyard(["compile", "--local-address", wrong]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(
        `error: option '--local-address <address>' argument '${wrong}' is invalid. It is one address that a node can have, such as 192.0.2.7.\n`,
      );
    }
  });
});

describe("--service-cidr", () => {
  it("is where ClusterIPs come from", () => {
    const service = "{kind: Service, apiVersion: v1, metadata: {name: a}, spec: {ports: [{port: 80}]}}";
    const args = ["compile", "-f", "-", "-o", "iptables-save", "--service-cidr"];
    expect(packetyard([...args, "172.30.0.0/16"], service).stdout).toMatch(
      /-A KUBE-SERVICES -d 172\.30\.\S+\/32 /,
    );
    const dual = packetyard([...args, "172.30.0.0/16,fd00:30::/112"], service);
    expect([dual.code, dual.stdout]).toEqual([0, expect.stringMatching(/ -d 172\.30\.\S+\/32 /)]);
    for (const wrong of ["172.30.0.0", "172.30.0.0/33", "172.30.0.1/16", "", "172.30.0.0/16,172.31.0.0/16"]) {
      const { stderr, stdout, code } = packetyard([...args, wrong], service);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(
        `error: option '--service-cidr <networks>' argument '${wrong}' is invalid. It is a network such as 10.96.0.0/12, or one of each family with a comma between.\n`,
      );
    }
  });

  it("is of no cluster that compare makes itself", () => {
    const { stderr, code } = packetyard(["compare", "--services", "5", "--service-cidr", "172.30.0.0/16"]);
    expect([code, stderr]).toEqual([
      2,
      "error: --service-cidr is of a cluster's Services, and --services alone makes clusters that have their own: leave it out, or give -f.\n",
    ]);
  });
});

describe("a node that is known by its dumps", () => {
  it("is not compiled: what says how is refused", () => {
    const ends = ["--from", "192.0.2.9:1", "--to", "192.0.2.1:2"];
    for (const more of [
      ["--mode", "ipvs"],
      ["--proxy-config", "x"],
      ["--kubernetes-version", "1.33"],
      ["--nfacct"],
      ["--service-cidr", "10.0.0.0/8"],
      ["--nodes", "3"],
    ]) {
      const { stderr, code } = packetyard(["trace", "--iptables-save", "x", ...ends, ...more]);
      expect([code, stderr]).toEqual([
        2,
        `error: ${more[0]} says how a cluster is compiled, and --iptables-save gives a node as it is: leave one of them out.\n`,
      ]);
    }
  });
});

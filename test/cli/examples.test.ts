import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { CAPTURE } from "./commands.js";
import { packetyard, withFolder } from "./packetyard.js";

/** Every example of a command's help is run as it stands, where the files that it names are. */

const MAIN = resolve("dist/src/cli/main.js");
const SHOP = resolve("examples/shop.yaml");
const CONFIG = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ipvs
`;
const RULES = `*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
`;
const SAVED = `-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.0.0.1:8080 -m -w 1
`;
const ADDRESSES = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 02:42:ac:12:00:03 brd ff:ff:ff:ff:ff:ff
    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0
`;
const ROUTES = `default via 192.0.2.254 dev eth0
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1
`;

/** A cluster of both families. */
const DUAL = `apiVersion: v1
kind: Node
metadata: { name: worker-1 }
spec: { podCIDRs: [10.244.1.0/24, "fd00:244:0:1::/64"] }
status:
  addresses:
    - { type: InternalIP, address: 172.18.0.3 }
    - { type: InternalIP, address: "fd00:172:18::3" }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec:
  ipFamilyPolicy: RequireDualStack
  ports: [{ port: 80 }]
`;

const saying = (text: string) => `cat <<'END'\n${text}END\n`;

/** What examples call beside packetyard, by name. */
const TOOLS: Readonly<Record<string, string>> = {
  packetyard: `exec "${process.execPath}" "${MAIN}" "$@"\n`,
  kubectl: `case "$*" in *configmap*) ${saying(CONFIG)};; *) cat "${SHOP}";; esac\n`,
  "iptables-save": saying(RULES),
  "ipvsadm-save": saying(SAVED),
  ip: `case "$*" in *addr) ${saying(ADDRESSES)};; *) ${saying(ROUTES)};; esac\n`,
  ssh: saying(SAVED),
  tcpdump: "cat in.pcap\n",
};

/** Examples follow on one another: one folder holds what they name and what they make. */
function furnish(folder: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const [name, script] of Object.entries(TOOLS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}`);
    chmodSync(join(bin, name), 0o755);
  }
  mkdirSync(join(folder, "manifests"));
  for (const name of ["cluster.yaml", "shop.yaml", "old.yaml", "new.yaml"])
    copyFileSync(SHOP, join(folder, name));
  const rules = packetyard(["compile", "--node", "worker-1", "-o", "iptables-save"]).stdout;
  const files = {
    "old.conf": CONFIG,
    "new.conf": CONFIG,
    "rules.txt": rules,
    "manifests/all.yaml": DUAL,
    "in.pcap": CAPTURE,
    rules: RULES,
    addr: ADDRESSES,
    route: ROUTES,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}

/** Lines of a help's examples, comments left out. */
function examplesOf(command: string): readonly string[] {
  const { stdout } = packetyard([command, "--help"]);
  const examples = stdout.slice(stdout.indexOf("\nExamples:\n")).split("\n").slice(2);
  const end = examples.findIndex((line) => /^\S/.test(line));
  const lines = (end < 0 ? examples : examples.slice(0, end)).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** Differences are no failure of diff. */
const FINE: Readonly<Record<string, readonly number[]>> = { diff: [0, 1] };

describe.skipIf(process.platform === "win32")("the examples of a help", () => {
  it.each(["trace", "run", "diff", "assess", "compile"])(
    "work as they stand: %s",
    { timeout: 120_000 },
    (command) => {
      withFolder((folder) => {
        furnish(folder);
        const PATH = `${join(folder, "bin")}${delimiter}${process.env.PATH}`;
        const examples = examplesOf(command);
        expect(examples.length).toBeGreaterThan(4);
        for (const line of examples) {
          const { status, stdout, stderr } = spawnSync("sh", ["-c", line], {
            cwd: folder,
            encoding: "utf8",
            env: { ...process.env, PATH },
            maxBuffer: 1 << 26,
          });
          expect(FINE[command] ?? [0], `${line}\n${stderr}`).toContain(status);
          expect(stderr, line).not.toMatch(/^error/m);
          if (line.includes("packetyard") && !line.includes(" > ") && !line.includes("--write"))
            expect(stdout, line).not.toBe("");
        }
      });
    },
  );
});

/** What the README shows of a command's output, with … where lines are left out. */
const SHOWN = [...readFileSync("README.md", "utf8").matchAll(/^```\n\$ packetyard (.*)\n([\s\S]*?)^```$/gm)];

describe("what the README shows", () => {
  it.each(SHOWN.map(([, words = "", shown = ""]) => [words, shown] as const))(
    "is what is printed: %s",
    (words, shown) => {
      const { stdout, stderr } = packetyard(words.split(" "));
      let from = 0;
      for (const part of shown.split("…\n")) {
        const at = stdout.indexOf(part, from);
        expect(at, `${part}\nis not in\n${stdout}\n${stderr}`).toBeGreaterThanOrEqual(from);
        from = at + part.length;
      }
    },
  );

  it("is shown of two commands at least", () => expect(SHOWN.length).toBeGreaterThan(1));
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { writePcap } from "../../src/io/pcap.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { CAPTURE, commandsOn } from "./commands.js";
import { contentOf, packetyard, withFolder } from "./packetyard.js";

/** What every command says on stderr about a broken cluster: one and the same, with nothing done. */
function refusalOf(text: string | Uint8Array, name = "broken.yaml"): string {
  return withFolder((folder) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    const before = [...contentOf(folder), "in.pcap"].sort();
    const said = commandsOn(path, folder).map((args) => {
      const { stdout, stderr, code } = packetyard(args);
      expect([args[0], code, stdout]).toEqual([args[0], 1, ""]);
      return stderr.replaceAll(`${folder}/`, "");
    });
    expect(contentOf(folder)).toEqual(before);
    expect(new Set(said).size).toBe(1);
    return said[0] ?? "";
  });
}

const changed = (from: string, to: string) => {
  const text = SMALL_CLUSTER.replace(from, to);
  expect(text).not.toBe(SMALL_CLUSTER);
  return text;
};

describe("bad input", () => {
  it.each([
    [
      "malformed YAML",
      "kind: Service\n  name: [unclosed\n",
      /^error: broken\.yaml: document 1: line 1 is not YAML: .+\.\n$/,
    ],
    [
      "YAML cut in the middle",
      SMALL_CLUSTER.slice(0, SMALL_CLUSTER.indexOf("podCIDR: 10.244.2")),
      /^error: broken\.yaml: document 2: line 11 is not YAML: .+\.\n$/,
    ],
    [
      "a Service with a bad IP",
      changed("clusterIP: 10.96.0.10", "clusterIP: 10.96.0.300"),
      /^error: broken\.yaml: document 6: Service shop\/near: spec\.clusterIP: «10\.96\.0\.300» .+\.\n$/,
    ],
    [
      "overlapping podCIDRs",
      changed("podCIDR: 10.244.2.0/24", "podCIDR: 10.244.0.0/16"),
      /^error: broken\.yaml: document [12]: Node worker-[12]: spec\.podCIDRs?: .*overlap.*\n$/,
    ],
    [
      "duplicate ClusterIPs",
      changed("clusterIP: 10.96.0.20", "clusterIP: 10.96.0.10"),
      /^error: broken\.yaml: document 7: Service shop\/far: spec\.clusterIPs: .*shop\/near\.\n$/,
    ],
    ["an empty file", "\n", /^error: broken\.yaml: is empty: Kubernetes objects are expected, .+\n$/],
    [
      "no Kubernetes object",
      "- just\n- a list\n",
      /^error: broken\.yaml: document 1: is a list, not a .+\n$/,
    ],
  ])("is refused whole: %s", (_, text, message) => {
    expect(refusalOf(text)).toMatch(message);
  });

  it("names every fault, one sentence a line", () => {
    const text = changed("clusterIP: 10.96.0.10", "clusterIP: nine").replace("10.96.0.20", "ten");
    const lines = refusalOf(text).trimEnd().split("\n");
    expect(lines.map((line) => line.split(": ").slice(0, 5))).toEqual([
      ["error", "broken.yaml", "document 6", "Service shop/near", "spec.clusterIP"],
      ["error", "broken.yaml", "document 7", "Service shop/far", "spec.clusterIP"],
    ]);
  });

  it("is refused where it is no text, or packed and damaged", () => {
    expect(refusalOf(Uint8Array.of(0x6b, 0xff, 0xfe))).toBe(
      "error: broken.yaml: is not text in UTF-8, as YAML and JSON are.\n",
    );
    const packed = gzipSync(SMALL_CLUSTER);
    expect(refusalOf(packed.subarray(0, packed.length / 2), "broken.yaml.gz")).toBe(
      "error: broken.yaml.gz: is compressed by gzip, but cut or damaged: gunzip refuses it.\n",
    );
  });

  it("is refused where paths lead nowhere, each named", () => {
    withFolder((folder) => {
      mkdirSync(join(folder, "empty"));
      const paths = [join(folder, "none.yaml"), join(folder, "empty"), "https://example.com/a.yaml"];
      const { stderr, code } = packetyard(["compile", ...paths.flatMap((path) => ["-f", path])]);
      expect(code).toBe(1);
      expect(stderr.replaceAll(`${folder}/`, "").split("\n")).toEqual([
        "error: none.yaml: cannot be read: there is no such file.",
        "error: empty: is a folder without a .yaml, .yml or .json file.",
        "error: https://example.com/a.yaml: is not fetched: download it, or pipe it into -f -.",
        "",
      ]);
    });
  });
});

describe("a file of another kind", () => {
  it.each([
    ["--flows", "is no JSON: write one object a line", 10],
    ["--ipvsadm-save", "is not a command (-A, -E,", 10],
  ])("is refused by its first lines, and how many more there are: %s", (option, message, told) => {
    const lines = Array.from({ length: 60 }, (_, index) => `key${index}: value`);
    const ends = option === "--flows" ? [] : ["--from", "192.0.2.9:1", "--to", "192.0.2.1:2"];
    const said = (...more: readonly string[]) => {
      const { code, stderr, stdout } = packetyard(
        ["trace", option, "-", ...ends, ...more],
        `# a comment\n${lines.join("\n")}\n`,
      );
      expect([code, stdout]).toEqual([1, ""]);
      return stderr.split("\n").filter((line) => line.includes(message));
    };
    const few = said();
    expect(few).toHaveLength(told + 1);
    expect(few.at(-1)).toMatch(/^error: … and 5[01] more like it \(-v shows all\): /);
    expect(said("-v").length).toBeGreaterThanOrEqual(lines.length);
  });
});

describe("bad captures", () => {
  const refused = (capture: Uint8Array) =>
    withFolder((folder) => {
      const [input, output] = [join(folder, "in.pcap"), join(folder, "out.pcap")];
      writeFileSync(input, capture);
      const { stderr, stdout, code } = packetyard(["run", "--pcap", input, "--write", output]);
      expect([code, stdout, contentOf(folder)]).toEqual([1, "", ["in.pcap"]]);
      return stderr.replaceAll(`${folder}/`, "").trimEnd().split("\n").at(-1);
    });

  it("are refused when cut, naming packet and byte", () => {
    expect(refused(CAPTURE.subarray(0, CAPTURE.length - 10))).toBe(
      "error: in.pcap: packet 3 at byte 164 is cut: it should hold 54 octets, the file has 44 more.",
    );
  });

  it("are refused when of another link type, naming it", () => {
    expect(refused(writePcap({ packets: [], linkType: 113 }))).toMatch(
      /^error: in\.pcap: has packets of link type LINUX_SLL \(113\); only ETHERNET \(1\) is run: /,
    );
  });

  it("are refused when no captures at all", () => {
    expect(refused(new TextEncoder().encode("hello, world"))).toMatch(/^error: in\.pcap: is not a capture: /);
    expect(packetyard(["run", "--pcap", "/nowhere.pcap"]).stderr).toContain(
      "error: /nowhere.pcap: cannot be read: there is no such file.\n",
    );
  });
});

describe("bad listings of a node", () => {
  const RIGHT = "*filter\n-A INPUT -j DROP\nCOMMIT\n";
  const LISTINGS = [
    ...["--ip6tables-save", "--ipset-save", "--ipvsadm-save"],
    ...["--ip-addr", "--ip-route", "--ip-neigh", "--bridge-fdb"],
  ];

  it("are refused with their file and line, all at once, and nothing is written", () => {
    withFolder((folder) => {
      const [rules, wrong] = [join(folder, "rules"), join(folder, "wrong")];
      writeFileSync(rules, RIGHT);
      writeFileSync(wrong, "hello\n");
      writeFileSync(join(folder, "in.pcap"), CAPTURE);
      const before = contentOf(folder);
      const listings = ["--iptables-save", rules, ...LISTINGS.flatMap((option) => [option, wrong])];
      const trace = ["trace", "--from", "192.0.2.9:1", "--to", "192.0.2.1:2"];
      const run = ["run", "--pcap", join(folder, "in.pcap"), "--write", join(folder, "out")];
      for (const command of [trace, run]) {
        const { stderr, stdout, code } = packetyard([...command, ...listings]);
        expect([code, stdout, contentOf(folder)]).toEqual([1, "", before]);
        const lines = stderr.trimEnd().split("\n");
        expect(lines).toHaveLength(LISTINGS.length);
        for (const line of lines) expect(line).toMatch(/^error: \S+\/wrong: line 1: .+: give the .+\.$/);
      }
    });
  });

  it("are refused where they cannot be read, or hold another thing", () => {
    const trace = ["trace", "--from", "192.0.2.9:1", "--to", "192.0.2.1:2", "--iptables-save"];
    expect(packetyard([...trace, "/nowhere"]).stderr).toBe(
      "error: /nowhere: cannot be read: there is no such file.\n",
    );
    const { stderr, code } = packetyard([...trace, "-"], SMALL_CLUSTER);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: stdin: line 2: «kind: Node» stands where a table such as «\*filter» should: give /,
    );
  });
});

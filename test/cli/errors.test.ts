import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { writePcap } from "../../src/io/pcap.js";
import { tcp } from "../../src/packet/build.js";
import { SMALL_CLUSTER } from "../trace/small-cluster.js";
import { contentOf, packetyard, withFolder } from "./packetyard.js";

const CAPTURE = writePcap({
  packets: Array.from({ length: 3 }, (_, index) => ({
    timestampNs: BigInt(index),
    bytes: tcp("10.244.1.7:41000", "10.96.0.10:80"),
  })),
});

/** The commands that read a cluster, each writing to a file where it can. */
function commandsOn(cluster: string, folder: string): readonly (readonly string[])[] {
  const capture = join(folder, "in.pcap");
  const out = join(folder, "out");
  writeFileSync(capture, CAPTURE);
  return [
    ["compile", "-f", cluster, "-o", "image", "--write", out],
    ["trace", "-f", cluster, "--from", "pod/shop/cart", "--to", "svc/shop/near"],
    ["run", "-f", cluster, "--pcap", capture, "--write", out],
  ];
}

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

describe("names that are not in the cluster", () => {
  it("are refused with those that are: a node", () => {
    withFolder((folder) => {
      const path = join(folder, "cluster.yaml");
      writeFileSync(path, SMALL_CLUSTER);
      for (const args of commandsOn(path, folder)) {
        const { stderr, stdout, code } = packetyard([...args, "--node", "worker-9"]);
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toContain("error: no node is called «worker-9»: name one of worker-1, worker-2.\n");
      }
      expect(contentOf(folder)).toEqual(["cluster.yaml", "in.pcap"]);
    });
  });

  it.each([
    [
      "pod/shop/nobody",
      "svc/shop/near",
      /^error: Pod shop\/nobody: is not in .*there is cart, near, far\.$/m,
    ],
    [
      "pod/shop/cart",
      "svc/shop/nothing",
      /^error: Service shop\/nothing: is not .*there is near, far, door, empty\.$/m,
    ],
    [
      "pod/shop/cart",
      "svc/shop/near:admin",
      /^error: Service shop\/near: no port is called «admin»: .*http/m,
    ],
    ["node/worker-9", "svc/shop/near", /^error: Node worker-9: is not in .*worker-1, worker-2\.$/m],
  ])("are refused with those that are: %s to %s", (from, to, message) => {
    const { stderr, stdout, code } = packetyard(
      ["trace", "-f", "-", "--from", from, "--to", to],
      SMALL_CLUSTER,
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
  });

  it("are refused where they could be several", () => {
    const twins = SMALL_CLUSTER.replace("name: near", "name: carton");
    const args = ["trace", "-f", "-", "--from", "pod/shop/car", "--to", "svc/shop/far"];
    expect(packetyard(args, twins).stderr).toContain(
      "error: Pod shop/car: could be cart, carton: write more of the name.\n",
    );
  });

  it("are refused where the mode has no such listing", () => {
    for (const [format, mode, flags] of [
      ["nft", "iptables", "--mode nftables"],
      ["ipvsadm-save", "nftables", "--mode ipvs"],
      ["iptables-save", "nftables", "--mode iptables or --mode ipvs"],
    ] as const) {
      const { stderr, stdout, code } = packetyard(["compile", "-o", format, "--mode", mode]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toBe(
        `error: -o ${format}: a node in mode ${mode} has no such listing; compile with ${flags}.\n`,
      );
    }
  });

  it("are refused with the namespaces that have them", () => {
    const hint = (from: string, to: string) =>
      packetyard(["trace", "--from", from, "--to", to]).stderr.trimEnd().split("\n").at(-1);
    expect(hint("pod/shop/cart", "svc/web:80")).toMatch(
      /^error: Service default\/web: is not .*; did you mean svc\/shop\/web\?$/,
    );
    expect(hint("pod/web", "svc/shop/web")).toMatch(/^error: Pod default\/web: .* mean pod\/shop\/web\?$/);
    expect(hint("pod/nobody", "svc/shop/web")).toMatch(/^error: Pod default\/nobody: .*none\.$/);
  });

  it("are refused with their protocol where another is asked for", () => {
    const { stderr, code } = packetyard([
      ...["trace", "--from", "pod/shop/cart", "--to", "svc/shop/dns:dns", "--protocol", "tcp"],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "error: Service shop/dns: the port «dns» is of UDP: leave --protocol out, or give --protocol udp.\n",
    );
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

describe("warnings", () => {
  const rules = (count: number) => {
    const unknown = (index: number) =>
      `-A INPUT -s 10.0.0.${index} -m strange${index} --way ${index} -j DROP`;
    const lines = Array.from({ length: count }, (_, index) => unknown(index));
    return ["*filter", ":INPUT ACCEPT", ...lines, "-A INPUT -j TARPIT", "COMMIT", ""].join("\n");
  };
  const warningsOf = (count: number, ...more: readonly string[]) => {
    const ends = ["--from", "192.0.2.9:1", "--to", "192.0.2.1:80"];
    const { stderr } = packetyard(["trace", "--iptables-save", "-", ...ends, ...more], rules(count));
    return stderr.split("\n").filter((line) => line.includes("is not known"));
  };

  it("of one kind are said three times, and then how many more there are", () => {
    const [first, , third, ...others] = warningsOf(19);
    expect([first, third]).toEqual([
      expect.stringMatching(/^warning: stdin: line 3: «-m strange0 .*» is not known/),
      expect.stringMatching(/^warning: stdin: line 5: «-m strange2 .*» is not known/),
    ]);
    expect(others).toEqual([
      expect.stringMatching(/^warning: … and 17 more like it \(-v shows all\): «-m strange0 /),
    ]);
  });

  it("are all said where there are few, or where they are asked for", () => {
    expect(warningsOf(2)).toHaveLength(3);
    expect(warningsOf(2).some((line) => line.includes("more like it"))).toBe(false);
    expect(warningsOf(19, "-v")).toHaveLength(20);
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

describe("a file that cannot be written", () => {
  it("is named, and what stood there stays", () => {
    withFolder((folder) => {
      const { stderr, code } = packetyard(["compile", "-o", "image", "--write", join(folder, "no", "x")]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: .*\/no\/x: cannot be written: there is no folder .*\/no; make it .+$/m);
      const old = join(folder, "old");
      writeFileSync(old, "old");
      expect(packetyard(["run", "--pcap", join(folder, "none"), "--write", old]).code).toBe(1);
      expect(readFileSync(old, "utf8")).toBe("old");
    });
  });
});

describe("a wrong command line", () => {
  it.each([
    [[], /Usage: packetyard/],
    [["dance"], /^error: unknown command 'dance'/],
    [["trace"], /^error: a packet has two ends: give --from and --to/],
    [["compile", "--mode", "ebpf"], /^error: option '--mode <mode>' argument 'ebpf' is invalid\..*nftables/],
    [
      ["compile", "--nodes", "0"],
      /^error: option '--nodes <number>' argument '0' is invalid\. It is a whole/,
    ],
    [["run"], /^error: required option '--pcap <file>' not specified/],
    [
      ["trace", "--from", "cart", "--to", "svc/shop/web:80"],
      /^error: «cart» names no end of a packet: write /,
    ],
    [
      ["trace", "--from", "svc/shop/web", "--to", "1.2.3.4:5"],
      /^error: --from svc\/shop\/web: a Service sends/,
    ],
    [
      ["trace", "--from", "fd00::1", "--to", "1.2.3.4:5"],
      /^error: fd00::1 is of IPv6 and 1\.2\.3\.4 of IPv4/m,
    ],
    [["run", "-f", "-", "--pcap", "-"], /^error: -f - and --pcap - both ask for stdin/],
    [["run", "--pcap", "x", "--packets"], /^error: --packets goes with -o json or yaml; /],
    [["run", "--pcap", "x", "--seed", "-1"], /^error: option '--seed <number>' argument '-1' is invalid/],
  ])("is refused with exit code 2: %j", (args, message) => {
    const { stderr, stdout, code } = packetyard(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it("is refused where it names two source ports", () => {
    const to = ["--to", "svc/shop/web", "--sport", "4100"];
    for (const from of ["pod/shop/cart:1234", "10.244.1.7:1234"]) {
      const { stderr, stdout, code } = packetyard(["trace", "--from", from, ...to]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(`error: --from ${from} and --sport 4100 name two source ports, `);
    }
    expect(packetyard(["trace", "--from", "10.244.1.7:4100", ...to]).code).toBe(0);
  });

  it("is refused where the destination has no port, or one that is none", () => {
    const from = ["trace", "--from", "pod/shop/cart", "--to"];
    for (const [to, message] of [
      ["10.244.2.2", "error: --to 10.244.2.2: a packet goes to a port; write 10.244.2.2:PORT.\n"],
      ["pod/shop/web:70000", "error: «70000» is no port: it is a number from 1 to 65535, or a name.\n"],
    ] as const) {
      const { stderr, code } = packetyard([...from, to]);
      expect(code).toBe(2);
      expect(stderr).toContain(message);
    }
  });
});

describe("colours", () => {
  it("are not for pipes", () => {
    const { stdout, stderr } = packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web:80"]);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});

describe("a disk that is full", () => {
  it.skipIf(!existsSync("/dev/full")).each(["compile -o iptables-save", "diff --modes iptables ipvs"])(
    "is said in a sentence, and is never taken for an answer: %s",
    (words) => {
      const full = openSync("/dev/full", "w");
      const { stderr, status } = spawnSync(process.execPath, ["dist/src/cli/main.js", ...words.split(" ")], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      closeSync(full);
      expect([status, stderr.split("\n").at(-2)]).toEqual([
        2,
        "error: stdout: cannot be written: the disk is full.",
      ]);
    },
  );
});

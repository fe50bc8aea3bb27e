import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { importsOf, type SourceFile, sourceFiles, unitOf } from "./source-files.js";

/**
 * Who may import whom (ARCHITECTURE.md). A unit is a folder of assembly/ or src/, or a file beside them; each may
 * import itself, and what stands here.
 */
const ASSEMBLY: Readonly<Record<string, readonly string[]>> = {
  abi: [],
  build: [],
  bytes: ["abi"],
  hash: ["abi"],
  // A writer waits for the states that read its image.
  image: ["abi", "state"],
  state: ["abi"],
  // Random state is in the state, so that equal states draw equally.
  random: ["abi", "packet", "state", "trace"],
  memory: ["abi", "image"],
  wire: ["abi", "bytes"],
  packet: ["abi", "hash", "image", "state"],
  trace: ["abi", "packet"],
  // Rules match packets, draw and are traced: that table knows what a packet is.
  table: ["abi", "bytes", "hash", "image", "memory", "wire", "packet", "random", "state", "trace"],
  // What connection tracking knows of packets, protocol by protocol: its stage asks.
  track: ["abi", "bytes", "image", "packet", "random", "state", "table", "wire"],
  // IPVS' own connections: their states, timers and destinations.
  ipvs: ["abi", "image", "packet", "random", "state", "table", "trace", "track"],
  // Packets about which nothing is left to decide.
  express: ["abi", "bytes", "hash", "image", "ipvs", "stage", "state", "table", "track", "wire"],
  // New connections of IPVS, a burst of them at a time.
  opening: ["abi", "express", "image", "ipvs", "packet", "state", "table"],
  // IPVS where packets pass it: its hooks, which stand in no pipeline's order.
  director: ["abi", "bytes", "image", "ipvs", "packet", "stage", "state", "table", "trace", "track", "wire"],
  stage: ["abi", "bytes", "hash", "image", "wire", "packet", "random", "state", "table", "trace", "track"],
  pipeline: [
    "abi",
    "director",
    "express",
    "hash",
    "image",
    "ipvs",
    "opening",
    "packet",
    "random",
    "stage",
    "state",
    "table",
    "trace",
    "track",
    "wire",
  ],
  index: ["abi", "image", "ipvs", "memory", "pipeline", "random", "state", "table"],
};

const SRC: Readonly<Record<string, readonly string[]>> = {
  abi: [],
  arguments: [],
  diagnostics: [],
  net: [],
  "near-names": [],
  model: ["arguments", "net", "near-names", "diagnostics"],
  ruleset: ["arguments", "net", "near-names", "diagnostics"],
  // Services as they are written and written again, one by one.
  fragment: ["model", "ruleset", "diagnostics"],
  proxy: ["net", "model", "fragment", "ruleset", "diagnostics"],
  cni: ["net", "model", "ruleset", "diagnostics"],
  // kube-proxy's own configuration file.
  config: ["arguments", "net", "model", "proxy", "ruleset", "io", "diagnostics"],
  packet: ["net"],
  trace: ["net", "ruleset"],
  // All that may become of a packet, from records of replayed runs.
  explore: ["net", "ruleset", "trace"],
  // What leaves in fragments is cut as frames are built.
  engine: ["arguments", "net", "packet", "ruleset", "explore", "trace", "diagnostics"],
  io: ["arguments", "net", "model", "ruleset", "diagnostics"],
  report: [],
  // Those that join: objects read from text, and the front ends over one cluster, once or following its changes.
  cluster: ["arguments", "config", "io", "model", "diagnostics"],
  compile: ["arguments", "net", "model", "fragment", "proxy", "cni", "config", "ruleset", "diagnostics"],
  compilation: ["arguments", "model", "fragment", "compile", "proxy", "ruleset", "diagnostics"],
  // A host that measures: it compiles, loads engines and fills batches of its own packets.
  compare: ["compile", "engine", "model", "net", "packet", "proxy", "report", "ruleset", "diagnostics"],
  // Two nodes are asked the same packets: what there is to ask of is known from clusters and rulesets.
  diff: ["arguments", "engine", "explore", "model", "net", "packet", "proxy", "ruleset", "trace"],
  // What a node's leaving one mode for another comes to: two compilations of it, and what tells them apart.
  assess: ["compile", "diagnostics", "diff", "model", "net", "report", "ruleset"],
  // A node of its own, whose virtual servers are changed one by one.
  director: ["arguments", "diagnostics", "engine", "net", "ruleset"],
  index: [
    "abi",
    "assess",
    "cluster",
    "compilation",
    "compile",
    "config",
    "diagnostics",
    "diff",
    "director",
    "engine",
    "explore",
    "model",
    "net",
    "packet",
    "proxy",
    "ruleset",
    "trace",
  ],
  // Beside the public API: captures and YAML, the report, and words for what the user named. No engine, no model.
  cli: ["index", "compare", "io", "net", "report", "ruleset", "trace"],
};

/** Units of src that speak the machine's numbers. */
const ABI_READERS = ["engine", "explore", "packet", "trace"];

/** Packages by the unit (or the one file) that may import them. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  engine: [/^@assemblyscript\/loader$/],
  "src/engine/wasm.ts": [/^node:(fs\/promises|module)$/],
  "src/engine/workers.ts": [/^node:worker_threads$/],
  "src/engine/worker-thread.ts": [/^node:worker_threads$/],
  io: [/^yaml$/],
  report: [/^d3-[a-z]+$/],
  cli: [/^commander$/, /^node:/],
};

const assembly = sourceFiles("assembly");
const src = sourceFiles("src");
const everything = [...assembly, ...src, ...sourceFiles("test"), ...sourceFiles("bench")];

/** `file: import` for every import within its root that the table does not allow. */
function strays(files: readonly SourceFile[], root: string, table: typeof SRC): string[] {
  return files.flatMap(({ path, imports }) => {
    const unit = unitOf(path);
    return imports
      .filter((target) => target.startsWith(`${root}/`))
      .filter((target) => unitOf(target) !== unit && !table[unit]?.includes(unitOf(target)))
      .map((target) => `${path}: ${target}`);
  });
}

describe("architecture: imports", () => {
  it("reads imports as they are written", () => {
    const text = `import type { A } from "../net/ip.js";\nimport "../abi.js";\nexport * from "yaml";
      import {\n  b,\n} from "./b.js";\nconst c = await import("node:fs");\n// from "no"\n/* import "no" */`;
    expect(importsOf("src/model/a.ts", text)).toEqual([
      "src/net/ip",
      "src/abi",
      "yaml",
      "src/model/b",
      "node:fs",
    ]);
    expect(assembly.length).toBeGreaterThan(40);
    expect(src.length).toBeGreaterThan(80);
  });

  it("knows every unit, and none that is gone", () => {
    expect([...new Set(assembly.map(({ path }) => unitOf(path)))].sort()).toEqual(
      Object.keys(ASSEMBLY).sort(),
    );
    expect([...new Set(src.map(({ path }) => unitOf(path)))].sort()).toEqual(Object.keys(SRC).sort());
  });

  it("in assembly lead downwards", () => {
    expect(strays(assembly, "assembly", ASSEMBLY)).toEqual([]);
    const outside = assembly.flatMap(({ path, imports }) =>
      imports.filter((target) => !target.startsWith("assembly/")).map((target) => `${path}: ${target}`),
    );
    expect(outside).toEqual([]);
  });

  it("in src lead downwards, and into assembly to abi alone", () => {
    expect(strays(src, "src", SRC)).toEqual([]);
    const inward = src.flatMap(({ path, imports }) =>
      imports
        .filter((target) => target.startsWith("assembly/"))
        .filter((target) => !target.startsWith("assembly/abi/") || !ABI_READERS.includes(unitOf(path)))
        .map((target) => `${path}: ${target}`),
    );
    expect(inward).toEqual([]);
  });

  it("of packages and of node: stand where they are allowed", () => {
    const foreign = src.flatMap(({ path, imports }) => {
      const allowed = [...(PACKAGES[unitOf(path)] ?? []), ...(PACKAGES[path] ?? [])];
      return imports
        .filter((target) => !/^(src|assembly)\//.test(target) && !allowed.some((one) => one.test(target)))
        .map((target) => `${path}: ${target}`);
    });
    expect(foreign).toEqual([]);
  });

  it("keep look-ups free of building", () => {
    const lookups = assembly.filter(({ path }) => path.endsWith("/lookup.ts"));
    expect(lookups.length).toBeGreaterThan(4);
    expect(lookups.flatMap(({ imports }) => imports).filter((target) => target.endsWith("/build"))).toEqual(
      [],
    );
  });

  it("keep stages apart: only a pipeline knows the order", () => {
    const between = assembly
      .filter(({ path }) => unitOf(path) === "stage")
      .flatMap(({ path, imports }) => imports.map((target) => ({ path, target })))
      .filter(({ target }) => unitOf(target) === "stage")
      .map(({ path, target }) => `${path}: ${target}`);
    expect(between).toEqual([]);
  });

  it("keep proxy modes and network plugins apart", () => {
    const modeOf = (path: string) => /^src\/proxy\/(iptables|ipvs|nft)/.exec(path)?.[1];
    const between = src.flatMap(({ path, imports }) =>
      imports
        // What the modes share is below them all: but for a mode's own files, nothing in proxy knows one.
        .filter((target) => path.startsWith("src/proxy/") && modeOf(target) !== undefined)
        .filter((target) => modeOf(target) !== modeOf(path))
        .map((target) => `${path}: ${target}`),
    );
    expect(between).toEqual([]);
    expect(new Set(src.map(({ path }) => modeOf(path)))).toEqual(
      new Set([undefined, "iptables", "ipvs", "nft"]),
    );
  });
});

describe("architecture: the contract", () => {
  const abi = assembly.filter(({ path }) => path.startsWith("assembly/abi/"));
  const TERM = "(?:0x[0-9a-f]+|[0-9]+|[A-Z][A-Z0-9_]*)";
  const CONSTANT = new RegExp(`^export const ([A-Z][A-Z0-9_]*): u32 = (${TERM}(?: (?:\\+|<<) ${TERM})*);$`);
  const COMMENT = /^(\/\/ .*|\/\*\*.*|\s\*.*|)$/;

  it.each(abi)("$path is numbers and comments", ({ text, imports }) => {
    const lines = text.split("\n");
    expect(lines.filter((line) => !CONSTANT.test(line) && !COMMENT.test(line))).toEqual([]);
    expect(imports).toEqual([]);
    const known = new Set<string>();
    for (const line of lines) {
      const [, name = "", expression = ""] = CONSTANT.exec(line) ?? [];
      const names = expression.match(/\b[A-Z][A-Z0-9_]*\b/g) ?? [];
      expect(names.filter((one) => !known.has(one))).toEqual([]);
      if (name !== "") known.add(name);
    }
    expect(known.size).toBeGreaterThan(0);
  });
});

describe("architecture: files", () => {
  const product = [...assembly, ...src];

  it("have no default export", () => {
    expect(product.filter(({ text }) => /^export default\b|\bas default\b/m.test(text))).toEqual([]);
  });

  it("are named after what they hold", () => {
    const forbidden = [
      "utils",
      "util",
      "helpers",
      "helper",
      "common",
      "manager",
      "handler",
      "process",
      "data",
      "info",
      "misc",
    ];
    const names = (path: string) => [...path.split("/").slice(0, -1), basename(path).replace(/\..*$/, "")];
    const wrong = everything
      .map(({ path }) => path)
      .filter((path) => names(path).some((name) => forbidden.includes(name)));
    expect(wrong).toEqual([]);
    const odd = everything.map(({ path }) => path).filter((path) => !/^[a-z0-9/.-]+$/.test(path));
    expect(odd).toEqual([]);
  });

  it("fit on a few screens", () => {
    const longer = (files: readonly SourceFile[], lines: number) =>
      files.filter(({ text }) => text.split("\n").length > lines).map(({ path }) => path);
    expect(longer(product, 300)).toEqual([]);
    expect(longer(everything, 500)).toEqual([]);
  });

  it("use no any", () => {
    const any = product.filter(({ text }) => /(:|<|as) any\b/.test(text.replace(/\/\*[\s\S]*?\*\//g, "")));
    expect(any.map(({ path }) => path)).toEqual([]);
  });
});

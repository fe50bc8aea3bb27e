import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "..");
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc");
const MINUTES = 60_000;

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

/** The README's TypeScript, one block after the other: later ones go on with the names of the first. */
function readmeExample(): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  expect(blocks.length).toBeGreaterThan(0);
  return blocks.join("\n");
}

/** Every public name used once, with the types that a consumer would write. */
const CONSUMER = `
import {
  arp, Batch, type BatchOptions, Cluster, type ClusterOptions, compile, type CompileOptions, type Diagnostic,
  type DropReason, Engine, type EngineOptions, frame, icmpEcho, InputError, type Ip, type PacketOptions, parseIp,
  parsePrefix, type Place, type Prefix, printDiagnostic, printIp, printPrefix, RULESET_FORMATS, type RulesetFormat,
  printPacket, printRuleset, type ProxyMode, type Ruleset, type RulesetChange, type RulesetStep, type Step,
  type SyntheticOptions,
  type TableOctets, tcp, type Trace, udp, type VerdictName,
} from "packetyard";

export async function consume(yaml: string, proxy: ProxyMode, options: ClusterOptions): Promise<string> {
  const synthetic: SyntheticOptions = { services: 10, endpoints: 4 };
  const cluster: Cluster = yaml === "" ? Cluster.synthetic(synthetic) : Cluster.parse(yaml, options);
  const how: CompileOptions = { node: "worker-1", proxy, cni: "flannel" };
  const pool: Prefix | undefined = parsePrefix("192.0.2.0/24");
  const networks: ClusterOptions = { clusterCIDR: "10.50.0.0/16", ...(pool && { loadBalancerPool: pool }) };
  const address: Ip | undefined = parseIp("10.0.0.1");
  const names = [address && printIp(address), pool && printPrefix(pool), networks.clusterCIDR];
  const formats: readonly RulesetFormat[] = RULESET_FORMATS;
  const octetsOfMachine: EngineOptions = { wasm: { run: new Uint8Array(8) } };
  const ruleset: Ruleset = compile(cluster, how);
  const notes: readonly Diagnostic[] = ruleset.diagnostics;
  const place: Place | undefined = notes[0]?.place;
  const loading: EngineOptions = { seed: 1n, connections: 100 };
  const engine: Engine = await Engine.load(ruleset, loading);
  const step: RulesetStep = { kind: "name-set", address: 1, name: "one" };
  const change: RulesetChange = [step];
  engine.apply(change);
  const sizes: BatchOptions = { frameLength: 128 };
  const batch: Batch = engine.batch(4, sizes);
  batch.set(0, udp("10.0.0.1:1", "10.0.0.2:2"));
  batch.set(3, arp("10.0.0.1", "10.0.0.2"));
  batch.set(1, icmpEcho("10.0.0.1", "10.0.0.2"));
  batch.set(2, frame().eth().ip4({ src: "10.0.0.1", dst: "10.0.0.2" }).udp({ srcPort: 1, dstPort: 2 }).bytes());
  engine.run(batch, 0, 3);
  const verdict: VerdictName = batch.verdict(0);
  const reason: DropReason = batch.reason(0);
  const by: PacketOptions = { in: "eth0", now: 1 };
  const trace: Trace = engine.follow(tcp("10.0.0.1:1", "10.0.0.2:2"), by);
  const steps: readonly Step[] = trace.steps;
  const octets: TableOctets = engine.octets();
  try {
    await Engine.load(engine.save());
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics.map(printDiagnostic).join();
  }
  return [names, formats, octetsOfMachine, verdict, reason, steps.length, octets.all, place?.file, printPacket(batch.frame(0)), printRuleset(ruleset, "ip-route")].join();
}
// @ts-expect-error: a mode that is not there; without types of its own the package would let it pass.
export const wrong: ProxyMode = "ebpf";
`;

function tsconfig(files: readonly string[]): string {
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    // Node's types alone: declarations must not need those of the DOM.
    lib: ["es2023"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    typeRoots: [join(ROOT, "node_modules", "@types")],
    types: ["node"],
  };
  return JSON.stringify({ compilerOptions, files });
}

describe("the package, installed into an empty project", () => {
  const folder = mkdtempSync(join(tmpdir(), "packetyard-package-"));
  const project = join(folder, "project");
  let packed: readonly string[] = [];

  beforeAll(async () => {
    // What is packed is what was built before the tests: building again would pull it from under the others.
    const { stdout } = await run(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
      { cwd: ROOT },
    );
    const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    packed = tarball?.files.map(({ path }) => path) ?? [];
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const install = [
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      join(folder, tarball?.filename ?? ""),
    ];
    await run("npm", install, { cwd: project });
  }, 4 * MINUTES);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const command = (...words: readonly string[]) =>
    run("npx", ["--no-install", "packetyard", ...words], { cwd: project });

  it("has what it needs and nothing of how it was made", () => {
    for (const path of [
      "README.md",
      "LICENSE",
      "dist/src/index.js",
      "dist/src/index.d.ts",
      "dist/wasm/run.wasm",
      "dist/wasm/trace.wasm",
    ]) {
      expect(packed).toContain(path);
    }
    expect(packed.filter((path) => path.endsWith(".wat"))).toEqual([]);
    expect(packed.filter((path) => /^(test|bench|assembly|src|node_modules)\/|\.test\./.test(path))).toEqual(
      [],
    );
  });

  it("has a command that tells its version and how it is used", async () => {
    expect((await command("--version")).stdout.trim()).toBe(manifest.version);
    const { stdout } = await command("--help");
    for (const word of ["compare", "trace", "run", "compile"]) expect(stdout).toContain(word);
  });

  it("traces a packet by its command", async () => {
    const file = join("node_modules", "packetyard", "examples", "shop.yaml");
    const { stdout } = await command(
      "trace",
      "-f",
      file,
      "--from",
      "pod/shop/cart",
      "--to",
      "svc/shop/web:80",
    );
    expect(stdout).toMatch(/10\.244\./);
  });

  it("runs the README's example", async () => {
    cpSync(join(project, "node_modules", "packetyard", "examples"), join(project, "examples"), {
      recursive: true,
    });
    writeFileSync(join(project, "example.mjs"), readmeExample());
    const { stdout, stderr } = await run(process.execPath, ["example.mjs"], { cwd: project });
    expect(stdout.split("\n").length).toBeGreaterThan(3);
    expect(stderr).toBe("");
  });

  it(
    "type-checks a consumer, declarations included",
    async () => {
      writeFileSync(join(project, "consumer.ts"), CONSUMER);
      writeFileSync(join(project, "readme.ts"), `${readmeExample()}\nexport {};\n`);
      writeFileSync(join(project, "tsconfig.json"), tsconfig(["consumer.ts", "readme.ts"]));
      const { stdout } = await run(process.execPath, [TSC, "-p", project], { cwd: project }).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toBe("");
    },
    MINUTES,
  );
});

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Comparison } from "../../src/report/comparison.js";

const MAIN = resolve("dist/src/cli/main.js");
const EXAMPLE = resolve("examples/shop.yaml");
const QUICK = ["--rounds", "1"] as const;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "packetyard-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the built command in an empty folder. */
function compare(...args: readonly string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(process.execPath, [MAIN, "compare", ...args], { cwd: folder }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("packetyard compare", () => {
  it("prints a table, writes the report, and says what it does on stderr", async () => {
    const { code, stdout, stderr } = await compare("--services", "10,5", "--endpoints", "2", ...QUICK);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n").slice(2);
    expect(lines.map((line) => line.split(/ +/).slice(0, 2))).toEqual(
      ["5", "10"].flatMap((size) => ["iptables", "ipvs", "nftables"].map((mode) => [mode, size])),
    );
    expect(stderr).toMatch(
      /^measuring 5 Services \(\d+ s elapsed\)\nmeasuring 10 Services \(\d+ s elapsed\)\n/m,
    );
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(stderr).toContain("report written to packetyard-report.html");
    expect(readdirSync(folder)).toEqual(["packetyard-report.html"]);
    expect(readFileSync(join(folder, "packetyard-report.html"), "utf8")).toMatch(
      /^<!doctype html>.*<\/html>\n$/s,
    );
  });

  it("measures mode ipvs with each scheduler that is named, and refuses those that are none", async () => {
    const args = ["--services", "3", "--modes", "ipvs,nftables", "-o", "json", ...QUICK];
    const { code, stdout } = await compare(...args, "--ipvs-scheduler", "mh, rr");
    expect(code).toBe(0);
    const { rows } = JSON.parse(stdout) as Comparison;
    expect(rows.map(({ mode }) => mode)).toEqual(["ipvs rr", "ipvs mh", "nftables"]);
    const unknown = await compare(...args, "--ipvs-scheduler", "mh,maglev");
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toContain("There is no scheduler «maglev»: there are rr, wrr, ");
    const idle = await compare("--modes", "iptables", "--ipvs-scheduler", "rr", "--no-report");
    expect(idle.code).toBe(2);
    expect(idle.stderr).toContain("--ipvs-scheduler is of mode ipvs, and --modes leaves it out");
  });

  it("measures schedulers among so many destinations, beside the other modes", async () => {
    const args = ["--services", "3", "--destinations", "9,4", "--ipvs-scheduler", "lc,rr", ...QUICK];
    const { code, stdout } = await compare(...args, "-o", "json", "--report", "page.html");
    expect(code).toBe(0);
    const { schedulers = [] } = JSON.parse(stdout) as Comparison;
    const named = schedulers.map(({ mode, scheduler, destinations }) => [mode, scheduler, destinations]);
    expect(named).toEqual(
      [4, 9].flatMap((count) => [
        ["iptables", null, count],
        ["ipvs", "rr", count],
        ["ipvs", "lc", count],
        ["nftables", null, count],
      ]),
    );
    for (const row of schedulers) {
      expect(row).toMatchObject({
        newConnection: { p50: expect.any(Number), p99: expect.any(Number), spread: expect.any(Array) },
        walked: expect.any(Number),
        rounds: 1,
      });
    }
    expect(readFileSync(join(folder, "page.html"), "utf8")).toContain("What a scheduler costs");
    const table = await compare(...args, "--no-report");
    expect(table.stdout).toMatch(/^new connection to one Service, ns, .*\nmode +4 +9 +each more\niptables /m);
    expect(table.stderr).toContain("measuring schedulers among 9 destinations (");
    const without = await compare("--services", "3", "--modes", "ipvs", "-o", "json", ...QUICK);
    expect(JSON.parse(without.stdout)).toMatchObject({ schedulers: [] });
  });

  it("refuses destinations where nothing tells of them, or no scheduler is", async () => {
    const csv = await compare("--destinations", "4", "-o", "csv", ...QUICK);
    expect([csv.code, csv.stdout]).toEqual([2, ""]);
    expect(csv.stderr).toContain("--destinations is not told in csv: leave it out, or give --report.");
    const idle = await compare("--destinations", "4", "--modes", "nftables", ...QUICK);
    expect(idle.code).toBe(2);
    expect(idle.stderr).toContain("--destinations is of mode ipvs, and --modes leaves it out");
  });

  it("tells in the report what leaving IPVS changes, where it is asked to", async () => {
    const { code } = await compare("-f", EXAMPLE, "--assess", "--report", "page.html", ...QUICK);
    expect(code).toBe(0);
    expect(readFileSync(join(folder, "page.html"), "utf8")).toContain(
      "What leaving IPVS for nftables changes",
    );
    const none = await compare("--services", "3", "--assess", ...QUICK);
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toContain("--assess tells of a cluster in the HTML file: give -f, and --report.");
  });

  it("prints JSON of a stable shape, the same packets for the same seed, and no report unasked", async () => {
    const args = ["--services", "5", "--modes", "nftables,iptables", "--seed", "9", "-o", "json", ...QUICK];
    const { code, stdout } = await compare(...args);
    expect(code).toBe(0);
    const comparison = JSON.parse(stdout) as Comparison;
    expect(comparison).toMatchObject({
      apiVersion: "packetyard/v1",
      kind: "Comparison",
      seed: 9,
      input: { kind: "synthetic", name: "4 endpoints per Service on 3 nodes" },
      machine: { node: process.versions.node, packetyard: expect.any(String), cores: expect.any(Number) },
    });
    expect(comparison.rows.map(({ mode }) => mode)).toEqual(["iptables", "nftables"]);
    for (const row of comparison.rows) {
      expect(row).toMatchObject({
        services: 5,
        servicesGiven: 5,
        endpoints: 20,
        input: comparison.input,
        newConnection: { p50: expect.any(Number), p99: expect.any(Number) },
        established: { p50: expect.any(Number), p99: expect.any(Number) },
        mpps: expect.any(Number),
        walked: expect.any(Number),
        tableBytes: expect.any(Number),
        compileMs: expect.any(Number),
      });
    }
    expect(readdirSync(folder)).toEqual([]);
    const again = JSON.parse((await compare(...args)).stdout) as Comparison;
    const counted = ({ rows }: Comparison) => rows.map((row) => [row.walked, row.walkedEstablished]);
    expect(counted(again)).toEqual(counted(comparison));
  });

  it("measures the cluster that -f names, alone unless sizes are asked for, and says what got no packets", async () => {
    const { code, stdout, stderr } = await compare("-f", EXAMPLE, "--modes", "ipvs", "-o", "csv", ...QUICK);
    expect(code).toBe(0);
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toMatch(/^input,mode,services,endpoints,new_connection_p50_ns,/);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(/^shop\.yaml,ipvs,/);
    expect(stderr).toContain("shop/empty");
    const both = await compare("-f", EXAMPLE, "--services", "5", "--modes", "ipvs", "-o", "csv", ...QUICK);
    expect(both.stdout.trimEnd().split("\n")).toHaveLength(3);
  });

  it("writes the report where it is told to, whatever it prints", async () => {
    const options = ["--services", "5", "--modes", "ipvs", ...QUICK];
    await compare(...options, "-o", "json", "--report", "shop.html");
    expect(readdirSync(folder)).toEqual(["shop.html"]);
    await compare(...options, "--no-report");
    expect(readdirSync(folder)).toEqual(["shop.html"]);
  });

  it("heads the rows of each input with its name", async () => {
    const { stdout } = await compare("-f", EXAMPLE, "--services", "5", "--modes", "ipvs", ...QUICK);
    const lines = stdout.trimEnd().split("\n").slice(2);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^shop\.yaml: \d+ of \d+ Services have a ClusterIP \(IPv4\)$/);
    expect(lines[2]).toBe("4 endpoints per Service on 3 nodes");
  });

  it("refuses a report that cannot be written before it measures", async () => {
    mkdirSync(join(folder, "out"));
    for (const file of ["out", "out/", "new/"]) {
      const { code, stdout, stderr } = await compare("--services", "5", "--report", file, ...QUICK);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(`--report ${file}: is a folder`);
      expect(stderr).not.toContain("measuring");
    }
    // No file system takes a name so long, not even from root.
    const long = `${"x".repeat(300)}.html`;
    const { code, stdout, stderr } = await compare("--services", "5", "--report", long, ...QUICK);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/cannot be written/);
    expect(stderr).not.toContain("measuring");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it.each([
    [["--services", "10,0"], /--services.*whole numbers from 1 to 50000/s],
    [["--services", "10,,20"], /--services/],
    [["--services", "50001"], /from 1 to 50000/],
    [["--services", "1e3"], /--services/],
    [["--destinations", "10,10001"], /--destinations.*whole numbers from 1 to 10000/s],
    [["--endpoints", "0"], /--endpoints/],
    [["--modes", "iptables,ebpf"], /There is no mode «ebpf»: the modes are iptables, ipvs, nftables/],
    [["--rounds", "0"], /--rounds/],
    [["--seed", "-1"], /--seed/],
    [["-o", "xml"], /--output/],
    [["--services", "5", "--report", "no/such/folder/report.html"], /there is no folder no\/such\/folder/],
  ])("refuses %j with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await compare(...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses bad input with exit code 1 and writes nothing", async () => {
    const { code, stdout, stderr } = await compare("-f", "missing.yaml");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("missing.yaml");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("explains itself with examples", async () => {
    const { code, stdout } = await compare("--help");
    expect(code).toBe(0);
    expect(stdout).toContain("packetyard compare -f shop.yaml");
  });
});

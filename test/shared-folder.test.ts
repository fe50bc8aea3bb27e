import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { absence } from "./shared-folder.js";

const folder = mkdtempSync(join(tmpdir(), "packetyard-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the shared folder", () => {
  it("is named where it is absent", () => {
    expect(absence(join(folder, "none"))).toBe(
      `tests over shared data are skipped, as there is no folder ${join(folder, "none")}: set PACKETYARD_SHARED to where it is.`,
    );
  });

  it("is told what it lacks, until it lacks nothing", () => {
    for (const part of ["iptables", "k8s", "pcap"])
      mkdirSync(join(folder, "data", part), { recursive: true });
    expect(absence(folder)).toContain(
      `no data/routing, spec/chain-names.json in the folder ${folder}: set PACKETYARD_SHARED`,
    );
    for (const part of ["data/routing", "spec"]) mkdirSync(join(folder, part));
    writeFileSync(join(folder, "spec", "chain-names.json"), "{}");
    expect(absence(folder)).toBeUndefined();
  });
});

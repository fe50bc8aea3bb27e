import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packetyard, withFolder } from "./packetyard.js";

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
describe("colours", () => {
  it("are not for pipes", () => {
    const { stdout, stderr } = packetyard(["trace", "--from", "pod/shop/cart", "--to", "svc/shop/web:80"]);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});

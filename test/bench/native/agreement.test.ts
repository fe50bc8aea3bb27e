import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../bench/baseline/random.js";
import { type Kernel, OrderedSum } from "../../../bench/native/kernel.js";
import { inPrefixKeys4, uniformKeys4 } from "../../../bench/native/keys.js";
import {
  decapsulatorKernel,
  flowKernel,
  maglevKernel,
  routerKernel,
  translatorKernel,
} from "../../../bench/native/packet-kernels.js";
import { scenariosOf } from "../../../bench/native/scenarios.js";
import { parseVariants, Side } from "../../../bench/native/side.js";
import { hashKernel, lpm4Kernel } from "../../../bench/native/table-kernels.js";
import { k8sRoutes, packRoutes4 } from "../../../bench/native/tables.js";
import { buildHarness, harnessCommand } from "../../../bench/native/toolchain.js";
import { drawTuples, hitKeys, missKeys } from "../../../bench/native/tuples.js";
import { maskOf } from "../../../src/net/prefix.js";

const hasDpdk = spawnSync("pkg-config", ["--exists", "libdpdk"]).status === 0;
let folder = "";
let harness = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "packetyard-agreement-"));
  if (hasDpdk) harness = buildHarness(process.cwd());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The sums of every native variant over a key file. */
async function nativeSums(subject: string, file: string, strides: readonly number[] = []): Promise<string[]> {
  const side = new Side("the harness", harnessCommand(harness, 0));
  try {
    await side.greeting();
    await side.ask("open", subject, folder);
    const variants = parseVariants(await side.ask("keys", join(folder, file), ...strides));
    const sums: string[] = [];
    for (const [index, { group }] of variants.entries())
      if (group !== "absent") sums.push(await side.ask("check", index));
    return sums;
  } finally {
    side.end();
  }
}

async function expectAgreement(sum: number, subject: string, file: string, strides?: readonly number[]) {
  if (!hasDpdk) return;
  const sums = await nativeSums(subject, file, strides);
  expect(sums.length).toBeGreaterThan(0);
  expect(new Set(sums)).toEqual(new Set([String(sum)]));
}

function write(name: string, words: Uint32Array): void {
  writeFileSync(join(folder, name), words);
}

const beside = hasDpdk ? "and with DPDK" : "(DPDK is not installed: apt-get install libdpdk-dev)";

describe(`bench:native: the machine agrees with oracles ${beside}`, () => {
  it("on next hops", async () => {
    // Without the upper half of the default route, so that some keys have none.
    const routes = k8sRoutes(new Random(9))
      .slice(4000)
      .filter(({ address }) => address !== 0x80000000);
    const few = routes.filter(({ length }) => length > 1);
    const keys = Uint32Array.from([
      ...inPrefixKeys4(new Random(1), few, 4096),
      ...uniformKeys4(new Random(2), 4096),
    ]);
    const sum = new OrderedSum();
    const byLength = [...routes].sort((a, b) => b.length - a.length);
    for (const key of keys)
      sum.add(byLength.find(({ address, length }) => (key & maskOf(length)) >>> 0 === address)?.nextHop ?? 0);
    write("routes.bin", packRoutes4(routes));
    write("keys.bin", keys);
    const kernel = await lpm4Kernel(folder);
    kernel.keys(join(folder, "keys.bin"), 0);
    expect(kernel.check()).toBe(sum.value);
    expect(kernel.pass()).toBeGreaterThan(0);
    await expectAgreement(sum.value, "lpm4", "keys.bin");
  });

  it("on connections found and not found", async () => {
    const tuples = drawTuples(new Random(3), 5000);
    write("tuples.bin", tuples);
    write("hits.bin", hitKeys(new Random(4), tuples, 4096));
    write("misses.bin", missKeys(new Random(5), tuples, 4096));
    const kernel = await hashKernel(folder);
    kernel.keys(join(folder, "hits.bin"), 0);
    const hits = kernel.check();
    await expectAgreement(hits, "hash", "hits.bin");
    kernel.keys(join(folder, "misses.bin"), 0);
    const none = new OrderedSum();
    for (let miss = 0; miss < 4096; miss++) none.add(0);
    expect(kernel.check()).toBe(none.value);
    expect(hits).not.toBe(none.value);
    await expectAgreement(none.value, "hash", "misses.bin");
  });

  it.each<[string, (folder: string) => Promise<Kernel>]>([
    ["encap", routerKernel],
    ["decap", routerKernel],
    ["strip", decapsulatorKernel],
    ["connection-4k", translatorKernel],
    ["whole-10k", flowKernel],
    ["maglev", maglevKernel],
  ])("on every octet of packets: %s", async (name, make) => {
    const scenario = scenariosOf(undefined).find((one) => one.name === name);
    scenario?.write(folder);
    const kernel = await make(folder);
    const sums = [256, 2176].map((stride) => {
      kernel.keys(join(folder, "frames.bin"), stride);
      return kernel.check();
    });
    expect(sums[0]).toBe(sums[1]);
    await expectAgreement(sums[0] as number, scenario?.subject ?? "", "frames.bin", [128, 2176]);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { MissingExport } from "../../../bench/native/kernel.js";
import { parseAnswer, parseVariants, Side } from "../../../bench/native/side.js";
import { describeLoad, findToolchain, NotInstalled } from "../../../bench/native/toolchain.js";

describe("bench:native conversation", () => {
  it("reads variants and refuses what names none", () => {
    expect(parseVariants("dpdk:rte_lpm, bulk|absent:rte_fib 2B, AVX-512")).toEqual([
      { group: "dpdk", name: "rte_lpm, bulk" },
      { group: "absent", name: "rte_fib 2B, AVX-512" },
    ]);
    expect(() => parseVariants("dpdk:")).toThrow("names no variant");
    expect(() => parseVariants("")).toThrow("names no variant");
  });

  it("reads answers", () => {
    expect(parseAnswer("ok 17")).toBe("17");
    expect(parseAnswer("ok")).toBe("");
    expect(() => parseAnswer("missing run6")).toThrow(MissingExport);
    expect(() => parseAnswer("error there is no file")).toThrow("there is no file");
    expect(() => parseAnswer("okay")).toThrow("is no answer");
  });
});

describe("bench:native sides", () => {
  let side: Side | undefined;
  afterEach(() => side?.end());
  const speak = (script: string) => {
    side = new Side("the peer", [process.execPath, "--input-type=module", "-e", script]);
    return side;
  };

  it("answer line by line", async () => {
    const one = speak(`
      import { createInterface } from "node:readline";
      console.log("ok hello");
      for await (const line of createInterface({ input: process.stdin })) console.log("ok " + line);`);
    expect(await one.greeting()).toBe("hello");
    expect(await one.ask("time", 3)).toBe("time 3");
  });

  it("say what they said last when they end", async () => {
    const one = speak(`console.error("no memory"); process.exit(1);`);
    await expect(one.greeting()).rejects.toThrow(/the peer ended at «starting»/);
  });

  it("tell whose error it is", async () => {
    const one = speak(`console.log("error routes.bin cannot be read"); setInterval(() => {}, 1000);`);
    await expect(one.greeting()).rejects.toThrow("the peer, at «starting»: routes.bin cannot be read");
  });
});

describe("bench:native toolchain", () => {
  it.each([
    ["gcc", "gcc"],
    ["taskset", "util-linux"],
    ["pkg-config", "pkg-config"],
  ])("without %s names the package to install", (program, owner) => {
    const without = (name: string) => (name === program ? undefined : "");
    expect(() => findToolchain(without)).toThrow(NotInstalled);
    expect(() => findToolchain(without)).toThrow(`apt-get install ${owner}`);
  });

  it("without DPDK names libdpdk-dev", () => {
    const without = (name: string, words: readonly string[]) =>
      name === "pkg-config" && words.includes("libdpdk") ? undefined : "";
    expect(() => findToolchain(without)).toThrow("apt-get install libdpdk-dev");
    expect(() => findToolchain(() => "")).not.toThrow();
  });

  it("tells a busy machine from a quiet one", () => {
    expect(describeLoad(0.4, 2)).toEqual([]);
    expect(describeLoad(7.5, 2)[0]).toContain("a load of 7.5 on 2 cores");
  });
});

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { HOOK_PREROUTING, RULE_ENTRY_LEN } from "../assembly/abi/entry.js";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../assembly/abi/image.js";
import {
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BURST_LEN,
  COLUMN_COUNT,
  COLUMN_FRAME,
} from "../assembly/abi/packet.js";
import {
  DROP_FRAGMENTATION_NEEDED,
  DROP_NO_NEIGHBOUR,
  DROP_PORT_UNREACHABLE,
  DROP_TCP_RESET,
  DROP_TTL_EXCEEDED,
  VERDICT_DROP,
  VERDICT_REJECT,
} from "../assembly/abi/verdict.js";
import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import { BareImage } from "./bare-image.js";
import { CLUSTER, drawn, expectSameOutside, Guarded, number, PLAIN, withIp6 } from "./guarded-batch.js";
import { Tally } from "./tally.js";
import { globalMutability, hasSection, SECTION } from "./wasm-sections.js";

const BUILDS = ["run", "trace"] as const;
/** Reasons that are answered, each in another way. */
const ANSWERED = [
  DROP_PORT_UNREACHABLE,
  DROP_TTL_EXCEEDED,
  DROP_NO_NEIGHBOUR,
  DROP_FRAGMENTATION_NEEDED,
  DROP_TCP_RESET,
];
const MODES = ["iptables", "ipvs", "nftables"] as const;

function moduleOf(build: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(`#wasm/${build}`)));
}

describe.each(BUILDS)("%s.wasm", (name) => {
  const octets = moduleOf(name);

  it("imports one memory and nothing else", () => {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(octets));
    expect(imports).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });

  it("keeps no state of its own: no mutable global, no data, no start", () => {
    expect(globalMutability(octets)).not.toContain(true);
    expect(hasSection(octets, SECTION.data)).toBe(false);
    expect(hasSection(octets, SECTION.start)).toBe(false);
  });

  it("exports functions, as the other build does", () => {
    const exported = (build: string) =>
      WebAssembly.Module.exports(new WebAssembly.Module(moduleOf(build))).map(
        (one) => `${one.kind} ${one.name}`,
      );
    expect(exported(name)).toEqual(exported("run"));
    expect(exported(name).filter((one) => !/^(function|memory) /.test(one))).toEqual([]);
  });

  it("is small", () => {
    expect(octets.length).toBeLessThan(160 * 1024);
  });
});

describe.each(MODES)("the machine, mode %s", (proxy) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.load(withIp6(compile(CLUSTER, { proxy })), { connections: 63 });
  });

  it("never traps, and writes into state, columns and the frame's own room only", () => {
    const guarded = new Guarded(engine);
    const { batch, slot } = guarded;
    const seen = new Tally();
    let now = 0;
    const property = fc.property(drawn, (packet) => {
      guarded.place(packet);
      const { fits } = guarded;
      const before = Buffer.from(guarded.memory);
      now += 10_000;
      // The first and the middle one: three would hide a write from the middle one into its neighbour's columns.
      engine.run(batch, now, 2);
      expectSameOutside(before, guarded.memory, guarded.allowed(packet));
      expect([batch.frames[0], batch.lengths[0], batch.ins[0], batch.reason(0)]).toEqual([
        0,
        0,
        1,
        "BAD_SLOT",
      ]);
      expect([batch.frames[2], batch.lengths[2], batch.ins[2], batch.verdicts[2]]).toEqual([
        0, 0, 1, 0xa5a5a5a5,
      ]);
      const [verdict, reason] = [batch.verdict(1), batch.reason(1)];
      seen.count(verdict);
      seen.count(reason);
      if (packet.octets[12] === 0x86 && packet.octets[13] === 0xdd) seen.count(`IPv6 ${verdict}`);
      expect(verdict).not.toBe("NONE");
      expect(reason === "BAD_SLOT").toBe(!fits);
      expect(reason === "NONE").toBe(verdict === "FORWARD" || verdict === "LOCAL");
      if (reason === "BAD_SLOT" || verdict === "PUNT") {
        const at = batch.address + slot;
        expectSameOutside(
          before.subarray(at, at + batch.stride),
          guarded.memory.subarray(at, at + batch.stride),
          [],
        );
      }
      if (verdict === "FORWARD") expect(guarded.fits).toBe(true);
    });
    fc.assert(property, { numRuns: 1500 });
    const names = ["FORWARD", "DROP", "PUNT", "BAD_SLOT", "TRUNCATED", "BAD_CHECKSUM", "NOT_IP"];
    seen.expectEach([...names, "IPv6 FORWARD", "IPv6 LOCAL"]);
  });

  it("answers whatever was refused, if its columns are to be believed, within its slot", () => {
    const guarded = new Guarded(engine);
    const { batch, slot } = guarded;
    const seen = new Tally();
    const claim = fc.record({
      verdict: fc.constantFrom(VERDICT_DROP, VERDICT_REJECT),
      reason: fc.oneof(fc.constantFrom(...ANSWERED), fc.nat(255)),
      bits: fc.nat(31),
      nextHop: number,
    });
    const property = fc.property(drawn, claim, (packet, { verdict, reason, bits, nextHop }) => {
      guarded.place(packet);
      batch.verdicts[1] = verdict | (reason << 8) | (bits << 16);
      batch.nextHops[1] = nextHop;
      const before = Buffer.from(guarded.memory);
      const [first, last] = [0, 2].map((index) => [batch.frames[index], batch.verdicts[index]]);
      expect(engine.machine.answer(engine.image, engine.state, batch.address, 1)).toBe(STATUS_OK);
      const allowed = guarded.allowed(packet);
      const own = batch.address + slot;
      expectSameOutside(before, guarded.memory, [...allowed.slice(0, 3), [own, own + batch.stride]]);
      expect([0, 2].map((index) => [batch.frames[index], batch.verdicts[index]])).toEqual([first, last]);
      const name = batch.verdict(1);
      seen.count(name === "DROP" ? batch.reason(1) : name);
      if (name === "FORWARD") expect(guarded.fits).toBe(true);
    });
    fc.assert(property, { numRuns: 1500 });
    seen.expectEach(["FORWARD", "LOCAL", "NONE", "NO_HEADROOM", "TRUNCATED"]);
    expect(engine.machine.answer(engine.image, engine.state, batch.address, 3)).toBe(STATUS_BAD_ENTRY);
  });

  it("leaves slots alone that are not to be run", () => {
    const batch = engine.batch(BURST_LEN + 2);
    for (let index = 0; index < batch.capacity; index++) batch.set(index, PLAIN[0] as Uint8Array, 2);
    const before = batch.octets.slice();
    engine.run(batch, 1e9, 0);
    expect(Buffer.compare(batch.octets, before)).toBe(0);
    engine.run(batch, 1e9, BURST_LEN + 1);
    expect([batch.verdict(BURST_LEN), batch.verdict(BURST_LEN + 1)]).toEqual(["FORWARD", "NONE"]);
    const last = batch.octets.length - batch.stride;
    expect(Buffer.compare(batch.octets.subarray(last), before.subarray(last))).toBe(0);
    // The machine itself cuts a count above the capacity to it.
    engine.machine.run(engine.image, engine.state, batch.address, 0xffffffff, 1e9);
    expect(batch.verdict(BURST_LEN + 1)).toBe("FORWARD");
  });
});

describe("the machine", () => {
  it("lays a batch out as its contract says", async () => {
    const { machine, memory } = await BareImage.make();
    const length = machine.batchLength(10, 256, 4) >>> 0;
    const address = memory.take(length);
    machine.batchCreate(address, 10, 256, 4);
    const slots = memory.view(address, length).getUint32(BATCH_SLOTS, true);
    expect(slots % 128).toBe(0);
    expect(slots).toBeGreaterThanOrEqual(BATCH_HEADER_LEN + COLUMN_COUNT * 40 + COLUMN_FRAME);
    expect(length).toBe(slots + 10 * 256);
  });

  it("neither traps nor strays on rules of any octets that it takes", async () => {
    let taken = 0;
    const rule = fc
      .tuple(
        fc.uint8Array({ minLength: RULE_ENTRY_LEN, maxLength: RULE_ENTRY_LEN }),
        fc.nat(11),
        fc.nat(1),
        fc.nat(4),
      )
      .map(([bytes, target, matches, words]) => {
        const copy = bytes.slice();
        // Masks, protocol and flags that let most packets by, then a target and words that may be there.
        copy.fill(0, 0, 16).set([0, 0, 255, 255, 0, 0, target, matches, words, 0, 0, 0], 16);
        return copy;
      });
    const words = fc.array(fc.oneof({ weight: 4, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: number }), {
      minLength: 16,
      maxLength: 24,
    });
    const chains = fc.array(fc.tuple(fc.array(rule, { minLength: 1, maxLength: 4 }), words), {
      minLength: 1,
      maxLength: 6,
    });
    const property = fc.asyncProperty(chains, async (drawnChains) => {
      const image = await BareImage.make({ capacity: 1 << 19 });
      const { machine, memory, address } = image;
      image.setHops(1);
      machine.routeInsert(address, 0, 0, 0);
      for (const [index, [rules, more]] of drawnChains.entries()) {
        const bytes = new Uint32Array([...rules.flatMap((one) => [...new Uint32Array(one.buffer)]), ...more]);
        const status = image.withWords(bytes, (at) =>
          machine.chainSet(address, index, at, rules.length, at + rules.length * RULE_ENTRY_LEN, more.length),
        );
        if (status === 0) taken++;
      }
      machine.hookAppend(address, HOOK_PREROUTING, 0, 0, 1);
      const length = machine.batchLength(1, 512, 0) >>> 0;
      const batch = memory.take(length);
      machine.batchCreate(batch, 1, 512, 0);
      const slot = memory.view(batch, length).getUint32(BATCH_SLOTS, true);
      memory.octets(batch + slot + 128, 54).set(PLAIN[3] as Uint8Array);
      memory.words(batch + BATCH_HEADER_LEN, 3).set([slot + 128, 54, 1]);
      memory.take(4096);
      const all = Buffer.from(memory.memory.buffer as unknown as ArrayBuffer);
      const before = Buffer.from(all);
      machine.run(address, image.state, batch, 1, 0);
      expectSameOutside(before, all, [
        [image.state, image.state + image.stateLength],
        [batch, batch + length],
      ]);
    });
    await fc.assert(property, { numRuns: 150 });
    expect(taken).toBeGreaterThan(50);
  });
});

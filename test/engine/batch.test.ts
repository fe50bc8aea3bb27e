import { describe, expect, it } from "vitest";
import { SLOT_HEADROOM, SLOT_STRIDE } from "../../assembly/abi/packet.js";
import { tcp, udp } from "../../src/packet/build.js";
import { engineOf, POD } from "../drawn-cluster.js";

const SYN = tcp(`${POD}:40000`, "10.244.2.100:80");

describe("a batch", () => {
  it("gives back the frame that was set, each in its slot", async () => {
    const engine = await engineOf([], "iptables");
    const batch = engine.batch(5);
    const frames = [0, 1, 2, 3, 4].map((payload) => udp("10.0.0.1:1", "10.0.0.2:2", { payload }));
    for (const [index, frame] of frames.entries()) batch.set(index, frame, index);
    for (const [index, frame] of frames.entries()) {
      expect(batch.frame(index)).toEqual(frame);
      expect([batch.ins[index], batch.verdict(index), batch.reason(index)]).toEqual([index, "NONE", "NONE"]);
    }
    batch.set(2, SYN);
    expect([...[1, 2, 3].map((index) => batch.frame(index))]).toEqual([frames[1], SYN, frames[3]]);
    expect(batch.ins[2]).toBe(0);
  });

  it("has room for frames of the length that it was made for", async () => {
    const engine = await engineOf([], "iptables");
    const usual = engine.batch(1);
    expect([usual.frameLength, usual.stride]).toEqual([2048, SLOT_STRIDE]);
    const large = engine.batch(2, { frameLength: 9014 });
    expect(large.frameLength).toBeGreaterThanOrEqual(9014);
    expect(large.stride % 128).toBe(0);
    const frame = udp("10.0.0.1:1", "10.0.0.2:2", { payload: 9014 - 42 });
    large.set(1, frame);
    expect(large.frame(1)).toEqual(frame);
    expect(() => usual.set(0, frame)).toThrow("A frame of 9014 octets does not fit a slot of 2048");
    expect(engine.batch(1, { frameLength: 10 }).stride).toBe(SLOT_STRIDE);
  });

  it("refuses slots that it does not have", async () => {
    const engine = await engineOf([], "iptables");
    const batch = engine.batch(2);
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      const message = `The batch has 2 slots; there is no slot ${index}.`;
      expect(() => batch.set(index, SYN)).toThrow(message);
      expect(() => batch.frame(index)).toThrow(message);
      expect(() => batch.verdict(index)).toThrow(message);
      expect(() => batch.reason(index)).toThrow(message);
    }
    for (const capacity of [0, -1, 1.5]) expect(() => engine.batch(capacity)).toThrow(RangeError);
  });

  it("refuses frames and interfaces that are none, and stays as it was", async () => {
    const engine = await engineOf([], "iptables");
    const batch = engine.batch(1);
    const before = batch.octets.slice();
    for (const frame of [undefined, "octets", [1, 2]]) {
      expect(() => batch.set(0, frame as unknown as Uint8Array)).toThrow(TypeError);
    }
    const { length } = engine.numbering.interfaces;
    for (const number of [-1, 0.5, Number.NaN, length + 1]) {
      expect(() => batch.set(0, SYN, number)).toThrow(
        `in: ${number} is not a whole number from 0 to ${length}.`,
      );
    }
    expect(Buffer.compare(batch.octets, before)).toBe(0);
    batch.set(0, SYN, length);
    expect(batch.ins[0]).toBe(length);
  });

  it("is refused where 2 GiB do not hold it, also where its length goes beyond 32 bits", async () => {
    const engine = await engineOf([], "iptables");
    const { byteLength } = engine.memory.memory.buffer;
    for (const capacity of [1e6, 2e6, 1e9, 2 ** 32 + 1, 1e300]) {
      expect(() => engine.batch(capacity)).toThrow(RangeError);
      expect(() => engine.batch(capacity)).toThrow("An engine's memory holds 2 GiB;");
    }
    expect(() => engine.batch(1, { frameLength: 4e9 })).toThrow("holds 2 GiB");
    expect(() => engine.batch(1, { traces: 2 ** 27 + 1 })).toThrow("holds 2 GiB");
    for (const size of [-1, 1.5, Number.NaN, 2 ** 32]) {
      expect(() => engine.batch(1, { frameLength: size })).toThrow(
        `frameLength: ${size} is not a whole number from 0`,
      );
      expect(() => engine.batch(1, { traces: size })).toThrow(`traces: ${size} is not a whole number from 0`);
    }
    expect(engine.memory.memory.buffer.byteLength).toBe(byteLength);
    const batch = engine.batch(1);
    batch.set(0, SYN, engine.interfaceNumber(SYN));
    engine.run(batch);
    expect(batch.verdict(0)).toBe("FORWARD");
  });

  it("is run by its own engine alone, as far as it goes and by a clock that is one", async () => {
    const engine = await engineOf([], "iptables");
    const other = await engineOf([], "iptables");
    const batch = engine.batch(2);
    batch.set(0, SYN, engine.interfaceNumber(SYN));
    expect(() => other.run(batch)).toThrow(TypeError);
    expect(() => other.run(batch)).toThrow("The batch is not one of this engine's");
    expect(() => engine.run({ ...batch } as unknown as typeof batch)).toThrow("not one of this engine's");
    for (const count of [-1, 1.5, 3, Number.NaN, 0xffffffff]) {
      expect(() => engine.run(batch, 0, count)).toThrow(`count: ${count} is not a whole number from 0 to 2.`);
    }
    for (const now of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => engine.run(batch, now)).toThrow(`now: ${now} is not a number of milliseconds, 0 or more.`);
    }
    expect([engine.connections, other.connections, batch.verdict(0)]).toEqual([0, 0, "NONE"]);
    engine.run(batch, 1.5, 0);
    expect(engine.connections).toBe(0);
  });

  it("is run whole, or as far as is said; what was not run has no verdict", async () => {
    const engine = await engineOf([], "iptables");
    const batch = engine.batch(4);
    for (let index = 0; index < 4; index++) batch.set(index, SYN, engine.interfaceNumber(SYN));
    engine.run(batch, 0, 2);
    expect([0, 1, 2, 3].map((index) => batch.verdict(index))).toEqual(["FORWARD", "FORWARD", "NONE", "NONE"]);
    engine.run(batch);
    expect(batch.verdict(3)).toBe("FORWARD");
    expect(batch.outs[3]).toBe(engine.numbering.interfaces.findIndex(({ name }) => name === "eth0") + 1);
  });

  it("can be put back as it was, by a copy of its octets", async () => {
    const engine = await engineOf([], "iptables");
    const batch = engine.batch(3);
    for (let index = 0; index < 3; index++) batch.set(index, SYN, engine.interfaceNumber(SYN));
    const copy = batch.octets.slice();
    engine.run(batch);
    const first = batch.octets.slice();
    expect(batch.frame(0).length).toBe(SYN.length + 50);
    batch.octets.set(copy);
    expect(batch.frame(0)).toEqual(SYN);
    engine.clearConnections();
    engine.run(batch);
    expect(batch.frame(0).length).toBe(first.length > 0 ? SYN.length + 50 : 0);
    expect(batch.frames[0]).toBe(new DataView(copy.buffer).getUint32(8, true) + SLOT_HEADROOM - 50);
  });

  it("reads trace records, and says when there was no room for all", async () => {
    const engine = await engineOf([], "iptables");
    const { records } = engine.follow(SYN);
    expect(records.at(0)).toMatchObject({ packet: 0, event: "PARSE", a: 0x0af40164, b: 0x0af40264, d: 6 });
    expect(records.at(-1)).toMatchObject({ event: "VERDICT", a: 1 });
    expect(engine.batch(1).records()).toEqual([]);
  });
});

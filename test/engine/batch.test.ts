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
    for (const index of [-1, 2, Number.NaN]) {
      expect(() => batch.set(index, SYN)).toThrow(`The batch has 2 slots; there is no slot ${index}.`);
    }
    for (const capacity of [0, -1, 1.5]) expect(() => engine.batch(capacity)).toThrow(RangeError);
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

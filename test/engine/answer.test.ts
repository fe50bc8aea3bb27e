import { describe, expect, it } from "vitest";
import { tcp, udp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import { engineOf } from "../trace/small-cluster.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;
const CART = "10.244.1.7:41000";
const EMPTY = tcp(CART, "10.96.0.99:80");

describe.each(MODES)("answers in mode %s", (proxy) => {
  const loaded = () => engineOf({ proxy, node: "worker-1" });

  it("take the place of the packet in question in its batch", async () => {
    const engine = await loaded();
    const batch = engine.batch(2);
    const number = engine.interfaceNumber(EMPTY);
    batch.set(0, EMPTY, number);
    batch.set(1, tcp(CART, "10.96.0.10:80"), number);
    engine.run(batch);
    const passing = batch.frame(1).slice();
    expect([batch.verdict(0), batch.outs[0]]).toEqual(["REJECT", 0]);
    expect([engine.answer(batch, 0), engine.answer(batch, 1)]).toEqual([true, false]);
    expect([batch.verdict(0), batch.outs[0], batch.ins[0]]).toEqual(["FORWARD", number, 0]);
    expect(printPacket(batch.frame(0))).toMatch(
      /> 10\.244\.1\.7: ICMP 10\.96\.0\.99 tcp port 80 unreachable/,
    );
    expect(batch.frame(1)).toEqual(passing);
    // An answer is not answered.
    expect(engine.answer(batch, 0)).toBe(false);
  });

  it("stand beside a packet's way, with words, where they are asked for", async () => {
    const engine = await loaded();
    const { answer, verdict, frame } = engine.follow(EMPTY, { answer: true });
    expect([verdict, frame]).toEqual(["REJECT", EMPTY]);
    expect(answer).toMatchObject({ verdict: "FORWARD", out: "cni0" });
    const source = proxy === "ipvs" ? "10.96.0.99" : "10.244.1.1";
    expect(answer?.step).toMatchObject({
      stage: "answer",
      text: `ICMP port unreachable, ${source} > 10.244.1.7, by cni0`,
    });
    expect(engine.trace(EMPTY, { answer: true }).split("\n").at(-1)).toMatch(/^answer +ICMP port unreach/);
    expect(engine.follow(EMPTY).answer).toBeUndefined();
    expect(engine.follow(tcp(CART, "10.244.2.9:80"), { answer: true }).answer).toBeUndefined();
  });

  it("are the same of both builds, and leave the same state behind", async () => {
    const [engine, twin] = [await loaded(), await loaded()];
    const batch = twin.batch(1);
    for (const frame of [EMPTY, udp(CART, "10.244.2.9:53", { ttl: 1 }), tcp(CART, "10.96.0.99:81")]) {
      batch.set(0, frame, twin.interfaceNumber(frame));
      twin.run(batch);
      const isSent = twin.answer(batch, 0);
      const { answer } = engine.follow(frame, { answer: true });
      expect(answer?.frame).toEqual(isSent ? batch.frame(0) : undefined);
    }
    expect(engine.save()).toEqual(twin.save());
  });
});

describe("answers", () => {
  it("are told to the node itself where it made the packet", async () => {
    const engine = await engineOf({ proxy: "iptables", node: "worker-1" });
    const { answer } = engine.follow(tcp("172.18.0.3:41000", "10.96.0.99:80"), { answer: true });
    expect(answer).toMatchObject({ verdict: "LOCAL", out: undefined });
    expect(answer?.step.text).toBe("ICMP port unreachable, 172.18.0.3 > 172.18.0.3, to the node itself");
  });

  it("refuse another engine's batch, and a slot that is not there", async () => {
    const [engine, other] = [
      await engineOf({ proxy: "ipvs", node: "worker-1" }),
      await engineOf({ proxy: "ipvs", node: "worker-1" }),
    ];
    expect(() => engine.answer(other.batch(1), 0)).toThrow("The batch is not one of this engine's");
    expect(() => engine.answer(engine.batch(2), 2)).toThrow("there is no slot 2");
  });
});

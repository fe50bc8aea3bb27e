import { describe, expect, it } from "vitest";
import { udp } from "../../src/packet/build.js";
import { engineOf, POD } from "../drawn-cluster.js";
import { WEB } from "../engine/web.js";
import { fragmentsOf } from "../fragments-of.js";

const DATAGRAM = udp(`${POD}:7`, "10.244.2.9:9", { payload: 3_000, id: 9 });

describe("fragments in words", () => {
  it("are told as they come, and that they are held", async () => {
    const engine = await engineOf([WEB], "iptables");
    const [first] = fragmentsOf(DATAGRAM, [1_400, 1_400]) as [Uint8Array];
    const { steps, verdict } = engine.follow(first);
    expect(verdict).toBe("HOLD");
    expect(steps).toEqual([
      {
        stage: "fragment",
        text: `${POD} > 10.244.2.9: fragment of 9, octets 0 to 1400, more to come`,
        src: POD,
        dst: "10.244.2.9",
        octets: 1_400,
        offset: 0,
        more: true,
        id: 9,
      },
      { stage: "hold", text: "until the rest of its datagram comes", reason: "FRAGMENT" },
    ]);
  });

  it("are told as one packet once the last is there", async () => {
    const engine = await engineOf([WEB], "iptables");
    const fragments = fragmentsOf(DATAGRAM, [1_400, 1_400]);
    for (const one of fragments.slice(0, -1)) engine.follow(one);
    const { steps, frames, verdict } = engine.follow(fragments.at(-1) ?? DATAGRAM);
    expect(steps.slice(0, 3).map(({ stage, text }) => `${stage} ${text}`)).toEqual([
      `fragment ${POD} > 10.244.2.9: fragment of 9, octets 2800 to 3008`,
      "fragment whole, of 3: 3042 octets",
      expect.stringMatching(/^parse .* udp, 3042 octets/),
    ]);
    expect([verdict, frames.length]).toEqual(["FORWARD", 3]);
  });
});

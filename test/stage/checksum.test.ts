import { describe, expect, it } from "vitest";
import {
  HOOK_NAT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  TARGET_DNAT,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { tcp, udp } from "../../src/packet/build.js";
import { BareNode, ip4 } from "../bare-node.js";

const MACS = { dstMac: "02:00:00:00:00:09", srcMac: "02:00:00:00:00:08" };
const BATCH = 1024;

interface Change {
  readonly from: string;
  readonly to: string;
  readonly newFrom: string;
  readonly newTo: string;
}

/** A router that translates both addresses and the destination port, always in the same way. */
async function nodeOf({ newFrom, newTo }: Change): Promise<BareNode> {
  const [source = ""] = newFrom.split(":");
  const [server = "", port] = newTo.split(":");
  return (await BareNode.make())
    .route("0.0.0.0/0", { kind: "direct", out: 2, source, ...MACS })
    .chain(0, new RuleDraft().target(TARGET_DNAT, ip4(server), Number(port)))
    .chain(1, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
    .hook(HOOK_PREROUTING, 0, HOOK_NAT)
    .hook(HOOK_POSTROUTING, 1, HOOK_NAT);
}

const CHANGES: readonly Change[] = [
  { from: "10.244.1.7:41000", to: "10.96.0.10:53", newFrom: "172.18.0.2:41000", newTo: "10.244.2.9:5353" },
  { from: "1.0.0.0:1", to: "1.0.0.1:1", newFrom: "223.255.255.255:1", newTo: "223.255.255.254:65535" },
  {
    from: "223.255.255.255:65535",
    to: "223.255.255.254:65535",
    newFrom: "1.0.0.0:65535",
    newTo: "1.0.0.1:1",
  },
];

describe("checksums patched (RFC 1624), over all 65,536 values of one word", () => {
  it.each([
    ...CHANGES.map((change) => ({ ...change, protocol: "udp", build: udp })),
    ...CHANGES.slice(1, 2).map((change) => ({ ...change, protocol: "tcp", build: tcp })),
  ])(
    "$protocol $from > $to becomes $newFrom > $newTo as if it had been built so",
    async ({ build, ...change }) => {
      const node = await nodeOf(change);
      const word = new Uint8Array(2);
      const frames = (from: string, to: string, first: number, rest: object) =>
        Array.from({ length: BATCH }, (_, index) => {
          const id = first + index;
          word.set([id >> 8, id & 255]);
          // The word stands in the IPv4 header and, turned round, in the payload: both sums take every value.
          return build(from, to, { id: 0xffff - id, payload: word, ...rest });
        });
      let allOnes = 0;
      for (let first = 0; first < 65_536; first += BATCH) {
        const sent = frames(change.from, change.to, first, {});
        const expected = frames(change.newFrom, change.newTo, first, { ttl: 63, ...MACS });
        for (const [index, { frame }] of node.run(sent).entries()) {
          const same = Buffer.compare(frame, expected[index] as Uint8Array) === 0;
          if (!same) throw new Error(`word ${first + index}: ${Buffer.from(frame).toString("hex")}`);
          if (build === udp && frame[40] === 0xff && frame[41] === 0xff) allOnes++;
        }
      }
      // Exactly one payload makes UDP's sum 0, which is sent as all ones.
      expect(allOnes).toBe(build === udp ? 1 : 0);
    },
  );
});

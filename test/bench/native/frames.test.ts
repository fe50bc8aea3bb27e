import { expect, it } from "vitest";
import { Random } from "../../../bench/baseline/random.js";
import { BenchFlows, drawServices, RING_LEN } from "../../../bench/native/flows.js";
import { FrameFile, outerHeaders, TUNNELLED_LEN, writeRouted } from "../../../bench/native/frames.js";
import { benchNode } from "../../../bench/native/nodes.js";
import { verifyChecksums } from "../../../src/packet/checksum.js";
import { printPacket } from "../../../src/packet/print.js";

it("keeps frames in records and reads its own files", () => {
  const file = new FrameFile({ count: 3, length: 110 });
  expect(file.record).toBe(128);
  file.at(2)[109] = 7;
  const again = new FrameFile(file.octets.slice());
  expect([again.count, again.length, again.at(2)[109], again.at(1)[109]]).toEqual([3, 110, 7, 0]);
  expect(() => new FrameFile(file.octets.slice(0, -1))).toThrow("cut");
});

it("writes frames that are right, plain and behind a tunnel's headers", () => {
  const frame = new Uint8Array(TUNNELLED_LEN);
  writeRouted(frame.subarray(50), 0x0a000001, 0x0a000002);
  expect(verifyChecksums(frame.subarray(50)).ip).toBe("good");
  frame.set(outerHeaders(0xac130001, { address: 0xac120002, port: 4789, vni: 1 }));
  expect(verifyChecksums(frame)).toMatchObject({ ip: "good", inner: { ip: "good" } });
  expect(printPacket(frame)).toMatch(/172\.19\.0\.1.* > 172\.18\.0\.2.*4789.*vni 1/s);
});

it("draws flows that all differ, and packets from the middle of each", () => {
  const random = new Random(1);
  const node = benchNode(true);
  const flows = new BenchFlows(random, node, drawServices(random, node), 5000);
  const rows = flows.rows();
  const keys = new Set(Array.from({ length: 5000 }, (_, row) => rows.subarray(row * 6, row * 6 + 3).join()));
  expect(keys.size).toBe(5000);
  const middle = flows.middle(random);
  expect(middle.count).toBe(RING_LEN * 2);
  const seen = new Set<string>();
  for (let index = 0; index < middle.count; index++) {
    const view = new DataView(middle.at(index).buffer, middle.at(index).byteOffset);
    seen.add([view.getUint32(26), view.getUint32(30), view.getUint32(34)].join());
  }
  expect(seen).toEqual(keys);
  expect(verifyChecksums(middle.at(0))).toMatchObject({ ip: "good", l4: "good" });
});

it("answers every opening packet from the Pod behind the Service", () => {
  const random = new Random(2);
  const node = benchNode(true);
  const flows = new BenchFlows(random, node, drawServices(random, node), 10);
  const opening = flows.opening();
  expect(opening.count).toBe(20);
  expect(printPacket(opening.at(3))).toContain("Flags [S]");
  expect(printPacket(opening.at(13))).toContain("Flags [S.]");
  expect(verifyChecksums(opening.at(13))).toMatchObject({ ip: "good", l4: "good" });
});

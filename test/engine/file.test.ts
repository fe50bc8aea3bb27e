import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE_VERSION } from "../../assembly/abi/image.js";
import { InputError } from "../../src/diagnostics.js";
import { Engine } from "../../src/engine/engine.js";
import { readImageFile, writeImageFile } from "../../src/engine/file.js";
import type { SavedNumbers } from "../../src/engine/live/ruleset.js";
import { tcp } from "../../src/packet/build.js";
import { drawnServices, engineOf, MODES, POD } from "../drawn-cluster.js";

const NUMBERS: SavedNumbers = {
  chains: [2, 0, 1],
  servers: [],
  groups: [],
  hops: [["local lo ", 3]],
  clients: { last: 2, lists: [["recent A", 2]] },
};

function refusal(file: Uint8Array): string {
  try {
    readImageFile(file);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("was read");
}

/** Of a node without Services, as short as a test that tries every place of it needs. */
async function smallFile(): Promise<Uint8Array> {
  const { ruleset } = await engineOf([], "nftables");
  return writeImageFile({
    image: new Uint8Array(64),
    state: new Uint8Array(8),
    ruleset,
    numbers: NUMBERS,
  });
}

describe("an image file", () => {
  it("gives back image and ruleset, with its maps and IPv6 addresses", async () => {
    const property = fc.asyncProperty(
      drawnServices,
      fc.constantFrom(...MODES),
      fc.nat(9),
      async (services, mode, offset) => {
        const { ruleset } = await engineOf(services, mode);
        const names = new Map([...ruleset.names, [0xfd00n << 112n, "node/six"] as const]);
        const image = Uint8Array.from({ length: 100 }, (_, index) => index);
        const state = Uint8Array.from({ length: 30 }, (_, index) => 255 - index);
        const written = { image, state, ruleset: { ...ruleset, names }, numbers: NUMBERS };
        const file = writeImageFile(written);
        // A file may come as a part of a larger buffer, at any place of it.
        const buffer = new Uint8Array(file.length + offset);
        buffer.set(file, offset);
        expect(readImageFile(buffer.subarray(offset))).toEqual(written);
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });

  it("is refused when any one octet of it changed, whichever", async () => {
    const file = await smallFile();
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(23), fc.nat(file.length - 1)),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const changed = file.slice();
          changed[at] = (changed[at] ?? 0) ^ change;
          expect(refusal(changed)).toMatch(
            /no packetyard image|has version|is cut|behind its end|was changed/,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is refused when it is cut anywhere, or followed by more", async () => {
    const file = await smallFile();
    for (let length = 0; length < file.length; length += length < 32 ? 1 : 97) {
      expect(refusal(file.slice(0, length))).toMatch(/no packetyard image|is cut/);
    }
    const longer = new Uint8Array(file.length + 1);
    longer.set(file);
    expect(refusal(longer)).toContain("has octets behind its end");
  });

  it("is refused in words that say what to do", async () => {
    const file = await smallFile();
    expect(refusal(new Uint8Array(100))).toContain(
      "These octets are no packetyard image. Give what engine.save() returned.",
    );
    const newer = file.slice();
    new DataView(newer.buffer).setUint32(4, IMAGE_VERSION + 1, true);
    expect(refusal(newer)).toContain(
      `The image has version ${IMAGE_VERSION + 1}, this package reads ${IMAGE_VERSION}.`,
    );
  });

  it("has the version that the changelog tells, once", () => {
    const [newest = ""] = readFileSync("CHANGELOG.md", "utf8").split(/^## /m).slice(1);
    const told = [...newest.matchAll(/Saved\s+images\s+have\s+version\s+(\d+)/g)];
    expect(told.map(([, version]) => Number(version))).toEqual([IMAGE_VERSION]);
  });

  it("is refused where octets are said to be another part's", async () => {
    const { ruleset } = await engineOf([], "nftables");
    const [image, state] = [new Uint8Array(64), new Uint8Array(64)];
    const file = writeImageFile({ image, state, ruleset, numbers: NUMBERS });
    const head = new DataView(file.buffer);
    for (const [at, more] of [
      [12, -8],
      [16, 8],
    ] as const)
      head.setUint32(at, head.getUint32(at, true) + more, true);
    expect(refusal(file)).toContain("checksum is wrong");
  });

  it("is what an engine saves: with its connections, or without", async () => {
    const engine = await engineOf([], "iptables");
    engine.follow(tcp(`${POD}:1`, "10.244.2.100:80"));
    const whole = await Engine.load(engine.save());
    const bare = await Engine.load(engine.save({ flows: false }));
    expect([engine.connections, whole.connections, bare.connections]).toEqual([1, 1, 0]);
    expect(whole.numbering).toEqual(engine.numbering);
    expect(Buffer.from(whole.save()).equals(engine.save())).toBe(true);
  });
});

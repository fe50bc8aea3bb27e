import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base32Sha256, hash16 } from "../../src/proxy/chain-name.js";
import { sha256 } from "../../src/proxy/sha256.js";
import { base32Digest } from "../oracle/base32.js";

function hex(words: Int32Array): string {
  return [...words].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

describe("sha256", () => {
  it("agrees with the published vectors (FIPS 180-2, appendix B)", () => {
    expect(hex(sha256("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });

  it("agrees with node:crypto on any text", () => {
    const text = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: "binary", maxLength: 200 }));
    fc.assert(
      fc.property(text, text, (first, rest) => {
        const digest = createHash("sha256").update(first).update(rest).digest("hex");
        expect(hex(sha256(first, rest))).toBe(digest);
      }),
    );
  });

  it("agrees with node:crypto at every length around the ends of blocks", () => {
    for (let length = 0; length <= 260; length += 1) {
      const message = "k".repeat(length);
      expect(hex(sha256(message))).toBe(createHash("sha256").update(message).digest("hex"));
    }
  });
});

describe("base32Sha256", () => {
  it("is the head of the digest's base32 form, at any length up to 51", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 51 }), (text, characters) => {
        expect(base32Sha256(text, characters)).toBe(base32Digest(text).slice(0, characters));
      }),
    );
  });
});

const vectors = join(process.env.PACKETYARD_SHARED ?? "../shared", "spec", "chain-names.json");

interface Vector {
  readonly servicePortName: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly endpoint?: string;
  readonly hash: string;
}

describe("hash16", () => {
  it("separates nothing: name, protocol and endpoint stand side by side", () => {
    expect(hash16("ns1/svc1:p80", "TCP")).toBe("XPGD46QRK7WJZT7O");
    expect(hash16("ns1/svc1:p80", "TCP", "10.180.0.1:80")).toBe("SXIVWICOYRO3J4NJ");
  });

  it.skipIf(!existsSync(vectors))(`agrees with kube-proxy's own names (skipped without ${vectors})`, () => {
    const { iptables } = JSON.parse(readFileSync(vectors, "utf8")) as { iptables: readonly Vector[] };
    expect(iptables.length).toBeGreaterThan(0);
    for (const { servicePortName, protocol, endpoint, hash } of iptables) {
      const name = protocol.toUpperCase() as "TCP" | "UDP" | "SCTP";
      expect(hash16(servicePortName, name, endpoint)).toBe(hash);
    }
  });
});

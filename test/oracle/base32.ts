import { createHash } from "node:crypto";

/** A text's SHA-256 in base32 (RFC 4648), by inspection: the digest as one long string of bits, cut in fives. */
export function base32Digest(text: string): string {
  const octets = createHash("sha256").update(text).digest();
  const bits = [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const digits = bits.match(/.{5}/g) ?? [];
  return digits.map((digit) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(digit, 2)]).join("");
}

import { describe, expect, it } from "vitest";
import * as verdictAbi from "../../assembly/abi/verdict.js";
import { dropReason } from "../../src/trace/codes.js";
import { reasonWords } from "../../src/trace/reasons.js";

const CODES = Object.entries(verdictAbi)
  .filter(([name]) => name.startsWith("DROP_") && name !== "DROP_NONE")
  .map(([, code]) => code);

describe("reasonWords", () => {
  it("says every reason of the machine in words of its own", () => {
    const words = CODES.map((code) => reasonWords(dropReason(code << 8)));
    expect(words.length).toBeGreaterThan(15);
    expect(words.every((text) => /^[A-Za-z].*[^.]$/.test(text))).toBe(true);
    expect(new Set(words).size).toBe(words.length);
  });

  it("has nothing to say of no reason", () => {
    expect(reasonWords("NONE")).toBe("");
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SUBJECT_COUNT } from "./subjects.js";

const FOLDER = "test/proxy/often-wrong";

describe("what models of kube-proxy get wrong", () => {
  // A describe without a test in it fails by itself.
  it("has tests for every subject, each in one place, and leaves none out", () => {
    const text = readdirSync(FOLDER)
      .filter((name) => name.endsWith(".test.ts") && name !== "subjects.test.ts")
      .map((name) => readFileSync(join(FOLDER, name), "utf8"))
      .join("\n");
    const numbers = [...text.matchAll(/^describe\(subject\((\d+)\), /gm)].map((match) => Number(match[1]));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: SUBJECT_COUNT }, (_, index) => index + 1),
    );
    expect(text.match(/\.(skip|skipIf|todo|only|runIf|fails)\b/g)).toBeNull();
  });
});

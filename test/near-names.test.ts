import { describe, expect, it } from "vitest";
import { nearNames } from "../src/near-names.js";

describe("near names", () => {
  it("are those with the fewest letters wrong, three at most, the nearest first", () => {
    expect(nearNames("abcd", ["abxd", "xyzw", "abcd", "abcde"])).toEqual(["abcd", "abxd", "abcde"]);
    expect(nearNames("abcdefgh", ["abcdefxy", "abcdexyz", "abcdefgi", "bcdefgh", "abcdefghi"])).toEqual([
      "abcdefgi",
      "bcdefgh",
      "abcdefghi",
    ]);
    expect(nearNames("", ["a"])).toEqual([]);
  });
});

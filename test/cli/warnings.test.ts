import { describe, expect, it } from "vitest";
import { packetyard } from "./packetyard.js";

describe("warnings", () => {
  const rules = (count: number) => {
    const unknown = (index: number) =>
      `-A INPUT -s 10.0.0.${index} -m strange${index} --way ${index} -j DROP`;
    const lines = Array.from({ length: count }, (_, index) => unknown(index));
    return ["*filter", ":INPUT ACCEPT", ...lines, "-A INPUT -j TARPIT", "COMMIT", ""].join("\n");
  };
  const warningsOf = (count: number, ...more: readonly string[]) => {
    const ends = ["--from", "192.0.2.9:1", "--to", "192.0.2.1:80"];
    const { stderr } = packetyard(["trace", "--iptables-save", "-", ...ends, ...more], rules(count));
    return stderr.split("\n").filter((line) => line.includes("is not known"));
  };

  it("of one kind are said three times, and then how many more there are", () => {
    const [first, , third, ...others] = warningsOf(19);
    expect([first, third]).toEqual([
      expect.stringMatching(/^warning: stdin: line 3: «-m strange0 .*» is not known/),
      expect.stringMatching(/^warning: stdin: line 5: «-m strange2 .*» is not known/),
    ]);
    expect(others).toEqual([
      expect.stringMatching(/^warning: … and 17 more like it \(-v shows all\): «-m strange0 /),
    ]);
  });

  it("are all said where there are few, or where they are asked for", () => {
    expect(warningsOf(2)).toHaveLength(3);
    expect(warningsOf(2).some((line) => line.includes("more like it"))).toBe(false);
    expect(warningsOf(19, "-v")).toHaveLength(20);
  });
});

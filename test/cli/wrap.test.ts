import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, wrap } from "../../src/cli/wrap.js";

const word = fc.string({ unit: fc.constantFrom(..."ab(),;"), minLength: 1, maxLength: 12 });
const text = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.join(" "));
const label = fc.constantFrom("", "   ", "   A       ", "10. ");

describe("wrap", () => {
  it("fills lines of so many columns, all of which begin behind the label, and loses no word", () => {
    let broken = 0;
    fc.assert(
      fc.property(label, text, fc.integer({ min: 1, max: 60 }), (head, body, columns) => {
        const lines = wrap(head, body, columns).split("\n");
        const indent = " ".repeat(head.length);
        const texts = lines.map((line, index) => {
          expect(line.startsWith(index === 0 ? head : indent)).toBe(true);
          return line.slice(head.length);
        });
        expect(texts.join(" ")).toBe(body);
        for (const [index, line] of lines.entries()) {
          if (line.length > columns) expect(texts[index]).not.toContain(" ");
        }
        if (lines.length > 1) broken++;
      }),
    );
    expect(broken).toBeGreaterThan(20);
  });

  it("breaks behind a comma rather than within a phrase", () => {
    const ends = "goes to 10.0.0.1:8080 (pod/a), 10.0.0.2:8080 (pod/b), each by chance 1 in 2";
    expect(wrap("A  ", ends, 45)).toBe(
      "A  goes to 10.0.0.1:8080 (pod/a),\n   10.0.0.2:8080 (pod/b),\n   each by chance 1 in 2",
    );
  });

  it("takes a terminal's columns, and else 120", () => {
    const columns = (isTTY: boolean, given: number) => columnsOf({ isTTY, columns: given });
    expect([columns(true, 100), columns(true, 0), columns(false, 80)]).toEqual([100, 120, 120]);
  });
});

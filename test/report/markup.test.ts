import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeMarkup, markup, printable, trusted } from "../../src/report/markup.js";
import { imbalanceOf } from "./balance.js";

describe("markup", () => {
  it("escapes text and takes markup as it is", () => {
    const inner = markup`<b>${"a & b"}</b>`;
    expect(markup`<p title="${'"x"'}">${inner}${"<i>"}</p>`.source).toBe(
      '<p title="&#34;x&#34;"><b>a &#38; b</b>&#60;i&#62;</p>',
    );
  });

  it("rounds numbers, joins lists, leaves undefined out", () => {
    expect(markup`${1 / 3}|${[markup`<a/>`, "b", undefined]}|${undefined}`.source).toBe("0.33|<a/>b|");
    expect(trusted("a>b").source).toBe("a>b");
  });

  it("no text opens a tag, leaves an attribute or starts an entity", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeMarkup(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!#\d+;)/);
        expect(imbalanceOf(markup`<p class="${text}">${text}</p>`.source)).toBeUndefined();
      }),
    );
  });

  it("the check of these tests sees what is wrong", () => {
    for (const wrong of ["<p><b></p></b>", "<p>", "<p>a < b</p>", "<p>&amp</p>", '<p class="a"b"></p>'])
      expect(imbalanceOf(wrong)).toBeDefined();
  });

  it("shows what a terminal would obey and what turns the direction of writing", () => {
    expect(printable("a\u001b[31mb\u0007\u202Ec\n")).toBe("a\uFFFD[31mb\uFFFD\uFFFDc\uFFFD");
    expect(printable("shop/wéb-1 店")).toBe("shop/wéb-1 店");
  });
});

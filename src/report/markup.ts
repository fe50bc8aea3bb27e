/** HTML or SVG source. Only `markup` makes it, so that text from outside cannot become markup unescaped. */
export interface Markup {
  readonly source: string;
}

export type MarkupValue = Markup | string | number | undefined | readonly MarkupValue[];

/**
 * A template tag: the literal parts are markup, the values are escaped unless they are markup themselves.
 * Numbers are rounded to hundredths, lists are joined, undefined is nothing.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  const source = parts.map((part, i) => part + sourceOf(values[i])).join("");
  return { source };
}

/** Trusted source that no template can hold: the text of a style sheet. */
export function trusted(source: string): Markup {
  return { source };
}

/** Text with everything escaped that means something in HTML or XML, in an element or a quoted attribute. */
export function escapeMarkup(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

/**
 * Text fit to be shown: control characters (a terminal would obey them) and marks that turn the direction
 * of writing (they make a name read as another) are shown as U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu, "\uFFFD");
}

function sourceOf(value: MarkupValue): string {
  if (value === undefined) return "";
  if (typeof value === "string") return escapeMarkup(value);
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  return "source" in value ? value.source : value.map(sourceOf).join("");
}

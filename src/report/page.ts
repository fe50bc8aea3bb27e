import { type MarkupValue, markup, trusted } from "./markup.js";
import { PAGE_CSS } from "./style.js";

export interface Page {
  /** The command that made it. */
  readonly brand: string;
  /** Of the browser's window. */
  readonly title: string;
  readonly heading: MarkupValue;
  /** Below the heading. */
  readonly head: MarkupValue;
  readonly body: MarkupValue;
  /** Version of packetyard. */
  readonly version: string;
}

/** One HTML file that needs nothing else: no script, no font, no request. */
export function printPage({ brand, title, heading, head, body, version }: Page): string {
  return `<!doctype html>\n${
    markup`<html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/><title>${title} · packetyard</title><style>${trusted(PAGE_CSS)}</style></head>
<body>
<header><div class="brand">${brand}</div><h1>${heading}</h1>
${head}</header>
<main>
${body}
</main>
<footer>Made by packetyard ${version}. This page stands alone: no scripts, nothing loaded from elsewhere.</footer>
</body></html>`.source
  }\n`;
}

import { CHARACTER_PX, wrapText } from "./labels.js";
import { type Markup, markup, trusted } from "./markup.js";
import { paletteCss } from "./palette.js";

/** A line of a chart's title or note, at its baseline. */
export interface HeadingLine {
  readonly text: string;
  readonly y: number;
  readonly strong: boolean;
}

const TITLE_CHARACTER_PX = 8;
const LINE_PX = 17;

/** The style sheet every chart carries, so that it stands alone when it is taken out of the page. */
export const CHART_CSS: string = `${paletteCss(".py-chart")}
.py-chart{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;display:block;width:100%;height:auto}
.py-chart text{fill:var(--ink)}
.py-chart .title{font-size:14px;font-weight:600}
.py-chart .muted{fill:var(--muted)}
.py-chart .grid{stroke:var(--line);stroke-width:1}
.py-chart .line{fill:none;stroke-width:2;stroke-linejoin:round}
.py-chart .edge{fill:none;stroke-width:1.25;stroke-dasharray:3 3;opacity:.8}
.py-chart .whisker{stroke-width:1.5;fill:none}
.py-chart .marker{stroke:var(--paper);stroke-width:1.25}
.py-chart .band{opacity:.13}
.py-chart .leader{stroke-width:1;opacity:.55;fill:none}`;

/** The SVG element around a chart: size, name for those who do not see it, style. */
export function frame(chart: { title: string; width: number; height: number }, body: Markup): Markup {
  const { width, height, title } = chart;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="py-chart" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-label="${title}"><title>${title}</title><style>${trusted(CHART_CSS)}</style>${body}</svg>`;
}

/** Title and note, in lines. */
export function drawHeading(heading: readonly HeadingLine[]): Markup {
  return markup`${heading.map(
    ({ text, y, strong }) =>
      markup`<text x="0" y="${y}" class="${strong ? "title" : "muted"}">${text}</text>`,
  )}`;
}

/** Title and note broken into lines. */
export function layOutHeading(title: string, note: string, width: number): readonly HeadingLine[] {
  const strong = wrapText(title, width, TITLE_CHARACTER_PX).map((text) => ({ text, strong: true }));
  const plain = wrapText(note, width, CHARACTER_PX - 0.5).map((text) => ({ text, strong: false }));
  return [...strong, ...plain].map((each, i) => ({ ...each, y: 15 + i * LINE_PX }));
}

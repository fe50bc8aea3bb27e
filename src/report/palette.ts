import {
  type SymbolType,
  symbol,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from "d3-shape";

interface SeriesStyle {
  readonly light: string;
  readonly dark: string;
  readonly dash: string;
  readonly symbol: SymbolType;
}

// After Okabe and Ito's colour-blind-safe set, darkened (lightened) until text in it reads at 4.5 : 1 and more.
const STYLES: readonly SeriesStyle[] = [
  { light: "#b94a00", dark: "#ff9a5c", dash: "none", symbol: symbolCircle },
  { light: "#0063a3", dark: "#6cbcf5", dash: "9 4", symbol: symbolSquare },
  { light: "#007555", dark: "#3ccfa0", dash: "2 4", symbol: symbolTriangle },
  { light: "#8b3f84", dark: "#e0a3da", dash: "12 3 2 3", symbol: symbolDiamond },
  { light: "#7a5c00", dark: "#e6c453", dash: "5 2", symbol: symbolWye },
  { light: "#4a5560", dark: "#b6c2cd", dash: "1 3", symbol: symbolStar },
];

const SURFACES = {
  light: { ink: "#1c2024", muted: "#5a646e", line: "#d9dee3", paper: "#ffffff", ground: "#f6f7f9" },
  dark: { ink: "#e8ebee", muted: "#a0abb6", line: "#363d45", paper: "#1b1f24", ground: "#12151a" },
} as const;

/** Dashes of series that share a style. */
const VARIANTS = ["none", "8 3", "2 3", "12 3 2 3", "5 2", "12 2 2 2 2 2", "18 4", "1 5"] as const;

/** How many series look different. */
export const STYLE_COUNT = STYLES.length;

/** Custom properties (`--ink`, `--series-0`, …) for a selector: light, dark where asked for, light on paper. */
export function paletteCss(selector: string): string {
  const light = `${selector}{${properties("light")}}`;
  const dark = `@media screen and (prefers-color-scheme:dark){${selector}{${properties("dark")}}}`;
  return `${light}\n${dark}\n`;
}

/** The dash pattern of a series, for `stroke-dasharray`; of series that share a style, of this `variant`. */
export function seriesDash(style: number, variant?: number): string {
  if (variant === undefined) return styleAt(style).dash;
  return VARIANTS[variant % VARIANTS.length] ?? "none";
}

/** The CSS colour of a series. */
export function seriesColor(style: number): string {
  return `var(--series-${style % STYLES.length})`;
}

/** The path of a series' marker around 0,0, of `area` square pixels. */
export function seriesMarker(style: number, area: number): string {
  return symbol(styleAt(style).symbol, area)() ?? "";
}

function properties(scheme: "light" | "dark"): string {
  const surfaces = Object.entries(SURFACES[scheme]).map(([name, value]) => `--${name}:${value}`);
  const series = STYLES.map((style, i) => `--series-${i}:${style[scheme]}`);
  return [...surfaces, ...series].join(";");
}

function styleAt(style: number): SeriesStyle {
  const found = STYLES[style % STYLES.length];
  if (found === undefined) throw new RangeError(`No series style ${style}: count from 0.`);
  return found;
}

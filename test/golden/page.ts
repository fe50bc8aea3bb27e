/**
 * Pages of expectations: `from  to  verdict  by`, columns two spaces apart, comments from `#` on. What a line says in
 * brackets at its end are the modes it holds for; all three where there are none.
 */
export interface Case {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly verdict: string;
  readonly by: readonly string[];
  readonly modes: readonly string[];
}

const MODES = ["iptables", "ipvs", "nftables"];

function caseOf(text: string, line: number): Case {
  const [from, to, verdict, rest, ...more] = text.trim().split(/\s{2,}/);
  const parts = /^(.*?)(?: \(([a-z, ]+)\))?$/.exec(rest ?? "");
  if (from === undefined || to === undefined || verdict === undefined || !parts?.[1] || more.length > 0) {
    throw new Error(`line ${line}: «${text}» is not from, to, verdict and by, two spaces apart`);
  }
  const modes = parts[2]?.split(", ") ?? MODES;
  const unknown = modes.find((mode) => !MODES.includes(mode));
  if (unknown !== undefined) throw new Error(`line ${line}: «${unknown}» is no mode`);
  return { line, from, to, verdict, by: parts[1].split(", "), modes };
}

export function parsePage(text: string): Case[] {
  return text
    .split("\n")
    .map((line, index) => ({ line: line.replace(/#.*$/, ""), number: index + 1 }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, number }) => caseOf(line, number));
}

const NAMES: Readonly<Record<string, string>> = { iptables: "iptables", ipvs: "IPVS", nftables: "nftables" };

/** A mode and, behind a space, its scheduler. */
function partsOf(mode: string): readonly [string, string | undefined] {
  const [name = "", scheduler] = /^(ipvs) ([a-z]+)$/.exec(mode)?.slice(1) ?? [mode];
  return [Object.hasOwn(NAMES, name) ? (NAMES[name] ?? name) : name, scheduler];
}

/** A proxy mode as its own documentation writes it: `iptables`, `IPVS`, `IPVS (mh)`. */
export function modeName(mode: string): string {
  const [name, scheduler] = partsOf(mode);
  return scheduler === undefined ? name : `${name} (${scheduler})`;
}

/** `IPVS mode`, `IPVS mode (mh)` */
export function inMode(mode: string): string {
  const [name, scheduler] = partsOf(mode);
  return `${name} mode${scheduler === undefined ? "" : ` (${scheduler})`}`;
}

/** The number of a mode's colour, marker and dash: the known modes keep theirs in every report. */
export function modeStyle(mode: string, modes: readonly string[]): number {
  const known = Object.keys(NAMES);
  if (known.includes(mode)) return known.indexOf(mode);
  return known.length + modes.filter((other) => !known.includes(other)).indexOf(mode);
}

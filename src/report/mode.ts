const NAMES: Readonly<Record<string, string>> = { iptables: "iptables", ipvs: "IPVS", nftables: "nftables" };

/** A proxy mode as its own documentation writes it. */
export function modeName(mode: string): string {
  return Object.hasOwn(NAMES, mode) ? (NAMES[mode] ?? mode) : mode;
}

/** The number of a mode's colour, marker and dash: the known modes keep theirs in every report. */
export function modeStyle(mode: string, modes: readonly string[]): number {
  const known = Object.keys(NAMES);
  if (known.includes(mode)) return known.indexOf(mode);
  return known.length + modes.filter((other) => !known.includes(other)).indexOf(mode);
}

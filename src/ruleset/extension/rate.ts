/** Units of a rate in seconds, the longest first, as the tools look for one. */
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["min", 60],
  ["sec", 1],
] as const;

const LONG_NAMES = ["day", "hour", "minute", "second"] as const;

function secondsOf(unit: string): number | undefined {
  const at = LONG_NAMES.findIndex((name) => name.startsWith(unit.toLowerCase()));
  return UNITS[at]?.[1];
}

/** `10/min` → how long one packet takes, in seconds / scale, cut to a whole number as the kernel has it. */
export function parseRate(word: string, scale: number): number | undefined {
  const [, count = "", unit = "second"] = /^([0-9]{1,9})(?:\/([a-zA-Z]+))?$/.exec(word) ?? [];
  const seconds = secondsOf(unit);
  if (count === "" || seconds === undefined) return undefined;
  const period = Math.floor((scale * seconds) / Number(count));
  return period > 0 && Number.isFinite(period) ? period : undefined;
}

/** The inverse of parseRate, in the shortest unit that says it nearly whole: what was written may be said otherwise. */
export function printRate(period: number, scale: number): string {
  let [name, seconds]: readonly [string, number] = UNITS[0];
  for (const [shorter, length] of UNITS.slice(1)) {
    const whole = length * scale;
    if (period > whole || Math.floor(whole / period) < whole % period) break;
    [name, seconds] = [shorter, length];
  }
  return `${Math.floor((seconds * scale) / period)}/${name}`;
}

/** Of the units of Go's durations (time.ParseDuration), in seconds. Both signs for micro are in use. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

const PART = /([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/y;

/** `1h30m` → 5400, `250ms` → 0.25, `0` → 0: seconds, as Go writes durations; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]/, "");
  if (digits === "0") return 0;
  let seconds = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < digits.length) {
    const part = PART.exec(digits);
    if (part === null) return undefined;
    seconds += Number(part[1]) * (UNITS[part[2] ?? ""] ?? 0);
  }
  return digits === "" ? undefined : sign * seconds;
}

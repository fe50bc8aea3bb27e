const TIME_UNITS = ["ns", "µs", "ms", "s"] as const;
const BYTE_UNITS = ["B", "KB", "MB", "GB"] as const;
const COUNT_UNITS = ["", "k", "M", "G"] as const;

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Nanoseconds in words, two digits below a hundred: `91 ns`, `41 µs`, `1.2 ms`. */
export function printTime(ns: number): string {
  return scaled(ns, TIME_UNITS, " ");
}

/** Bytes in words, decimal (1 KB = 1,000 B): `640 B`, `8.2 MB`. */
export function printBytes(bytes: number): string {
  return scaled(bytes, BYTE_UNITS, " ");
}

/** A count for an axis: `10`, `1k`, `2.5M`. */
export function printShortCount(count: number): string {
  return scaled(count, COUNT_UNITS, "");
}

/** A count in full, grouped by thousands: `10,000`. */
export function printCount(count: number): string {
  return GROUPED.format(count);
}

/** A count of what averages: `20,012`, `1.3`. */
export function printMean(mean: number): string {
  return mean >= 100 || Number.isInteger(mean) ? printCount(mean) : String(roundTo(mean, 2));
}

/** A ratio in words, two digits: `460 times`, `1.1 times`, `0.05 times`. */
export function printRatio(ratio: number): string {
  const rounded = roundTo(ratio, 2);
  if (rounded >= 10) return `${printCount(rounded)} times`;
  return `${rounded >= 1 ? rounded.toFixed(1) : rounded} times`;
}

/** A range of ratios, two digits each: `8.1 to 12 times`; `12 times` where the ends read the same. */
export function printRatioRange(low: number, high: number): string {
  const [from, to] = [printRatio(low), printRatio(high)];
  return from === to ? to : `${from.replace(" times", "")} to ${to}`;
}

/** A number for a column whose header names the unit: `41,235`, `91.4`, `0.08`. */
export function printAmount(value: number): string {
  if (value >= 99.95) return printCount(value);
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

function scaled(value: number, units: readonly string[], gap: string): string {
  let step = 0;
  let rest = value;
  while (rest >= 999.5 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = rest >= 99.5 ? printCount(rest) : String(roundTo(rest, 2));
  return `${digits}${gap}${units[step] ?? ""}`.trimEnd();
}

function roundTo(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

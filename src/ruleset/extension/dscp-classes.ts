/** `CS1`, `AF31`, `EF`, `BE` → its six bits (RFC 2474, 2597, 3246); undefined for what is no class. */
export function dscpClass(word: string): number | undefined {
  const name = word.toUpperCase();
  if (name === "EF") return 46;
  if (name === "BE") return 0;
  const selector = /^CS([0-7])$/.exec(name);
  if (selector !== null) return Number(selector[1]) * 8;
  const assured = /^AF([1-4])([1-3])$/.exec(name);
  return assured === null ? undefined : Number(assured[1]) * 8 + Number(assured[2]) * 2;
}

const TOS_NAMES: Readonly<Record<string, number>> = {
  "minimize-delay": 16,
  "maximize-throughput": 8,
  "maximize-reliability": 4,
  "minimize-cost": 2,
  "normal-service": 0,
};

/** `Minimize-Delay` → 16, of the six bits that the names are of (RFC 1349). */
export function tosName(word: string): number | undefined {
  return TOS_NAMES[word.toLowerCase()];
}

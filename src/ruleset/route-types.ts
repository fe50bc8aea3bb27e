import type { Words } from "./words.js";

/** Types of routes that lead nowhere (RTN_…, include/uapi/linux/rtnetlink.h). */
export const REFUSALS = ["blackhole", "unreachable", "prohibit", "throw"] as const;

/**
 * How a route refuses packets: without a word, with ICMP host unreachable or administratively prohibited, or as if the
 * table had no route, which the next one might have.
 */
export type Refusal = (typeof REFUSALS)[number];

/** Types of routes in the table `local`. */
const LOCAL_TYPES: readonly string[] = ["local", "broadcast", "anycast", "multicast"];

/** How the route refuses packets that a line begins to tell of, if it does; `ip -d` writes `unicast` too. */
export function readRefusal(words: Words): Refusal | undefined {
  const type = LOCAL_TYPES.find((one) => words.peek() === one);
  if (type !== undefined) {
    throw words.refusal(
      `«${type}» routes follow from the interfaces' addresses: list the main table alone, as ip route does.`,
    );
  }
  words.take("unicast");
  return REFUSALS.find((one) => words.take(one));
}

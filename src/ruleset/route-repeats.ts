import type { Diagnostic, Place } from "../diagnostics.js";
import { familyOf } from "../net/ip.js";
import { printPrefix } from "../net/prefix.js";
import { prefixKey } from "./identity.js";
import type { Route } from "./routes.js";

/** The kernel's metric of IPv6 routes that are given none (IP6_RT_PRIO_USER, include/uapi/linux/ipv6_route.h). */
const METRIC_OF_6 = 1024;

function metricOf({ prefix, metric }: Route): number {
  return metric ?? (familyOf(prefix.address) === 4 ? 0 : METRIC_OF_6);
}

function messageOf(route: Route, [kept, left]: readonly [string, string], isByMetric: boolean): string {
  const rule = isByMetric ? "its metric is less" : "it is the last";
  return `${left} leads to ${printPrefix(route.prefix)} too and is left out: ${kept} counts, since ${rule}.`;
}

/**
 * The routes of a list with one for each prefix: the last of those of the least metric, as a kernel has it that is given
 * them one by one. What is left out is said, by the names that `nameOf` gives the routes' places.
 */
export function withoutRepeats(
  routes: readonly Route[],
  nameOf: (index: number) => string,
  place: Place,
): { readonly routes: readonly Route[]; readonly diagnostics: readonly Diagnostic[] } {
  const kept = new Map<string, number>();
  const diagnostics: Diagnostic[] = [];
  for (const [index, route] of routes.entries()) {
    const key = prefixKey(route.prefix);
    const before = kept.get(key);
    const [own, other] = [
      metricOf(route),
      before === undefined ? Infinity : metricOf(routes[before] as Route),
    ];
    if (own <= other) kept.set(key, index);
    if (before === undefined) continue;
    const names = [nameOf(own <= other ? index : before), nameOf(own <= other ? before : index)] as const;
    diagnostics.push({ severity: "warning", place, message: messageOf(route, names, own !== other) });
  }
  if (diagnostics.length === 0) return { routes, diagnostics };
  return { routes: [...kept.values()].map((index) => routes[index] as Route), diagnostics };
}

import type { Ip } from "../net/ip.js";
import type { Route } from "./routes.js";
import type { Words } from "./words.js";

/** A route while its line is read. */
export type RouteDraft = { -readonly [K in keyof Route]?: Route[K] };

/** `fe80::1`, or `inet6 fe80::1` to an IPv4 prefix. */
function readGateway(words: Words): Ip {
  words.take("inet6");
  return words.readIp();
}

/** Attributes of one value that move no packet that the machine sees: of TCP's sender, of bookkeeping. */
const WITHOUT_EFFECT: readonly string[] = [
  ...["advmss", "congctl", "cwnd", "features", "initcwnd", "initrwnd", "quickack", "reordering", "rto_min"],
  ...["rtt", "rttvar", "ssthresh", "window", "error", "expires", "nhid", "pref", "realm", "realms"],
];
/** The same of what says all by being there; the backslash is how `ip -o` breaks a line. */
const FLAGS_WITHOUT_EFFECT: readonly string[] = ["linkdown", "offload", "rt_offload", "\\"];

/** What people meet in listings, and what they may do about it. */
const NOT_MODELLED: Readonly<Record<string, string>> = {
  nexthop: "which of several next hops a packet takes is not modelled: leave one, as «via … dev …»",
  table: "there is one table of routes, the main one: leave out what stands in others",
  mtu: "a route's own MTU is not modelled, packets are as long as its device takes: leave it out",
};

/** Passes over what moves no packet; whether the word was such. */
function passAttribute(words: Words, word: string): boolean {
  if (FLAGS_WITHOUT_EFFECT.includes(word)) return true;
  if (word === "scope") return words.take("global") || words.take("site");
  if (!WITHOUT_EFFECT.includes(word)) return false;
  words.take("lock");
  words.next(`the value of ${word}`);
  return true;
}

/** Reads one attribute of a line. */
export function readAttribute(words: Words, route: RouteDraft): void {
  const word = words.next("an attribute of the route");
  if (word === "via") route.via = readGateway(words);
  else if (word === "dev") route.dev = words.next("a device");
  else if (word === "proto") route.proto = words.next("a protocol");
  else if (word === "src") route.src = words.readIp();
  else if (word === "metric") route.metric = words.readCount("a metric");
  else if (word === "onlink") route.onlink = true;
  else if (word === "scope" && words.take("link")) route.scope = "link";
  else if (!passAttribute(words, word)) {
    const reason = NOT_MODELLED[word] ?? "is not modelled in a route; leave it out of the listing";
    throw words.refusal(NOT_MODELLED[word] === undefined ? `«${word}» ${reason}.` : `«${word}»: ${reason}.`);
  }
}

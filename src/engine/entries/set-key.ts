import {
  KEY_DPORT,
  KEY_DST,
  KEY_NET,
  KEY_SPORT,
  KEY_SRC,
  KEY_THEN_DST,
  KEY_THEN_NET,
  KEY_THEN_SRC,
} from "../../../assembly/abi/rule.js";
import type { Side } from "../../ruleset/iptables.js";

/** What each field of an ipset's type takes of the key, for the sides src and dst. */
const FIRST = {
  ip: { src: KEY_SRC, dst: KEY_DST },
  net: { src: KEY_SRC | KEY_NET, dst: KEY_DST | KEY_NET },
  port: { src: KEY_SPORT, dst: KEY_DPORT },
} as const;
const SECOND = {
  ip: { src: KEY_THEN_SRC, dst: KEY_THEN_DST },
  net: { src: KEY_THEN_SRC | KEY_THEN_NET, dst: KEY_THEN_DST | KEY_THEN_NET },
} as const;

/** Types of sets that the machine looks keys up in. */
const TYPES = new Set([
  "bitmap:port",
  "hash:ip",
  "hash:net",
  "hash:ip,port",
  "hash:net,port",
  "hash:ip,port,ip",
  "hash:ip,port,net",
]);

/**
 * The KEY_ bits by which a rule asks an ipset of a type, given a side for each of the type's fields; undefined where the
 * machine does not look such sets up. Sides past the fields do not count.
 */
export function setKey(type: string, sides: readonly Side[]): number | undefined {
  if (!TYPES.has(type)) return undefined;
  const [, fields = ""] = type.split(":");
  let key = 0;
  for (const [index, field] of (fields.split(",") as (keyof typeof FIRST)[]).entries()) {
    const side = sides[index];
    if (side === undefined) return undefined;
    key |= index === 2 && field !== "port" ? SECOND[field][side] : FIRST[field][side];
  }
  return key;
}

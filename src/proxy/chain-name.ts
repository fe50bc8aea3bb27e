import type { Protocol } from "../net/port.js";
import { sha256 } from "./sha256.js";

/** RFC 4648 §6, as character codes. */
const BASE32 = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", (character) => character.charCodeAt(0));

/**
 * The first `characters` (at most 51) of the unpadded base32 form (RFC 4648) of the SHA-256 of the texts together,
 * behind a prefix. Made in one piece: a template would keep its parts, and a large cluster has hundreds of thousands.
 */
export function base32Sha256(text: string, characters: number, rest = "", prefix = ""): string {
  const words = sha256(text, rest);
  const { length } = prefix;
  const codes = new Array<number>(length + characters);
  for (let index = 0; index < length; index += 1) codes[index] = prefix.charCodeAt(index);
  for (let index = 0; index < characters; index += 1) {
    const at = index * 5;
    const word = words[at >>> 5] as number;
    const shift = 27 - (at & 31);
    const next = words[(at >>> 5) + 1] ?? 0;
    const bits = shift >= 0 ? word >>> shift : (word << -shift) | (next >>> (32 + shift));
    codes[length + index] = BASE32[bits & 31] as number;
  }
  return String.fromCharCode(...codes);
}

const LOWER_CASE: Record<Protocol, string> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/**
 * The hash in the names of kube-proxy's iptables chains: 16 characters over the printed service port
 * (`ns/name:port`), the protocol in lower case and, for KUBE-SEP- chains, the endpoint (`10.244.1.7:8080`). It stands behind
 * the prefix.
 */
export function hash16(servicePort: string, protocol: Protocol, endpoint = "", prefix = ""): string {
  return base32Sha256(servicePort + LOWER_CASE[protocol], 16, endpoint, prefix);
}

import { type Family, type Ip, parseIp, printIp } from "../../../src/net/ip.js";
import { ip } from "../../proxy/cluster-of.js";

/** Addresses are drawn as IPv4; each has an IPv6 one that stands for it: 2001:db8, then an octet in each 16 bits. */
const PREFIX = 0x2001_0db8n << 96n;

function address6(address: number): bigint {
  if (address === 0x7f000001) return 1n;
  // The first two octets are in the network's half, the others at the end of the host's.
  const octets = [24, 16, 8, 0].map((shift) => BigInt((address >>> shift) & 0xff));
  const shifts = [80n, 64n, 16n, 0n];
  return octets.reduce((sum, octet, index) => sum | (octet << (shifts[index] ?? 0n)), PREFIX);
}

/** The length that holds the addresses which stand for those of an IPv4 prefix. */
function length6(length: number): number {
  if (length <= 8) return 40 + length;
  if (length <= 16) return 48 + length;
  return length <= 24 ? 88 + length : 96 + length;
}

/** An IPv4 address as text, or what stands for it in the other family. */
export function addressIn(family: Family, text: string): Ip {
  const address = ip(text);
  return family === 6 && typeof address === "number" ? address6(address) : address;
}

/** The same of any text with addresses and prefixes in it, like `10.244.1.7@worker-1` or `10.244.0.0/16`. */
export function textIn(family: Family, text: string): string {
  if (family === 4) return text;
  return text.replace(/(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?/g, (whole, address: string, length?: string) => {
    const parsed = parseIp(address);
    if (typeof parsed !== "number") return whole;
    return printIp(address6(parsed)) + (length === undefined ? "" : `/${length6(Number(length))}`);
  });
}

/** The text in each family, with a space between. */
export function textInAll(families: readonly Family[], text: string): string {
  return families.map((family) => textIn(family, text)).join(" ");
}

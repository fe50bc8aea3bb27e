import { type Ip, parseIp, printIp } from "../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../net/port.js";
import { readLines, type Words } from "./words.js";

/** One element: which fields are present depends on the set's type. */
export interface IpSetEntry {
  readonly ip?: Ip;
  readonly protocol?: Protocol;
  readonly port?: number;
  readonly ip2?: Ip;
}

/** A kernel ipset, as `ipset save` prints it. */
export interface IpSet {
  readonly name: string;
  readonly type: "hash:ip" | "hash:ip,port" | "hash:ip,port,ip" | "bitmap:port";
  /** Of IPv6 addresses (`family inet6`); absent: IPv4, or none. */
  readonly family?: 6;
  readonly entries: readonly IpSetEntry[];
}

const TYPES = ["hash:ip", "hash:ip,port", "hash:ip,port,ip", "bitmap:port"] as const;

/** The kernel's and kube-proxy's default size of a hash set; an element more is refused. */
export const MAX_ELEMENTS = 65536;

function printHeader({ type, family }: IpSet): string {
  if (type === "bitmap:port") return "range 0-65535";
  return `family ${family === 6 ? "inet6" : "inet"} hashsize 1024 maxelem ${MAX_ELEMENTS}`;
}

function printEntry(
  type: IpSet["type"],
  { ip = 0, protocol = "TCP", port = 0, ip2 = 0 }: IpSetEntry,
): string {
  switch (type) {
    case "bitmap:port":
      return `${port}`;
    case "hash:ip":
      return printIp(ip);
    case "hash:ip,port":
      return `${printIp(ip)},${protocol.toLowerCase()}:${port}`;
    case "hash:ip,port,ip":
      return `${printIp(ip)},${protocol.toLowerCase()}:${port},${printIp(ip2)}`;
  }
}

/** The listing of `ipset save` (which lists the elements of a hash in any order; here it is the given one). */
export function printIpSets(sets: readonly IpSet[]): string {
  const lines = sets.flatMap((set) => [
    `create ${set.name} ${set.type} ${printHeader(set)}`,
    ...set.entries.map((entry) => `add ${set.name} ${printEntry(set.type, entry)}`),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

/** Options of `create` that do not change what the set holds. */
const SIZES = ["hashsize", "maxelem", "bucketsize", "initval"];

function readCreate(words: Words): IpSet & { readonly entries: IpSetEntry[] } {
  const name = words.next("the name of a set");
  const type = words.read("a type of set this program models", (word) => TYPES.find((one) => one === word));
  let family: 6 | undefined;
  while (!words.done) {
    const option = words.next("an option");
    const value = words.next(`the value of «${option}»`);
    if (option === "family" && value === "inet6") family = 6;
    const known =
      SIZES.includes(option) ||
      (option === "family" && ["inet", "inet6"].includes(value)) ||
      (option === "range" && value === "0-65535") ||
      (option === "timeout" && value === "0");
    if (!known) throw words.refusal(`«${option} ${value}» of a set is not modelled.`);
  }
  return { name, type, ...(family === undefined ? {} : { family }), entries: [] };
}

function parsePort(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

/** `tcp:80` */
function parseProtocolPort(text: string): Pick<Required<IpSetEntry>, "protocol" | "port"> | undefined {
  const [name, number, ...more] = text.split(":");
  const protocol = (Object.keys(PROTOCOL_NUMBER) as Protocol[]).find((one) => one.toLowerCase() === name);
  const port = parsePort(number);
  return protocol === undefined || port === undefined || more.length > 0 ? undefined : { protocol, port };
}

/** An element of a set of that type; undefined if the word is none. */
function parseEntry(type: IpSet["type"], word: string): IpSetEntry | undefined {
  if (type === "bitmap:port") {
    const port = parsePort(word);
    return port === undefined ? undefined : { port };
  }
  const [first = "", second, third, ...more] = word.split(",");
  const parts = type.slice("hash:".length).split(",").length;
  if (1 + Number(second !== undefined) + Number(third !== undefined) + more.length !== parts)
    return undefined;
  const ip = parseIp(first);
  const service = second === undefined ? {} : parseProtocolPort(second);
  const ip2 = third === undefined ? undefined : parseIp(third);
  if (ip === undefined || service === undefined || (third !== undefined && ip2 === undefined))
    return undefined;
  return ip2 === undefined ? { ip, ...service } : { ip, ...service, ip2 };
}

/**
 * Reads a listing of `ipset save`; the inverse of printIpSets. Sizes are passed over. A type, option or element
 * that is not modelled is an InputError that names its line in `file`.
 */
export function parseIpSets(text: string, file: string): readonly IpSet[] {
  const sets = new Map<string, IpSet & { readonly entries: IpSetEntry[] }>();
  readLines(text, file, (words) => {
    const verb = words.read("create or add", (word) => ["create", "add"].find((one) => one === word));
    if (verb === "create") {
      const set = readCreate(words);
      if (sets.has(set.name)) throw words.refusal(`set ${set.name} is created a second time.`);
      sets.set(set.name, set);
      return undefined;
    }
    const set = words.read("a set created before", (word) => sets.get(word));
    set.entries.push(words.read(`an element of a ${set.type} set`, (word) => parseEntry(set.type, word)));
    words.take("timeout", "0");
    if (!words.done) throw words.refusal(`«${words.next("")}» of an element is not modelled.`);
    return undefined;
  });
  return [...sets.values()];
}

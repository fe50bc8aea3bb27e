import { type Family, familyOf, type Ip, parseIp, printIp } from "../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../net/port.js";
import { hostLength, hostPrefix, type Prefix, parsePrefix, printPrefix } from "../net/prefix.js";
import { readLines, type Words } from "./words.js";

/** One element: which fields are present depends on the set's type. */
export interface IpSetEntry {
  readonly ip?: Ip;
  readonly protocol?: Protocol;
  readonly port?: number;
  readonly ip2?: Ip;
  /** Never of length 0: ipset refuses it. */
  readonly net?: Prefix;
  /** What it holds is no hit, though a shorter net be one. */
  readonly nomatch?: true;
}

/** A kernel ipset, as `ipset save` prints it. */
export interface IpSet {
  readonly name: string;
  readonly type: (typeof TYPES)[number];
  /** Of IPv6 addresses (`family inet6`); absent: IPv4, or none. */
  readonly family?: 6;
  readonly entries: readonly IpSetEntry[];
}

const TYPES = [
  "hash:ip",
  "hash:ip,port",
  "hash:ip,port,ip",
  "hash:ip,port,net",
  "hash:net",
  "hash:net,port",
  "bitmap:port",
] as const;

/** The kernel's and kube-proxy's default size of a hash set; an element more is refused. */
export const MAX_ELEMENTS = 65536;

function printHeader({ type, family }: IpSet): string {
  if (type === "bitmap:port") return "range 0-65535";
  return `family ${family === 6 ? "inet6" : "inet"} hashsize 1024 maxelem ${MAX_ELEMENTS}`;
}

function printNet({ address, length }: Prefix): string {
  return length === hostLength(address) ? printIp(address) : printPrefix({ address, length });
}

const ANYWHERE: Prefix = { address: 0, length: 0 };

/** The fields that an element of the type has, in the order in which they are listed. */
function fieldsOf(type: IpSet["type"]): readonly ("ip" | "ip2" | "net" | "port")[] {
  const fields = type.slice("hash:".length).split(",") as ("ip" | "net" | "port")[];
  return fields.map((field, index) => (field === "ip" && index > 0 ? "ip2" : field));
}

function printEntry(type: IpSet["type"], entry: IpSetEntry): string {
  const { ip = 0, protocol = "TCP", port = 0, ip2 = 0, net = ANYWHERE } = entry;
  if (type === "bitmap:port") return `${port}`;
  const texts = {
    ip: printIp(ip),
    ip2: printIp(ip2),
    net: printNet(net),
    port: `${protocol.toLowerCase()}:${port}`,
  };
  const fields = fieldsOf(type).map((field) => texts[field]);
  return entry.nomatch ? `${fields.join(",")} nomatch` : fields.join(",");
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

/** `10.0.0.0/8`, or an address alone; never of length 0. */
function parseNet(text: string): Prefix | undefined {
  const ip = parseIp(text);
  if (ip !== undefined) return hostPrefix(ip);
  const net = parsePrefix(text);
  return net?.length === 0 ? undefined : net;
}

/** One field of an element; undefined where the text is none such. */
function parseField(
  field: ReturnType<typeof fieldsOf>[number],
  text: string,
  family: Family,
): IpSetEntry | undefined {
  if (field === "port") return parseProtocolPort(text);
  const net = parseNet(text);
  if (net === undefined || familyOf(net.address) !== family) return undefined;
  if (field === "net") return { net };
  return text.includes("/") ? undefined : { [field]: net.address };
}

/** An element of a set of that type and family; undefined if the word is none. */
function parseEntry({ type, family }: IpSet, word: string): IpSetEntry | undefined {
  if (type === "bitmap:port") {
    const port = parsePort(word);
    return port === undefined ? undefined : { port };
  }
  const texts = word.split(",");
  const parts = fieldsOf(type).map((field, index) => parseField(field, texts[index] ?? "", family ?? 4));
  if (texts.length !== parts.length || !parts.every((part) => part !== undefined)) return undefined;
  return Object.assign({}, ...parts);
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
    const entry = words.read(`an element of a ${set.type} set`, (word) => parseEntry(set, word));
    words.take("timeout", "0");
    set.entries.push(words.take("nomatch") ? { ...entry, nomatch: true } : entry);
    if (!words.done) throw words.refusal(`«${words.next("")}» of an element is not modelled.`);
    return undefined;
  });
  return [...sets.values()];
}

import { type Ip, parseIp } from "../net/ip.js";
import { parseMac } from "../net/mac.js";
import { hostLength, parsePrefixLoose, prefixOf } from "../net/prefix.js";
import type { Interface, InterfaceAddress, Route, TunnelEnd } from "./routes.js";
import { readLines, refusalAt, type Words } from "./words.js";

/** An interface as `ip addr` lists it. */
interface ListedInterface {
  readonly name: string;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  readonly mtu: number;
  mac: number;
  /** What `ip -d` says it is; undefined for a plain device, or where -d was not given. */
  type: "bridge" | "vxlan" | "dummy" | undefined;
  vxlan: TunnelEnd | undefined;
  readonly addresses: (InterfaceAddress & { readonly prefixSource: Ip })[];
}

/** `2: eth0@if5: <BROADCAST,UP> mtu 1500 …` */
function readHead(words: Words): ListedInterface {
  words.next("a number");
  const name = words.next("an interface").replace(/(@.*)?:$/, "");
  const flags = words.read("flags in angles", (word) => /^<(.*)>$/.exec(word)?.[1]?.split(","));
  let mtu = 1500;
  while (!words.done) if (words.next("a fact") === "mtu") mtu = words.readCount("an MTU");
  return {
    name,
    isUp: flags.includes("UP"),
    isLoopback: flags.includes("LOOPBACK"),
    mtu,
    mac: 0,
    type: undefined,
    vxlan: undefined,
    addresses: [],
  };
}

/** `inet 10.0.0.1/24 …`, or `inet 10.0.0.1 peer 10.0.0.2/32 …`, whose network is the peer's. */
function readAddress(words: Words, { addresses }: ListedInterface): void {
  const [text = "", ownLength] = words.next("an address").split("/");
  const peer = words.take("peer") ? words.next("the peer's address") : undefined;
  const [far = text, farLength = ownLength] = peer?.split("/") ?? [];
  const [address, prefixSource] = [parseIp(text), parseIp(far)];
  if (address === undefined || prefixSource === undefined)
    throw words.refusal(`«${text}» is not an IP address.`);
  const length =
    farLength === undefined ? hostLength(address) : parsePrefixLoose(`${far}/${farLength}`)?.length;
  if (length === undefined) throw words.refusal(`«/${farLength}» is not the length of a network of ${far}.`);
  addresses.push({ address, prefixSource, length });
}

/** `vxlan id 1 local 172.18.0.3 dev eth0 … dstport 8472 …` */
function readVxlan(words: Words, listed: ListedInterface): void {
  let [vni, port, local]: [number?, number?, Ip?] = [];
  while (!words.done) {
    const fact = words.next("a fact");
    if (fact === "id") vni = words.readCount("a VNI");
    else if (fact === "dstport") port = words.readCount("a port");
    else if (fact === "local" || fact === "local6") local = words.readIp();
  }
  listed.type = "vxlan";
  if (vni !== undefined && port !== undefined && local !== undefined) listed.vxlan = { vni, port, local };
}

function readDetail(words: Words, listed: ListedInterface): void {
  const fact = words.next("a fact");
  if (fact === "link/ether") listed.mac = words.read("a MAC address", parseMac);
  else if (fact === "inet" || fact === "inet6") readAddress(words, listed);
  else if (fact === "vxlan") readVxlan(words, listed);
  else if (fact === "bridge" || fact === "dummy") listed.type = fact;
}

function readListing(text: string, file: string): readonly ListedInterface[] {
  const all: ListedInterface[] = [];
  readLines(text, file, (words) => {
    if (/^[0-9]+:$/.test(words.peek() ?? "")) {
      const head = readHead(words);
      if (all.some(({ name }) => name === head.name))
        throw words.refusal(`the interface ${head.name} is listed a second time: give one listing.`);
      all.push(head);
    } else {
      const last = all.at(-1);
      if (last === undefined)
        throw words.refusal("no interface stands before this line: give the listing of `ip -d addr`.");
      readDetail(words, last);
    }
    return undefined;
  });
  if (all.length === 0)
    throw refusalAt(file, 1, "the file holds no interface: give the listing of `ip -d addr`.");
  return all;
}

/** Devices that hold addresses only, by the names that kube-proxy and node-local DNS give them. */
const DUMMY = /^(dummy[0-9]*|kube-ipvs0|nodelocaldns)$/;

function kindOf({ name, isLoopback, type, vxlan }: ListedInterface): Interface["kind"] {
  if (isLoopback) return "loopback";
  if (type === "dummy" || DUMMY.test(name)) return "dummy";
  if (type === "bridge") return "bridge";
  return vxlan === undefined ? "uplink" : "vxlan";
}

/** A kernel's own routes to the networks of an interface that is up; those of link-local addresses are left out. */
function connected({ name, isUp, isLoopback, addresses }: ListedInterface): readonly Route[] {
  if (!isUp || isLoopback) return [];
  return addresses.flatMap(({ address, prefixSource, length }): readonly Route[] => {
    const prefix = prefixOf(prefixSource, length);
    if (typeof address === "bigint") {
      return address >> 118n === 0x3fan || length === 128
        ? []
        : [{ prefix, dev: name, proto: "kernel", metric: 256 }];
    }
    return length === 32 && prefixSource === address
      ? []
      : [{ prefix, dev: name, proto: "kernel", scope: "link", src: address }];
  });
}

/** What `ip addr` says of a node. */
export interface AddressListing {
  readonly interfaces: readonly Interface[];
  /** Those that the kernel makes of the addresses. */
  readonly routes: readonly Route[];
}

/**
 * Reads what `ip addr` prints. Only `ip -d addr` says what a device is: without it those that are no loopback are
 * plain ones. InputError naming the lines that are none of such a listing.
 */
export function parseAddresses(text: string, file: string): AddressListing {
  const listing = readListing(text, file);
  return {
    interfaces: listing.map((listed) => {
      const { name, mac, mtu, addresses, vxlan } = listed;
      return {
        name,
        kind: kindOf(listed),
        mac,
        mtu,
        addresses: addresses.map(({ address, length }) => ({ address, length })),
        ...(vxlan === undefined ? {} : { vxlan }),
      };
    }),
    routes: listing.flatMap(connected),
  };
}

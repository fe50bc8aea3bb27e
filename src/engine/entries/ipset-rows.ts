import { KEY_LENGTH_SHIFT, KEY_NOMATCH, KEY_TAG_GROUP, KEY_TAG_MEMBER } from "../../../assembly/abi/rule.js";
import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../../net/port.js";
import type { IpSet, IpSetEntry } from "../../ruleset/ipset.js";
import { PRESENT, protoPort, pushKey } from "./elements.js";
import type { Words } from "./words.js";

/** Groups that a set of pairs can have: what is left of a key's word beside its tag. */
const GROUPS_MAX = (1 << KEY_LENGTH_SHIFT) - 1;

/** An address with a port of a set of pairs, as text, and its number. */
export type GroupNumbers = readonly (readonly [key: string, number: number])[];

/**
 * The elements of one ipset as rows of its exact table, as abi/rule.ts says of keys (KEY_). Where a second address or net
 * comes behind an address and a port, those have a number here, and never another.
 */
export class IpSetRows {
  readonly #type: IpSet["type"];
  readonly #family: Family;
  readonly #groups: Map<string, number>;

  /** `saved`: the numbers of an image that has them already. */
  constructor({ type, family }: Pick<IpSet, "type" | "family">, saved: GroupNumbers = []) {
    this.#type = type;
    this.#family = family ?? 4;
    this.#groups = new Map(saved);
  }

  /** What stands before second addresses, also where none is left. */
  get groups(): GroupNumbers {
    return [...this.#groups];
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Pushes the rows of an entry, or, as it leaves, those that are its own. Entries of the other family have none. */
  push(rows: Words, entry: IpSetEntry, leaves: boolean): void {
    const { ip, protocol = "TCP", port = 0, ip2 = ip, net } = entry;
    if (this.#type === "bitmap:port") {
      // The set knows no protocol; the rules that ask it do.
      for (const each of Object.keys(PROTOCOL_NUMBER) as Protocol[])
        rows.push3(0, protoPort(each, port), PRESENT);
      return;
    }
    const first = ip ?? net?.address;
    if (first === undefined || familyOf(first) !== this.#family) return;
    const word = this.#type.includes("port") ? protoPort(protocol, port) : 0;
    if (ip === undefined) this.#pushNet(rows, entry, word);
    else if (net !== undefined) this.#pushNet(rows, entry, this.#pushGroup(rows, ip, word, leaves));
    else if (ip2 === undefined || ip2 === ip) pushKey(rows, ip, word, PRESENT);
    else pushKey(rows, ip2, tagged(this.#pushGroup(rows, ip, word, leaves), KEY_TAG_MEMBER), PRESENT);
  }

  #pushNet(rows: Words, { net, nomatch }: IpSetEntry, word: number): void {
    if (net === undefined) return;
    const key = tagged(word, (net.length + 1) << KEY_LENGTH_SHIFT);
    pushKey(rows, net.address, key, nomatch ? KEY_NOMATCH : PRESENT);
  }

  /** The number of what stands before the second address; its row stays when an entry leaves, for others of the group. */
  #pushGroup(rows: Words, ip: Ip, word: number, leaves: boolean): number {
    const group = this.#groupOf(`${ip} ${word}`);
    if (!leaves) pushKey(rows, ip, tagged(word, KEY_TAG_GROUP), group);
    return group;
  }

  #groupOf(key: string): number {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = this.#groups.size + 1;
    if (group > GROUPS_MAX)
      throw new TypeError(`An ipset of pairs has more than ${GROUPS_MAX} different ports.`);
    this.#groups.set(key, group);
    return group;
  }
}

function tagged(word: number, tag: number): number {
  return (word | tag) >>> 0;
}

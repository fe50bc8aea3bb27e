import * as abi from "../../assembly/abi/entry.js";
import * as wire from "../../assembly/abi/wire.js";
import type { RulesetEntries } from "../../src/engine/live/ruleset.js";
import { frame } from "../../src/packet/build.js";
import { Fib4 } from "./fib4.js";

/** Words of a next hop: kind, out, MTU, source, flags, refusal. */
const HOP_WORDS = 8;
const ENTRY_WORDS = abi.NEXT_HOP_ENTRY_LEN / 4;
const NO_OCTETS = new Uint8Array(0);
const OUTER_UDP = wire.ETH_LEN + wire.IP4_LEN;
/** What differs from packet to packet in the outer headers. */
const DIFFERING = [
  wire.ETH_LEN + wire.IP4_TOTAL_LENGTH,
  wire.ETH_LEN + wire.IP4_CHECKSUM,
  OUTER_UDP + wire.UDP_LENGTH,
  OUTER_UDP + wire.UDP_CHECKSUM,
];

/** Routes and next hops; a tunnel's outer headers lie ready. */
export class Hops {
  readonly #fib = new Fib4();
  readonly #words: Int32Array;
  /** The inner frame's MAC addresses, six octets each, as they go on the wire. */
  readonly macs: readonly Uint8Array[];
  /** For a tunnel its outer headers, lengths and checksums 0; and the sum of the outer IPv4 header. */
  readonly templates: readonly Uint8Array[];
  readonly outerSums: readonly number[];

  constructor({ hops, routes }: Pick<RulesetEntries, "hops" | "routes">) {
    const count = hops.length / ENTRY_WORDS;
    const entries = new Int32Array(hops.buffer, hops.byteOffset, hops.length);
    const octets = new Uint8Array(hops.buffer, hops.byteOffset, hops.byteLength);
    this.#words = new Int32Array(count * HOP_WORDS);
    const octetsOf = (hop: number, field: number, length: number) => {
      const at = hop * abi.NEXT_HOP_ENTRY_LEN + field;
      return octets.slice(at, at + length);
    };
    for (let hop = 0; hop < count; hop++) {
      const entry = (field: number) => entries[hop * ENTRY_WORDS + field / 4] as number;
      const words = [
        entry(abi.NEXT_HOP_KIND),
        entry(abi.NEXT_HOP_OUT),
        entry(abi.NEXT_HOP_MTU),
        entry(abi.NEXT_HOP_SOURCE),
        entry(abi.NEXT_HOP_FLAGS),
        entry(abi.NEXT_HOP_REFUSAL),
      ];
      this.#words.set(words, hop * HOP_WORDS);
    }
    this.macs = Array.from({ length: count }, (_, hop) => octetsOf(hop, abi.NEXT_HOP_DST_MAC, 12));
    this.templates = Array.from({ length: count }, (_, hop) => {
      const entry = (field: number) => (entries[hop * ENTRY_WORDS + field / 4] as number) >>> 0;
      const kind = entry(abi.NEXT_HOP_KIND);
      if (kind !== abi.NEXT_HOP_KIND_VXLAN && kind !== abi.NEXT_HOP_KIND_GENEVE) return NO_OCTETS;
      const outer = frame()
        .eth()
        .ip4({ src: entry(abi.NEXT_HOP_OUTER_SRC), dst: entry(abi.NEXT_HOP_OUTER_DST), df: false })
        .udp({ srcPort: 0, dstPort: entry(abi.NEXT_HOP_PORT) });
      const vni = entry(abi.NEXT_HOP_VNI);
      const options = octetsOf(hop, abi.NEXT_HOP_OPTIONS, entry(abi.NEXT_HOP_OPTIONS_LEN));
      const isGeneve = kind === abi.NEXT_HOP_KIND_GENEVE;
      const template = (isGeneve ? outer.geneve({ vni, options }) : outer.vxlan({ vni })).bytes();
      template.set(octetsOf(hop, abi.NEXT_HOP_OUTER_DST_MAC, 12));
      const view = new DataView(template.buffer);
      for (const field of DIFFERING) view.setUint16(field, 0);
      return template;
    });
    this.outerSums = this.templates.map((template) => {
      const view = new DataView(template.buffer, 0, template.length);
      let sum = 0;
      for (let at = wire.ETH_LEN; at < Math.min(template.length, OUTER_UDP); at += 2)
        sum += view.getUint16(at);
      return sum;
    });
    for (let at = 0; at < routes.length; at += 3) {
      this.#fib.insert(routes[at] as number, routes[at + 1] as number, routes[at + 2] as number);
    }
  }

  /** The next hop of an address; -1 for none. */
  route(address: number): number {
    const leaf = this.#fib.lookup(address);
    return leaf === 0 ? -1 : leaf >>> 7;
  }

  kindOf(hop: number): number {
    return this.#words[hop * HOP_WORDS] as number;
  }

  outOf(hop: number): number {
    return this.#words[hop * HOP_WORDS + 1] as number;
  }

  mtuOf(hop: number): number {
    return this.#words[hop * HOP_WORDS + 2] as number;
  }

  sourceOf(hop: number): number {
    return this.#words[hop * HOP_WORDS + 3] as number;
  }

  /** Whether a tunnel's outer UDP checksum is computed. */
  isSummed(hop: number): boolean {
    return ((this.#words[hop * HOP_WORDS + 4] as number) & abi.NEXT_HOP_FLAG_NO_UDP_CHECKSUM) === 0;
  }

  /** Why routes to it refuse packets; 0 where they do not. */
  refusalOf(hop: number): number {
    return this.#words[hop * HOP_WORDS + 5] as number;
  }

  isBridge(hop: number): boolean {
    return ((this.#words[hop * HOP_WORDS + 4] as number) & abi.NEXT_HOP_FLAG_BRIDGE) !== 0;
  }

  isLocal(address: number): boolean {
    const hop = this.route(address);
    return hop >= 0 && this.kindOf(hop) === abi.NEXT_HOP_KIND_LOCAL;
  }

  isBridged(src: number, inNumber: number): boolean {
    const hop = this.route(src);
    return hop >= 0 && this.isBridge(hop) && this.outOf(hop) === inNumber;
  }
}

/** nftables nests no deeper (NFT_JUMP_STACK_SIZE). */
const CHAIN_DEPTH_MAX = 16;

/** A number of 32 bits, or of IPv6 a bigint. */
export type Address = number | bigint;

/** Rule programs as plain data, and an interpreter of them that is slow and right by inspection. */
export interface RulePacket {
  readonly src: Address;
  readonly dst: Address;
  readonly protocol: number;
  /** 0 where the protocol has none. */
  readonly srcPort: number;
  readonly dstPort: number;
  readonly in: number;
}

export interface Masked {
  readonly address: Address;
  readonly length: number;
}

/** `not` negates each. */
export type Match = { readonly not: boolean } & (
  | { readonly kind: "src" | "dst"; readonly prefix: Masked }
  | { readonly kind: "src in" | "dst in"; readonly prefixes: readonly Masked[] }
  | { readonly kind: "protocol"; readonly number: number }
  | { readonly kind: "dport" | "sport"; readonly from: number; readonly to: number }
  | { readonly kind: "mark"; readonly value: number; readonly mask: number }
  | { readonly kind: "in"; readonly number: number }
  | { readonly kind: "ports" }
  | { readonly kind: "chance"; readonly always: boolean }
  | { readonly kind: "set"; readonly by: Key }
);

export type Key = "dst-port" | "port" | "dst" | "src";

export type Word =
  | { readonly kind: "accept" | "drop" | "reject" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: number };

export type Target =
  | Word
  | { readonly kind: "none" }
  | { readonly kind: "mark"; readonly value: number; readonly mask: number }
  | { readonly kind: "vmap"; readonly by: Key }
  | { readonly kind: "only"; readonly word: Word };

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
}

export interface Program {
  readonly chains: readonly (readonly Rule[])[];
  /** One map for all keys: `address protocol port` → verdict. */
  readonly map: ReadonlyMap<string, Word>;
}

export interface Outcome {
  readonly verdict: "accept" | "drop" | "reject" | "too deep" | "none";
  /** Rules looked at and maps asked. */
  readonly walked: number;
  readonly mark: number;
}

export function keyOf(
  by: Key,
  packet: RulePacket,
): readonly [address: Address, protocol: number, port: number] {
  switch (by) {
    case "dst-port":
      return [packet.dst, packet.protocol, packet.dstPort];
    case "port":
      return [typeof packet.dst === "bigint" ? 0n : 0, packet.protocol, packet.dstPort];
    case "dst":
      return [packet.dst, 0, 0];
    case "src":
      return [packet.src, 0, 0];
  }
}

function within({ address, length }: Masked, of: Address): boolean {
  const host = BigInt((typeof address === "bigint" ? 128 : 32) - length);
  return BigInt(address) >> host === BigInt(of) >> host;
}

class Walk {
  walked = 0;
  mark = 0;
  depth = 0;

  constructor(
    readonly program: Program,
    readonly packet: RulePacket,
  ) {}

  ask(by: Key): Word | undefined {
    this.walked++;
    return this.program.map.get(keyOf(by, this.packet).join(" "));
  }

  holds(match: Match): boolean {
    const { packet } = this;
    switch (match.kind) {
      case "src":
        return within(match.prefix, packet.src);
      case "dst":
        return within(match.prefix, packet.dst);
      case "src in":
        return match.prefixes.some((prefix) => within(prefix, packet.src));
      case "dst in":
        return match.prefixes.some((prefix) => within(prefix, packet.dst));
      case "protocol":
        return match.number === 0 || packet.protocol === match.number;
      case "dport":
        return packet.dstPort >= match.from && packet.dstPort <= match.to;
      case "sport":
        return packet.srcPort >= match.from && packet.srcPort <= match.to;
      case "mark":
        return (this.mark & match.mask) === match.value;
      case "in":
        return packet.in === match.number;
      case "ports":
        return packet.protocol === 6 || packet.protocol === 17;
      case "chance":
        return match.always;
      case "set":
        return this.ask(match.by) !== undefined;
    }
  }

  /** What the target says of the packet; undefined to go on with the next rule. */
  apply(target: Target): Word | undefined {
    switch (target.kind) {
      case "none":
        return undefined;
      case "mark":
        this.mark = (this.mark & ~target.mask) ^ target.value;
        return undefined;
      case "vmap":
        return this.ask(target.by);
      case "only":
        return target.word;
      default:
        return target;
    }
  }

  /** A verdict, or "return" when the chain (and whatever it went to) has nothing to say. */
  chain(number: number): Outcome["verdict"] | "return" {
    for (const { matches, target } of this.program.chains[number] ?? []) {
      this.walked++;
      if (!matches.every((match) => this.holds(match) !== match.not)) continue;
      const word = this.apply(target);
      if (word === undefined) continue;
      if (word.kind === "goto") return this.chain(word.chain);
      if (word.kind !== "jump") return word.kind;
      if (++this.depth > CHAIN_DEPTH_MAX) return "too deep";
      const verdict = this.chain(word.chain);
      this.depth--;
      if (verdict !== "return") return verdict;
    }
    return "return";
  }
}

/** Walks chain 0 of a program. */
export function walkRules(program: Program, packet: RulePacket): Outcome {
  const walk = new Walk(program, packet);
  const verdict = walk.chain(0);
  return { verdict: verdict === "return" ? "none" : verdict, walked: walk.walked, mark: walk.mark };
}

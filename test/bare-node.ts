import * as entry from "../assembly/abi/entry.js";
import { STATUS_OK } from "../assembly/abi/image.js";
import * as server from "../assembly/abi/server.js";
import { Batch, type BatchOptions } from "../src/engine/batch.js";
import { readConnections } from "../src/engine/connections.js";
import { type RuleDraft, ruleColumns } from "../src/engine/entries/rules.js";
import { halvesOf6, wordsOf6 } from "../src/engine/entries/words.js";
import { type Ip6, parseIp, parseIp4 } from "../src/net/ip.js";
import { type Mac, parseMac } from "../src/net/mac.js";
import { parsePrefix } from "../src/net/prefix.js";
import type { Connection } from "../src/ruleset/connections.js";
import { BareImage, type BareOptions } from "./bare-image.js";

export interface Hop {
  readonly kind: "unreachable" | "local" | "direct" | "vxlan" | "geneve";
  readonly out?: number;
  /** Interface that frames leave by; default `out`. */
  readonly leave?: number;
  readonly mtu?: number;
  /** What MASQUERADE gives. */
  readonly source?: string;
  readonly source6?: string;
  readonly bridge?: boolean;
  readonly onLink?: boolean;
  readonly dstMac?: string;
  readonly srcMac?: string;
  readonly vni?: number;
  readonly port?: number;
  readonly outerSrc?: string;
  readonly outerDst?: string;
  readonly outerDstMac?: string;
  readonly outerSrcMac?: string;
  readonly noUdpChecksum?: boolean;
  /** The outer packet may not be fragmented. */
  readonly whole?: boolean;
  /** Geneve's, as on the wire. */
  readonly options?: readonly number[];
}

const KINDS = { unreachable: 0, local: 1, direct: 2, vxlan: 3, geneve: 4 } as const;

export interface Result {
  readonly verdict: string;
  readonly reason: string;
  readonly out: number;
  readonly in: number;
  readonly walked: number;
  readonly connection: number;
  readonly nextHop: number;
  readonly frame: Uint8Array;
}

export function ip4(text: string): number {
  const address = parseIp4(text);
  if (address === undefined) throw new Error(`«${text}» is no IPv4 address`);
  return address;
}

export function ip6(text: string): Ip6 {
  const address = parseIp(text);
  if (typeof address !== "bigint") throw new Error(`«${text}» is no IPv6 address`);
  return address;
}

/** An address of either family as words: the last one, and those before it. */
function endOf(text: string): readonly [last: number, high: readonly number[]] {
  if (!text.includes(":")) return [ip4(text), [0, 0, 0]];
  const [first, second, third, last] = wordsOf6(ip6(text));
  return [last, [first, second, third]];
}

function macOf(text: string | undefined): Mac {
  return text === undefined ? 0 : (parseMac(text) ?? 0);
}

function hopEntry(hop: Hop): Uint32Array {
  const words = new Uint32Array(entry.NEXT_HOP_ENTRY_LEN / 4);
  const view = new DataView(words.buffer);
  const set = (field: number, value: number) => view.setUint32(field, value, true);
  const setMac = (at: number, mac: Mac) => {
    view.setUint16(at, Math.floor(mac / 2 ** 32));
    view.setUint32(at + 2, mac % 2 ** 32);
  };
  const flags = [
    hop.bridge && entry.NEXT_HOP_FLAG_BRIDGE,
    hop.onLink && entry.NEXT_HOP_FLAG_ON_LINK,
    hop.noUdpChecksum && entry.NEXT_HOP_FLAG_NO_UDP_CHECKSUM,
    hop.whole && entry.NEXT_HOP_FLAG_DF,
  ];
  set(entry.NEXT_HOP_KIND, KINDS[hop.kind]);
  set(entry.NEXT_HOP_OUT, hop.out ?? 0);
  set(entry.NEXT_HOP_LEAVE, hop.leave ?? hop.out ?? 0);
  set(entry.NEXT_HOP_MTU, hop.mtu ?? 1500);
  set(entry.NEXT_HOP_SOURCE, ip4(hop.source ?? "0.0.0.0"));
  words.set(wordsOf6(ip6(hop.source6 ?? "::")), entry.NEXT_HOP_SOURCE6 / 4);
  set(
    entry.NEXT_HOP_FLAGS,
    flags.reduce<number>((bits, flag) => bits | (flag || 0), 0),
  );
  setMac(entry.NEXT_HOP_DST_MAC, macOf(hop.dstMac));
  setMac(entry.NEXT_HOP_SRC_MAC, macOf(hop.srcMac));
  set(entry.NEXT_HOP_VNI, hop.vni ?? 0);
  set(entry.NEXT_HOP_PORT, hop.port ?? 0);
  set(entry.NEXT_HOP_OUTER_SRC, ip4(hop.outerSrc ?? "0.0.0.0"));
  set(entry.NEXT_HOP_OUTER_DST, ip4(hop.outerDst ?? "0.0.0.0"));
  setMac(entry.NEXT_HOP_OUTER_DST_MAC, macOf(hop.outerDstMac));
  setMac(entry.NEXT_HOP_OUTER_SRC_MAC, macOf(hop.outerSrcMac));
  set(entry.NEXT_HOP_OPTIONS_LEN, hop.options?.length ?? 0);
  for (const [index, octet] of (hop.options ?? []).entries())
    view.setUint8(entry.NEXT_HOP_OPTIONS + index, octet);
  return words;
}

/** What a batch's columns say of a packet. */
function resultOf(batch: Batch, index: number): Result {
  return {
    verdict: batch.verdict(index),
    reason: batch.reason(index),
    out: batch.outs[index] ?? 0,
    in: batch.ins[index] ?? 0,
    walked: batch.walked[index] ?? 0,
    connection: batch.connections[index] ?? 0,
    nextHop: batch.nextHops[index] ?? 0,
    frame: batch.frame(index).slice(),
  };
}

/** A node made entry by entry through the machine's own exports, for tests of single stages. */
export class BareNode {
  readonly #batches = new Map<number, Batch>();
  #hops = 0;

  private constructor(readonly image: BareImage) {}

  static async make(options: BareOptions = {}): Promise<BareNode> {
    return new BareNode(await BareImage.make(options));
  }

  #expect(status: number, what: string): this {
    if (status !== STATUS_OK) throw new Error(`${what}: status ${status}`);
    return this;
  }

  /** A route of either family, with a next hop of its own. */
  route(prefix: string, hop: Hop): this {
    const { image } = this;
    const { address, length } = parsePrefix(prefix) ?? {};
    if (address === undefined || length === undefined) throw new Error(`«${prefix}» is no prefix`);
    const number = this.#hops++;
    const set = image.withWords(hopEntry(hop), (at) => image.machine.nextHopSet(image.address, number, at));
    this.#expect(set, "next hop");
    if (typeof address === "number")
      return this.#expect(image.machine.routeInsert(image.address, address, length, number), prefix);
    const row = [...halvesOf6(address), length, number];
    const added = image.withWords(row, (at) => image.machine.routes6Insert(image.address, at, 1));
    return this.#expect(added, prefix);
  }

  chain(number: number, ...rules: readonly RuleDraft[]): this {
    const { machine, address } = this.image;
    const status = this.withRules(rules, (at, count, wordsAt, wordCount) =>
      machine.chainSet(address, number, at, count, wordsAt, wordCount),
    );
    return this.#expect(status, `chain ${number}`);
  }

  /** The status of a call with the address of rules, how many they are, and the same of their words. */
  withRules(
    rules: readonly RuleDraft[],
    use: (at: number, count: number, wordsAt: number, wordCount: number) => number,
  ): number {
    const columns = ruleColumns(rules);
    const words = columns.words.words;
    return this.image.withWords([...columns.rules, ...words], (at) =>
      use(at, columns.count, at + columns.rules.byteLength, words.length),
    );
  }

  /** Appends a base chain with policy ACCEPT. */
  hook(hook: number, chain: number, type: number = entry.HOOK_FILTER): this {
    const { machine, address } = this.image;
    return this.#expect(machine.hookAppend(address, hook, chain, type, entry.TARGET_ACCEPT), `hook ${hook}`);
  }

  /** Rows of address, protocol << 16 | port, value. */
  table(number: number, rows: readonly (readonly [number, number, number])[]): this {
    const { image } = this;
    const status = image.withWords(rows.flat(), (at) =>
      image.machine.exactInsert(image.address, number, at, rows.length),
    );
    return this.#expect(status, `table ${number}`);
  }

  /** Virtual server `number`, listening on address:port of a protocol, with [address, port, weight, last weight] each. */
  service(
    number: number,
    at: readonly [address: string, protocol: number, port: number],
    servers: readonly (readonly [string, number, number, number?])[],
    {
      scheduler = server.SCHEDULER_RR,
      size = 0,
    }: { readonly scheduler?: number; readonly size?: number } = {},
  ): this {
    const { image } = this;
    const rows = servers.flatMap(([address, port, weight, before = 0]) => {
      const [last, high] = endOf(address);
      return [last, port, weight, before, ...high, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    });
    const head = [number, servers.length, scheduler, 0, 0, 0, at[2], 0];
    const status = image.withWords([...head, ...rows], (from) =>
      image.machine.serverSet(image.address, from, from + server.SERVER_ROW_LEN, size),
    );
    this.#expect(status, `service ${number}`);
    const protoPort = (at[1] << 16) | at[2];
    if (at[0].includes(":")) return this.table6(entry.EXACT_SERVICES6, [[at[0], protoPort, number + 1]]);
    return this.table(entry.EXACT_SERVICES, [[ip4(at[0]), protoPort, number + 1]]);
  }

  /** Rows of address, protocol << 16 | port, value. */
  table6(number: number, rows: readonly (readonly [string, number, number])[]): this {
    const { image } = this;
    const words = rows.flatMap(([address, protoPort, value]) => [
      ...halvesOf6(ip6(address)),
      protoPort,
      value,
    ]);
    const status = image.withWords(words, (at) =>
      image.machine.exact6Insert(image.address, number, at, rows.length),
    );
    return this.#expect(status, `table ${number}`);
  }

  vxlan(port: number, vni: number, inNumber: number): this {
    return this.#tunnel(entry.TUNNEL_VXLAN, port, vni, inNumber);
  }

  geneve(port: number, vni: number, inNumber: number): this {
    return this.#tunnel(entry.TUNNEL_GENEVE, port, vni, inNumber);
  }

  #tunnel(kind: number, port: number, vni: number, inNumber: number): this {
    const { machine, address } = this.image;
    return this.#expect(machine.tunnelSet(address, kind, port, vni, inNumber), "tunnel");
  }

  /** What conntrack knows, by number. */
  connections(now = 0): readonly Connection[] {
    const { machine, memory, state } = this.image;
    return readConnections(machine, memory, state, now);
  }

  flags(flags: number): this {
    this.image.machine.imageFlags(this.image.address, flags);
    return this;
  }

  batch(capacity: number, options: BatchOptions = {}): Batch {
    return new Batch(this.image.machine, this.image.memory, capacity, options);
  }

  /** Runs frames as one batch; frames are copies. */
  run(frames: readonly Uint8Array[], inNumber = 1, now = 0): Result[] {
    const { machine, address, state } = this.image;
    const call = (at: number) => machine.run(address, state, at, frames.length, now);
    return this.#through(frames, inNumber, call);
  }

  /** The same without connections, over the slots of virtual server `number`. */
  balance(frames: readonly Uint8Array[], number = 0, inNumber = 1): Result[] {
    const { machine, address, state } = this.image;
    const call = (at: number) => machine.balance(address, state, number, at, frames.length);
    return this.#through(frames, inNumber, call);
  }

  /** Takes outer headers off, and nothing else. */
  decapsulate(frames: readonly Uint8Array[], inNumber = 1): Result[] {
    const { machine, address, state } = this.image;
    const call = (at: number) => machine.decapsulate(address, state, at, frames.length);
    return this.#through(frames, inNumber, call);
  }

  /** Translates as connections say, and nothing else. */
  translate(frames: readonly Uint8Array[], now = 0): Result[] {
    const { machine, address, state } = this.image;
    const call = (at: number) => machine.translate(address, state, at, frames.length, now);
    return this.#through(frames, 1, call);
  }

  #through(frames: readonly Uint8Array[], inNumber: number, call: (batch: number) => number): Result[] {
    const batch = this.#batchOf(frames.length);
    for (const [index, frame] of frames.entries()) batch.set(index, frame, inNumber);
    this.#expect(call(batch.address), "the batch");
    return frames.map((_, index) => resultOf(batch, index));
  }

  #batchOf(capacity: number): Batch {
    const batch = this.#batches.get(capacity) ?? this.batch(capacity);
    this.#batches.set(capacity, batch);
    return batch;
  }

  one(frame: Uint8Array, inNumber = 1, now = 0): Result {
    const [result] = this.run([frame], inNumber, now);
    if (result === undefined) throw new Error("no result");
    return result;
  }

  /** What becomes of a packet, and what the node sends about it. */
  refusal(frame: Uint8Array, inNumber = 1, now = 0): { readonly refused: Result; readonly answer: Result } {
    const refused = this.one(frame, inNumber, now);
    const { machine, address, state } = this.image;
    const batch = this.#batchOf(1);
    this.#expect(machine.answer(address, state, batch.address, 0), "the answer");
    return { refused, answer: resultOf(batch, 0) };
  }
}

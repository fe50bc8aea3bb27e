import { printTuple, reverse, type Tuple } from "../frame-tuple.js";

/** nf_conntrack's timeouts, milliseconds. */
const SECOND = 1000;
const TIMEOUTS = {
  tcp: { new: 120 * SECOND, established: 86_400 * SECOND, fin: 120 * SECOND, rst: 10 * SECOND },
  udp: { new: 30 * SECOND, established: 120 * SECOND },
} as const;

export interface OracleFlow {
  readonly original: Tuple;
  /** As replies come. */
  readonly reply: Tuple;
  state: "new" | "established" | "closing";
  expires: number;
}

export type Direction = "original" | "reply";

function same(a: Tuple, b: Tuple): boolean {
  return printTuple(a) === printTuple(b);
}

function timeout(flow: OracleFlow, flags: string): number {
  if (flow.original.protocol === 17) return TIMEOUTS.udp[flow.state === "new" ? "new" : "established"];
  if (flow.state === "closing") return TIMEOUTS.tcp[flags.includes("R") ? "rst" : "fin"];
  return TIMEOUTS.tcp[flow.state];
}

/** Connection tracking as a list that is looked through from its start. */
export class FlowOracle {
  #flows: OracleFlow[] = [];

  constructor(readonly room: number) {}

  live(now: number): readonly OracleFlow[] {
    this.#flows = this.#flows.filter(({ expires }) => expires > now);
    return this.#flows;
  }

  clear(): void {
    this.#flows = [];
  }

  find(tuple: Tuple, now: number): { readonly flow: OracleFlow; readonly direction: Direction } | undefined {
    for (const flow of this.live(now)) {
      if (same(flow.original, tuple)) return { flow, direction: "original" };
      if (same(flow.reply, tuple)) return { flow, direction: "reply" };
    }
    return undefined;
  }

  forget(flow: OracleFlow): void {
    this.#flows = this.#flows.filter((one) => one !== flow);
  }

  /** SYN alone opens, and in the middle of a connection ACK; UDP always. */
  opens(protocol: number, flags: string): boolean {
    const way = [...flags].filter((flag) => "SAFR".includes(flag)).join("");
    return protocol === 17 || way === "S" || way === "A";
  }

  /** `to` is the tuple as it leaves; undefined when the table is full. */
  open(original: Tuple, to: Tuple, flags: string, now: number): OracleFlow | undefined {
    if (this.live(now).length >= this.room) return undefined;
    const flow: OracleFlow = { original, reply: reverse(to), state: "new", expires: 0 };
    this.#flows.push(flow);
    this.advance(flow, "original", flags, now);
    return flow;
  }

  advance(flow: OracleFlow, direction: Direction, flags: string, now: number): void {
    if (flow.state === "new" && direction === "reply") flow.state = "established";
    if (flow.original.protocol === 6 && /[FR]/.test(flags)) flow.state = "closing";
    flow.expires = now + timeout(flow, flags);
  }
}

import type { Ip } from "../net/ip.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { printDotted, printEnd, printNames, printProtocolNumber } from "./addresses.js";
import type { EventName } from "./codes.js";
import { tellFlow, tellNew } from "./connections.js";
import { tellFragment, tellWhole } from "./fragments.js";
import { tellHook } from "./hooks.js";
import { tellDecap, tellEncap, tellRoute, tellVerdict } from "./leaving.js";
import { tellLed } from "./led.js";
import type { Numbering } from "./numbering.js";
import { firstEnd, secondEnd, type TraceRecord } from "./record.js";
import { tellSession } from "./session-states.js";
import type { Stage, Step } from "./step.js";

export type { Stage, Step } from "./step.js";

/** Addresses and ports as the packet has them at one point of its way. */
interface Tuple {
  readonly src: Ip;
  readonly dst: Ip;
  /** src << 16 | dst */
  readonly ports: number;
}

/** Of a PARSE or TRANSLATE record. */
function tupleOf(record: TraceRecord): Tuple {
  return { src: firstEnd(record, record.a), dst: secondEnd(record, record.b), ports: record.c };
}

const NO_REAL_SERVER = 0xffffffff;

/** One packet's records, told in their order, but for what `traceSteps` says. */
class Story {
  #frame: Tuple = { src: 0, dst: 0, ports: 0 };
  #protocol = 0;
  #end = "";
  #cause: string | undefined;
  #walk: TraceRecord[] = [];
  #masquerades = false;

  constructor(
    readonly records: readonly TraceRecord[],
    readonly numbering: Numbering,
    readonly ruleset: Ruleset,
  ) {}

  readonly #tellers: Readonly<Record<EventName, (record: TraceRecord) => readonly Step[]>> = {
    FRAGMENT: (record) => [tellFragment(record)],
    WHOLE: (record) => [tellWhole(record)],
    PARSE: (record) => [this.#parse(record)],
    DECAP: (record) => [tellDecap(record, this.numbering)],
    NEW: (record) => [tellNew(record, this.#protocol)],
    FLOW: (record) => [tellFlow(record)],
    RULE: (record) => this.#walked(record),
    VMAP: (record) => this.#walked(record),
    NUMGEN: (record) => this.#walked(record),
    DNAT: (record) => this.#walked(record),
    HOOK: (record) => this.#hook(record),
    IPVS: (record) => [this.#ipvs(record)],
    ROUTE: (record) => this.#route(record),
    MASQUERADE: () => this.#masquerade(),
    OPEN: () => [],
    DRAW: () => [],
    SESSION: (record) => [tellSession(record)],
    LED: (record) => [tellLed(record)],
    TRANSLATE: (record) => this.#source(record),
    ENCAP: (record) => [tellEncap(record)],
    VERDICT: (record) => [this.#verdict(record)],
  };

  tell(): Step[] {
    return this.records.flatMap((record) => this.#tellers[record.event](record));
  }

  #parse(record: TraceRecord): Step {
    const { d: protocol, e: octets } = record;
    const { src, dst, ports } = tupleOf(record);
    this.#frame = { src, dst, ports };
    this.#protocol = protocol;
    this.#end = this.#dst(this.#frame);
    const [from, to] = [printDotted(src, ports >>> 16, protocol), printDotted(dst, ports & 0xffff, protocol)];
    const name = printProtocolNumber(protocol);
    const text = `${from} > ${to}: ${name}, ${octets} octets${printNames(this.ruleset, src, dst)}`;
    return { stage: "parse", text, src: this.#src(this.#frame), dst: this.#end, protocol: name, octets };
  }

  #src({ src, ports }: Tuple): string {
    return printEnd(src, ports >>> 16, this.#protocol);
  }

  #dst({ dst, ports }: Tuple): string {
    return printEnd(dst, ports & 0xffff, this.#protocol);
  }

  /** The records of a walk wait for the HOOK record that ends it. */
  #walked(record: TraceRecord): readonly Step[] {
    this.#walk.push(record);
    return [];
  }

  #hook(record: TraceRecord): readonly Step[] {
    const { steps, cause } = tellHook(this.#walk, record, this.numbering, this.ruleset);
    this.#walk = [];
    this.#cause = cause;
    return steps;
  }

  #ipvs(record: TraceRecord): Step {
    const { a, b, c, d, e } = record;
    const server = this.numbering.servers[a];
    const flags = server?.flags === undefined ? "" : ` (${server.flags.join(",")})`;
    const scheduler = `${server?.scheduler ?? ""}${flags}`;
    const service = server?.origin ?? "";
    const name = service === "" ? this.#end : `${service} ${this.#end}`;
    const facts = service === "" ? {} : { service };
    if (b === NO_REAL_SERVER) {
      const lacks = (server?.servers.length ?? 0) === 0 ? "has no endpoints" : "has no server that takes it";
      this.#cause = `${service === "" ? this.#end : service} ${lacks}`;
      return { stage: "ipvs", text: `${name}, ${scheduler}: no real server`, ...facts };
    }
    const dst = printEnd(firstEnd(record, c), d, this.#protocol);
    const how = e === 0 ? scheduler : "as before";
    return { stage: "ipvs", text: `${name}, ${how} → ${dst}`, dst, ...facts };
  }

  /** Only the last look-up leads anywhere; before it the packet has its new destination. */
  #route(record: TraceRecord): readonly Step[] {
    if (this.records.findLast(({ event }) => event === "ROUTE") !== record) return [];
    return [...this.#destination(), tellRoute(record, this.numbering, this.ruleset)];
  }

  #translated(): Tuple | undefined {
    const record = this.records.find(({ event }) => event === "TRANSLATE");
    return record === undefined ? undefined : tupleOf(record);
  }

  #destination(): readonly Step[] {
    const after = this.#translated();
    const before = this.#end;
    this.#end = after === undefined ? before : this.#dst(after);
    if (this.#end === before) return [];
    const text = `dst ${before} → ${this.#end}`;
    return [{ stage: "translate", text, dst: this.#end }];
  }

  #masquerade(): readonly Step[] {
    this.#masquerades = true;
    return [];
  }

  #source(record: TraceRecord): readonly Step[] {
    const [before, after] = [this.#src(this.#frame), this.#src(tupleOf(record))];
    if (before === after) return [];
    const stage: Stage = this.#masquerades ? "masquerade" : "translate";
    return [{ stage, text: `src ${before} → ${after}`, src: after }];
  }

  #verdict(record: TraceRecord): Step {
    return tellVerdict(record, this.numbering, this.ruleset, { cause: this.#cause, end: this.#end });
  }
}

/**
 * Turns one packet's trace records into its way in words. The order is that of its deeds with two exceptions: a
 * frame is rewritten once, as it leaves, but a new destination is told where it takes effect, before the route;
 * and of several route look-ups the last is told.
 */
export function traceSteps(records: readonly TraceRecord[], numbering: Numbering, ruleset: Ruleset): Step[] {
  return new Story(records, numbering, ruleset).tell();
}

/** Stages stand in a column of this width. */
const STAGE_WIDTH = 10;

/** One line a step: the stage, padded, and its text. */
export function printSteps(steps: readonly Step[]): string {
  return steps.map(({ stage, text }) => `${stage.padEnd(STAGE_WIDTH)} ${text}`.trimEnd()).join("\n");
}

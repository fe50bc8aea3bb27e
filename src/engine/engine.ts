import { IMAGE_TAIL } from "../../assembly/abi/image.js";
import { expectOptions } from "../arguments.js";
import type { Outcome } from "../explore/outcome.js";
import type { RulesetChange } from "../ruleset/change.js";
import type { Connection } from "../ruleset/connections.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import type { Numbering } from "../trace/numbering.js";
import { printSteps } from "../trace/steps.js";
import { changeAlone } from "./alone.js";
import {
  expectChoices,
  expectFlag,
  expectFrame,
  expectInteger,
  expectNow,
  stateOptionsOf,
} from "./arguments.js";
import { Batch, type BatchOptions } from "./batch.js";
import { closeConnections, readConnections } from "./connections.js";
import { Explorer } from "./explorer.js";
import { writeImageFile } from "./file.js";
import type { ImageStore } from "./image.js";
import { type IpvsCounters, readCounters } from "./ipvs-counters.js";
import { type IpvsConnection, readSessions } from "./ipvs-sessions.js";
import type { LiveRuleset } from "./live/ruleset.js";
import { type EngineParts, loadParts } from "./load.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import { tableOctets } from "./octets.js";
import type { EngineOptions, ExploreOptions, FollowOptions, TableOctets, Trace } from "./options.js";
import type { StateStore } from "./state.js";
import { Tracer } from "./tracer.js";
import type { MachineModule } from "./wasm.js";
import { interfaceBehind, namedInterface, routedTo } from "./way-in.js";
import { Workers } from "./workers.js";

const WORKERS_MAX = 64;

/** One node's machine: an image of its ruleset, and what runs packets through it. */
export class Engine {
  readonly machine: Machine;
  readonly memory: LinearMemory;
  readonly #tracer: Tracer;
  readonly #explorer: Explorer;
  readonly #live: LiveRuleset;
  readonly #image: ImageStore;
  readonly #state: StateStore;
  readonly #workers: Workers[] = [];
  readonly #module: MachineModule;
  readonly #options: EngineOptions;

  private constructor(parts: EngineParts) {
    this.#live = parts.live;
    this.machine = parts.machine;
    this.#tracer = new Tracer(parts.tracer, parts.memory);
    this.#explorer = new Explorer(parts.tracer, parts.memory);
    this.memory = parts.memory;
    this.#image = parts.image;
    this.#state = parts.state;
    this.#module = parts.module;
    this.#options = parts.options;
  }

  /**
   * Makes an engine from a ruleset, or from what `save` returned. InputError for an image that is cut, changed or
   * of another version; TypeError for a ruleset whose parts do not fit together; RangeError for options out of range, or
   * for more than memory holds.
   */
  static async load(source: Ruleset | Uint8Array, options: EngineOptions = {}): Promise<Engine> {
    return new Engine(await loadParts(source, options));
  }

  /** What the node's kernel holds now, as plain data: of routes that lead to one prefix one, and a warning of others. */
  get ruleset(): Ruleset {
    return this.#live.ruleset;
  }

  /** What the machine's numbers stand for now. */
  get numbering(): Numbering {
    return this.#live.numbering;
  }

  /**
   * Changes the ruleset while connections, schedulers and random state stay, whole or not at all: TypeError naming the
   * step that does not fit, RangeError where memory does not hold what it needs. Takes microseconds, in proportion to
   * what changes; the first change of a collection indexes it. Bursts of workers wait meanwhile.
   */
  apply(change: RulesetChange): void {
    const writes = this.#live.change(change, (needs) => {
      this.#image.makeRoom(needs);
      const own = this.#image.needsOfState(needs.clients);
      const servers = Math.max(needs.servers, own.servers);
      this.#state.reach({ ...own, servers, destinations: own.destinations + needs.destinations });
    });
    try {
      this.#alone((workers) => {
        for (const write of writes) {
          write(this.#image);
          this.#image.settle([this.state, ...workers]);
        }
      });
      this.#state.reach(this.#image.needsOfState(this.#live.notesClients));
    } catch (cause) {
      throw new Error("The change was written in part: make a new engine of its ruleset.", { cause });
    }
  }

  /** Address of the image in linear memory, for direct calls to the machine's exports. */
  get image(): number {
    return this.#image.address;
  }

  /** Address of the state (connections, scheduler positions, random state), for direct calls. */
  get state(): number {
    return this.#state.address;
  }

  /**
   * So many workers, each a thread with connections, schedulers and random state of its own over this engine's tables.
   * Where the host lacks SharedArrayBuffer they run in this thread, and `threads` is 0. Both directions of a connection
   * must be given to the same worker. RangeError for a count out of 1 … 64, or without room.
   */
  workers(count: number): Workers {
    expectInteger("count", count, 1, WORKERS_MAX);
    const { machine, memory } = this;
    const live = this.#live;
    const shared = {
      machine,
      module: this.#module,
      memory,
      image: () => this.image,
      needs: () => this.#image.needsOfState(live.notesClients),
    };
    const workers = Workers.start(shared, count, stateOptionsOf(this.#options));
    this.#workers.push(workers);
    return workers;
  }

  /** Puts a copy of the state into linear memory, for direct calls to run packets with: its address. */
  copyState(): number {
    const { octets } = this.#state;
    const address = this.memory.take(octets.length, "a copy of the state");
    this.memory.octets(address, octets.length).set(octets);
    return address;
  }

  /** Room for so many packets. RangeError when 2 GiB do not hold it beside what there is. */
  batch(capacity: number, options?: BatchOptions): Batch {
    return new Batch(this.machine, this.memory, capacity, options, this.numbering.interfaces.length);
  }

  /**
   * Runs the first `count` packets of a batch through the node; `now` is milliseconds, an earlier one counts as the
   * latest there was. TypeError for another engine's batch, RangeError for a count above the batch's capacity or a time below 0.
   */
  run(batch: Batch, now = 0, count: number = batch?.capacity): void {
    this.#expectOwn(batch);
    expectNow(now);
    expectInteger("count", count, 0, batch.capacity);
    this.machine.run(this.image, this.state, batch.address, count, now);
  }

  /**
   * Answers packet `index` of a batch, which the last run dropped or refused, as the node's kernel does: an ICMP error or
   * a TCP reset takes its place, frame and columns, with a verdict of its own. Returns whether it is sent: FORWARD, or LOCAL
   * where the node itself is told. TypeError for another engine's batch, RangeError for a slot that is not there.
   */
  answer(batch: Batch, index: number): boolean {
    this.#expectOwn(batch);
    const before = batch.verdict(index);
    if (before !== "DROP" && before !== "REJECT") return false;
    this.machine.answer(this.image, this.state, batch.address, index);
    const after = batch.verdict(index);
    return after === "FORWARD" || after === "LOCAL";
  }

  /** One packet's way in words. The engine's state moves on as for any packet. */
  trace(frame: Uint8Array, options: FollowOptions = {}): string {
    const { steps, answer } = this.follow(frame, options);
    return printSteps(answer === undefined ? steps : [...steps, answer.step]);
  }

  /** As `trace`, as data, with the frame that leaves, and with the answer to one that does not if asked for. */
  follow(frame: Uint8Array, options: FollowOptions = {}): Trace {
    expectFrame(frame);
    expectOptions(options, "engine.follow()");
    const { now = 0, answer = false, choices } = options;
    expectChoices(choices);
    expectNow(now);
    expectFlag("answer", answer);
    const arrival = { frame, in: this.interfaceNumber(frame, options.in), isAnswered: answer };
    return this.#tracer.follow({ image: this.image, state: this.state, now }, arrival, this, choices);
  }

  /**
   * All that may become of one packet from here on, each with its exact probability, as data, in the order of the rules; the engine's state stays as
   * it is. What a random choice or a scheduler's turn decides is tried one after another, from a copy of the state, so an
   * engine of fewer connections is asked faster. RangeError beyond `limit` ways, or 32,768 choices on one way.
   */
  explore(frame: Uint8Array, options: ExploreOptions = {}): readonly Outcome[] {
    expectFrame(frame);
    expectOptions(options, "engine.explore()");
    const arrival = { frame, in: this.interfaceNumber(frame, options.in) };
    return this.#explorer.explore(this.image, this.#state, arrival, options);
  }

  /** The number of the interface a frame comes in by (0: made on the node); RangeError for a name not there. */
  interfaceNumber(frame: Uint8Array, name?: string): number {
    if (name !== undefined) return namedInterface(this.numbering, name, this.ruleset.node);
    expectFrame(frame);
    return interfaceBehind(this.numbering, frame, (source) => routedTo(source, this));
  }

  /** Octets of the live tables, by kind. */
  octets(): TableOctets {
    return tableOctets(this.machine, this.image, this.#state.parts);
  }

  /** Live connections. */
  get connections(): number {
    return this.machine.flowsCount(this.state) >>> 0;
  }

  /**
   * The live connections, as `conntrack -L` lists them: each prints by `printConnection`. `now` is milliseconds, an earlier
   * one counts as the latest there was.
   */
  listConnections(now = 0): readonly Connection[] {
    expectNow(now);
    return readConnections(this.machine, this.memory, this.state, now);
  }

  /**
   * IPVS' own connections and templates, as `ipvsadm -Lnc` lists them, by number. What is over at `now` (milliseconds, an
   * earlier one counts as the latest there was) ends first, as by a run.
   */
  ipvsConnections(now = 0): readonly IpvsConnection[] {
    expectNow(now);
    this.machine.sessionsExpire(this.image, this.state, now);
    return readSessions(this.machine, this.memory, this.state);
  }

  /** What IPVS counts of destinations, by number, and of all connections, as `ipvsadm -Ln --stats` does; `now` as above. */
  ipvsCounters(now = 0): IpvsCounters {
    expectNow(now);
    this.machine.sessionsExpire(this.image, this.state, now);
    return readCounters(this);
  }

  /** Forgets every connection of IPVS'. */
  clearIpvsConnections(): void {
    this.machine.sessionsClear(this.image, this.state);
  }

  /** Forgets connections that were listed and still live, as `conntrack -D` does. */
  closeConnections(connections: Iterable<Connection>): void {
    closeConnections(this.machine, this.state, connections);
  }

  /** Forgets every connection, of IPVS' too. */
  clearConnections(): void {
    this.machine.flowsClear(this.state);
    this.clearIpvsConnections();
  }

  /**
   * Everything, as octets that `Engine.load` takes: tables, scheduler and random state and, unless told not to,
   * connections. Equal states give equal octets.
   */
  save(options: { readonly flows?: boolean } = {}): Uint8Array {
    expectOptions(options, "engine.save()");
    const image = this.memory.copyOf(this.#image.octets, (address, length) =>
      // Equal engines give equal octets, however much room each image was given.
      this.machine.imageResize(address, length + IMAGE_TAIL),
    );
    const state = this.memory.copyOf(this.#state.octets, (address) => {
      if (options.flows !== false) return;
      this.machine.sessionsClear(this.image, address);
      this.machine.flowsClear(address);
    });
    return writeImageFile({ image, state, ruleset: this.ruleset, numbers: this.#live.numbers });
  }

  #expectOwn(batch: Batch): void {
    if (!(batch instanceof Batch) || !batch.isIn(this.memory)) {
      throw new TypeError("The batch is not one of this engine's: make it with this engine's batch().");
    }
    batch.expectFree();
  }

  /** Changes the image while no worker's burst is under way, given their states: others wait for microseconds. */
  #alone(change: (workers: readonly number[]) => void): void {
    const states = this.#workers.flatMap((workers) => workers.states);
    const place = { machine: this.machine, memory: this.memory, image: () => this.image };
    changeAlone(place, states, () => change(states));
  }
}

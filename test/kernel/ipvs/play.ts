import { release } from "node:os";
import { parseIpvs, printIpvs } from "../../../src/ruleset/ipvs-save.js";
import { isFromOtherPort } from "./changed-port.js";
import { Conversation } from "./conversation.js";
import {
  type Answer,
  feedOrder,
  frameOrder,
  newsOrder,
  type Player,
  readOrder,
  restoreOrder,
  waitOrder,
} from "./player.js";
import { STATISTICS_MS } from "./prompt.js";
import type { RecordedListing, Recording } from "./recording.js";
import { printChange, type Scenario, type Step, type Talk } from "./scenario.js";
import { CLIENTS, MAC_OF, SERVERS, type Stand } from "./stand.js";
import { isTraffic, recorded, Tape } from "./tape.js";

const SERVERS_FILE = "/proc/net/ip_vs";
const CONNECTIONS_FILE = "/proc/net/ip_vs_conn";
/** What the kernel forgets "now" it forgets some ticks of ten milliseconds later. */
const SETTLING_MS = 40;
const TICK_MS = 12;
const SETTLING_TRIES = 4;
/** A stack puts off what it need not say at once by 40 ms. */
const ACK_MS = 45;
const AT_ONCE = 64;

const EXPIRES = "net.ipv4.vs.expire_nodest_conn";

/** Whether a packet may begin a connection, in the place of one that ended too. */
const isOpening = (what: string) => what.includes("S") || what === "init";

type Say = Step & { readonly do: "say" };

/** A packet that is about to be sent. */
interface Sending {
  readonly step: number;
  readonly talk: number;
  readonly way: string;
  readonly frame: Uint8Array;
}

/** Something that is told to end has not yet: its time is over. */
const isGoing = ({ lines }: Answer, port = "") =>
  lines.some((line) => line.endsWith(" 0") && (port === "" || line.split(/ +/)[2] === port));

class Playing {
  readonly tape: Tape;
  readonly #player: Player;
  readonly #sockets: Player | undefined;
  readonly #scenario: Scenario;
  readonly #conversations: readonly Conversation[];
  readonly #opened = new Set<number>();
  readonly #strayed = new Set<number>();
  #sendings: Sending[] = [];

  constructor({ player, sockets }: Stand, scenario: Scenario) {
    this.#player = player;
    this.#sockets = sockets;
    this.#scenario = scenario;
    this.#conversations = scenario.talks.map((talk) => new Conversation(talk));
    this.tape = new Tape(scenario);
  }

  /** To the end, or as far as it goes. */
  async play(): Promise<void> {
    for (const [index, step] of this.#scenario.steps.entries()) {
      if (step.do === "say") await this.#say(index, step);
      else {
        await this.#flush();
        if (this.tape.cut === undefined) await this.#do(index, step);
      }
      if (this.tape.cut !== undefined) return;
    }
    await this.#flush();
  }

  async #do(index: number, step: Exclude<Step, Say>): Promise<void> {
    if (step.do === "act") return this.#act(index, step);
    if (step.do === "change") return this.#change(index, step);
    if (step.do === "look") return this.#look(index);
    const [before, after] = await this.#player.order(waitOrder(0), waitOrder(step.milliseconds));
    const took = (after?.at ?? 0) - (before?.at ?? 0);
    this.tape.waited(index, step.milliseconds, took);
  }

  /** Packets are sent together, but for one that answers another. */
  async #say(step: number, { talk, from, what }: Say): Promise<void> {
    const conversation = this.#conversations[talk];
    const answers = from === "server" && this.#sendings.some((sending) => sending.talk === talk);
    if (answers || this.#sendings.length === AT_ONCE) await this.#flush();
    if (this.#strayed.has(talk)) return;
    const way = from === "client" ? CLIENTS : SERVERS;
    const frame = conversation?.say(from, what, MAC_OF[way] ?? 0);
    if (frame === undefined) return;
    const isAgain = isOpening(what) && this.#opened.has(talk);
    this.#opened.add(talk);
    if (isAgain) await this.#flush();
    this.#sendings.push({ step, talk, way, frame });
    if (isAgain) await this.#flush(talk);
  }

  /** `again`: the talk that the one packet there is may begin anew. */
  async #flush(again?: number): Promise<void> {
    const sendings = this.#sendings;
    this.#sendings = [];
    if (sendings.length === 0) return;
    const frames = sendings.map(({ way, frame }) => frameOrder(way, frame));
    if (again === undefined) {
      const answers = await this.#player.order(
        ...frames.flatMap((order) => [order, newsOrder(SERVERS_FILE)]),
      );
      for (const [index, sending] of sendings.entries())
        this.#note(sending, answers[2 * index] as Answer, answers[2 * index + 1] as Answer);
      return;
    }
    const [sent] = (await this.#player.order(...frames)) as [Answer];
    await this.#settle(again);
    const [read] = (await this.#player.order(newsOrder(SERVERS_FILE))) as [Answer];
    // What was to go has gone by the tick after the packet.
    this.#note(sendings[0] as Sending, sent, read, 1);
  }

  /** Waits until the kernel has forgotten a connection of a talk that is to go at once. */
  async #settle(talk: number): Promise<void> {
    const port = this.#scenario.talks[talk]?.clientPort.toString(16).toUpperCase().padStart(4, "0");
    for (let tried = 0; tried < SETTLING_TRIES; tried++) {
      const [read] = (await this.#player.order(readOrder(CONNECTIONS_FILE))) as [Answer];
      if (!isGoing(read, port)) return;
      await this.#player.order(waitOrder(TICK_MS));
    }
  }

  #note({ step, talk, way, frame }: Sending, sent: Answer, read: Answer, after = 0): void {
    const out = sent.seen.filter((seen) => seen.direction === "out" && isTraffic(seen));
    const toServers = out.filter((one) => one.way === SERVERS);
    // What comes in a tunnel no socket hears.
    for (const one of toServers)
      if (one.frame.length <= frame.length) this.#conversations[talk]?.hear(one.frame);
    for (const one of out) if (one.way === CLIENTS) this.#conversations[talk]?.hearAnswer(one.frame);
    // A port that the kernel has drawn no machine can draw: the talk is over.
    if (way === CLIENTS && toServers.some((one) => isFromOtherPort(one.frame, frame)))
      this.#strayed.add(talk);
    const packet = recorded({ way, frame });
    this.tape.happen({ do: "packet", step, at: sent.at, packet, out: out.map(recorded) });
    this.tape.see(read, after);
  }

  /** What a socket does makes packets, some at once and some a moment later. */
  async #act(step: number, { talk, from, what }: Step & { readonly do: "act" }): Promise<void> {
    const { protocol, client, clientPort, address, port } = this.#scenario.talks[talk] as Talk;
    const ends = [client, clientPort, address, port].join(" ");
    await this.#sockets?.order(
      what === "open" ? `open ${talk} ${protocol.toLowerCase()} ${ends}\n` : `${what} ${talk} ${from}\n`,
    );
    await this.#seeUndisturbed(step);
  }

  /** Gives orders until no packet of a socket's comes between; what was told before counts as well. */
  async #undisturbed(step: number, ...orders: readonly string[]): Promise<readonly Answer[]> {
    let told: readonly Answer[] = [];
    for (let going = 0; ; ) {
      const [before, ...answers] = (await this.#player.order(waitOrder(0), ...orders)) as [Answer];
      told = answers.map((answer: Answer, index) =>
        answer.lines.length > 0 ? answer : { ...answer, lines: told[index]?.lines ?? [] },
      );
      if (this.#sockets === undefined) return told;
      const late = answers.flatMap(({ seen }: Answer) => seen.filter(isTraffic));
      this.tape.note(step, before.at, [...before.seen, ...late]);
      const isUnsettled = going < SETTLING_TRIES && answers.some((answer) => isGoing(answer));
      if (late.length === 0 && !isUnsettled) return told;
      if (!isUnsettled) continue;
      going++;
      const [tick] = (await this.#player.order(waitOrder(TICK_MS))) as [Answer];
      this.tape.note(step, tick.at, tick.seen);
    }
  }

  /** /proc/net/ip_vs, as the last packet or change has left it. */
  async #seeUndisturbed(step: number): Promise<void> {
    if (this.#sockets === undefined) {
      this.tape.see(((await this.#player.order(newsOrder(SERVERS_FILE))) as [Answer])[0]);
      return;
    }
    const orders = [readOrder(CONNECTIONS_FILE), newsOrder(SERVERS_FILE)];
    const [, read] = (await this.#undisturbed(step, ...orders)) as [Answer, Answer];
    // What was to go has gone by then, too.
    this.tape.see(read, 1);
  }

  async #change(step: number, { changes, pause = 0 }: Step & { readonly do: "change" }): Promise<void> {
    const lines = changes.map((change) => `${printChange(change)}\n`).join("");
    // What is there at the beginning the project prints as ipvsadm-save would.
    const text = step === 0 ? printIpvs(parseIpvs(lines, "the beginning")) : lines;
    const removes = changes.some((change) => change.do === "remove" || change.do === "removeServer");
    const settling = removes && this.#scenario.sysctls[EXPIRES] === 1 ? SETTLING_MS : 0;
    if (this.#sockets !== undefined) await this.#undisturbed(step, waitOrder(ACK_MS));
    const orders = [waitOrder(pause), restoreOrder(text), waitOrder(settling)];
    const [paused, fed, settled] = (await this.#player.order(...orders)) as [Answer, Answer, Answer];
    if (this.#sockets !== undefined) this.tape.note(step, paused.at, paused.seen);
    // Whether it came before the change or behind it, or before what that makes the kernel forget, nobody knows.
    if ([fed, ...(settling > 0 ? [settled] : [])].some(({ seen }) => seen.some(isTraffic)))
      this.tape.end(`a packet came while step ${step} changed something`);
    this.tape.happen({ do: "change", step, at: settled.at, said: fed.lines });
    if (this.#sockets !== undefined) this.tape.note(step, settled.at, settled.seen);
    await this.#seeUndisturbed(step);
  }

  async #look(step: number): Promise<void> {
    const orders = [readOrder(CONNECTIONS_FILE), newsOrder(SERVERS_FILE)];
    const [seen, read] = (await this.#undisturbed(step, ...orders)) as [Answer, Answer];
    this.tape.happen({ do: "look", step, at: seen.at, connections: seen.lines });
    this.tape.see(read);
  }

  async #list(option: RecordedListing["option"]): Promise<RecordedListing> {
    const [said] = await this.#player.order(feedOrder(["ipvsadm", "-L", "-n", `--${option}`]));
    return { option, lines: said?.lines ?? [], at: this.tape.timeOf(said?.at ?? 0) };
  }

  /** Statistics are waited for where a scenario asks for them; what was cut short has no end. */
  async listings(): Promise<RecordedListing[]> {
    if (this.tape.cut !== undefined) return [];
    const listings = [await this.#list("thresholds"), await this.#list("persistent-conn")];
    if (listings.some(({ at }) => this.tape.isLate(at))) {
      this.tape.end("its end came too late");
      return [];
    }
    if (this.#scenario.hasStatistics !== true) return listings;
    await this.#player.order(waitOrder(STATISTICS_MS));
    return [...listings, await this.#list("stats")];
  }
}

/** Plays a scenario on a stand that is ready for it. */
export async function play(scenario: Scenario, stand: Stand): Promise<Recording> {
  const playing = new Playing(stand, scenario);
  await playing.play();
  const listings = await playing.listings();
  // Of other namespaces' virtual servers a kernel tells nothing in /proc, but it counts them, and leaves out some of one's own.
  await stand.player.order(restoreOrder("-C\n"));
  const { happenings, cut } = playing.tape;
  return { kernel: release(), scenario, happenings, listings, ...(cut === undefined ? {} : { cut }) };
}

import { Dice } from "../judge/dice.js";
import { ChangingService } from "./draw-changes.js";
import { drawService, FTP, familyOf, SCHEDULERS, socketService, timedService } from "./draw-services.js";
import { drawDeeds, drawLines } from "./programme.js";
import { SCHEDULES_ERRORS, STATISTICS_MS } from "./prompt.js";
import { type Change, type Scenario, type Service, type Step, serviceWords, type Talk } from "./scenario.js";

const SERVICES = 4;
/** Talks that are held at once, at most. */
const AT_ONCE = 24;

/** Ports that are called where a service has more than one: those of an address, and of FTP's data. */
const PORTS = [80, 443, 8_443];
const FTP_PORTS = [21, 21, 20, 1_024, 8_443];

/** Shares of a hundred steps. */
const CHANGES = 1.8;
const LOOKS = 0.4;

const VS = "net.ipv4.vs";
/** Of TCP, TCP after a FIN, and UDP; templates of TCP live for two seconds, those of UDP for four. */
const SHORT_TIMEOUTS = [4, 4, 2] as const;
/** Two seconds and what the kernel's timers are late end in it, four seconds in the next one. */
const WAIT_MS = 2_300;
const WAITS = 3;
/** One of so many scenarios lists them, which takes time. */
const STATISTICS = 4;
/** So often the kernel is waited for at most until it has added them up. */
const PAUSES = 3;
/** Between two waits. */
const TIMED_TALKS = 10;
/** Of SCTP, and of connections that errors begin, which are soon forgotten. */
const HASTY_TALKS = 80;

/** A talk under way. */
interface Held {
  readonly rest: (Step & { readonly do: "say" | "act" })[];
}

function drawSysctls(dice: Dice): Record<string, number> {
  return {
    [`${VS}.conntrack`]: dice.below(2),
    [`${VS}.expire_nodest_conn`]: dice.below(2),
    [`${VS}.expire_quiescent_template`]: dice.below(2),
    [`${VS}.conn_reuse_mode`]: dice.of([0, 1, 1, 2, 3]),
    [`${VS}.sloppy_tcp`]: dice.percent(10) ? 1 : 0,
    [`${VS}.sloppy_sctp`]: dice.percent(10) ? 1 : 0,
    [SCHEDULES_ERRORS]: dice.percent(15) ? 1 : 0,
    [`${VS}.nat_icmp_send`]: dice.percent(25) ? 1 : 0,
    // Always on, if it is.
    [`${VS}.secure_tcp`]: dice.percent(10) ? 3 : 0,
  };
}

/** Clients of a few networks, so that a netmask has something to mask. */
function drawClient(family: 4 | 6, dice: Dice): string {
  const [network, host] = [dice.below(3), 1 + dice.below(9)];
  const part = dice.below(4);
  return family === 4 ? `172.20.${network * 16 + part}.${host}` : `fd00:20:${network}:${part}::${host}`;
}

class ScenarioDraft {
  readonly talks: Talk[] = [];
  readonly steps: Step[] = [];
  readonly #dice: Dice;
  readonly #services: readonly ChangingService[];
  readonly #held: Held[] = [];
  readonly #used = new Set<string>();

  readonly #hasSockets: boolean;

  constructor(services: readonly ChangingService[], dice: Dice, hasSockets = false) {
    this.#dice = dice;
    this.#hasSockets = hasSockets;
    this.#services = services;
    this.steps.push({ do: "change", changes: services.flatMap((one) => one.begin(dice)) });
  }

  #drawTalk({ protocol, address, port, mark }: Service, family: 4 | 6): Talk {
    const dice = this.#dice;
    const ports = port === FTP ? FTP_PORTS : mark !== undefined || port === 0 ? PORTS : [port];
    return {
      // A mark's service takes all protocols.
      protocol: mark !== undefined ? dice.of(["TCP", "UDP", protocol] as const) : protocol,
      client: drawClient(family, dice),
      clientPort: 1_024 + dice.below(60_000),
      address,
      port: dice.of(ports),
    };
  }

  /** Begins a talk, unless such a one was. */
  open(): void {
    const { service } = this.#dice.of(this.#services);
    const talk = this.#drawTalk(service, familyOf(service));
    const key = JSON.stringify(talk);
    if (this.#used.has(key)) return;
    this.#used.add(key);
    this.#held.push({ rest: this.#drawRest(talk, this.talks.length) });
    this.talks.push(talk);
  }

  #drawRest(talk: Talk, number: number): Held["rest"] {
    if (this.#hasSockets) return drawDeeds(this.#dice).map((deed) => ({ do: "act", talk: number, ...deed }));
    return drawLines(talk, this.#dice).map((line) => ({ do: "say", talk: number, ...line }));
  }

  /** One of the talks goes on. */
  #goOn(): void {
    const at = this.#dice.below(this.#held.length);
    const { rest } = this.#held[at] as Held;
    this.steps.push(...rest.splice(0, 1));
    if (rest.length === 0) this.#held.splice(at, 1);
  }

  change(): void {
    const count = this.#dice.percent(70) ? 1 : 3;
    const changes = Array.from({ length: count }, () =>
      this.#dice.of(this.#services).change(this.#dice),
    ).flat();
    // A kernel forgets a removed server's connections a moment later: what comes next, comes then.
    for (let from = 0; from < changes.length; ) {
      const removal = changes.findIndex((change, index) => index >= from && change.do.startsWith("remove"));
      const to = removal < 0 ? changes.length : removal + 1;
      this.steps.push({ do: "change", changes: changes.slice(from, to) });
      from = to;
    }
  }

  #step(): void {
    if (this.#dice.percent(CHANGES)) this.change();
    else if (this.#dice.percent(LOOKS)) this.steps.push({ do: "look" });
    else this.#goOn();
  }

  /** Goes on until so many talks have begun, and to the end of all. */
  until(count: number): this {
    const room = 1 + this.#dice.below(AT_ONCE);
    while (this.talks.length < count || this.#held.length > 0) {
      if (this.talks.length < count && this.#held.length < room && this.#dice.percent(40)) this.open();
      else if (this.#held.length > 0) this.#step();
    }
    return this;
  }
}

function drawServices(
  index: number,
  suit: (service: Service) => Service,
  dice: Dice,
  onlyTranslates = false,
): ChangingService[] {
  const drawn: ChangingService[] = [];
  for (let place = 0; place < SERVICES; place++) {
    const scheduler = place === 0 ? (SCHEDULERS[index % SCHEDULERS.length] as string) : dice.of(SCHEDULERS);
    const service = drawService(scheduler, [index, place], dice, drawn.at(-1)?.service);
    drawn.push(new ChangingService(service, suit, dice, onlyTranslates));
  }
  return drawn;
}

const removalsOf = (step: Step) =>
  step.do === "change" ? step.changes.filter((change) => change.do.startsWith("remove")) : [];

/**
 * A service that comes again counts from 0 on, and so do its servers; but a kernel takes away what it had added up by then
 * (ip_vs_zero_stats), which it does every two seconds. Before whatever comes again is removed, those pass.
 */
function withPauses(steps: readonly Step[]): Step[] {
  const comesAgain = ({ service }: Change, from: number) =>
    steps.some(
      (step, at) =>
        at >= from &&
        removalsOf(step).some(
          (one) => one.do === "remove" && serviceWords(one.service) === serviceWords(service),
        ),
    );
  return steps.map((step, index) =>
    removalsOf(step).some((one) => comesAgain(one, index)) ? { ...step, pause: STATISTICS_MS } : step,
  );
}

const asIs = (service: Service) => service;

/**
 * A scenario of so many talks, or fewer, the same for equal seed and index; every scheduler takes its turn as the index
 * counts.
 */
export function drawScenario(seed: number, index: number, talks: number): Scenario {
  const dice = new Dice(seed * 1_000 + index);
  const sysctls = drawSysctls(dice);
  const services = drawServices(index, asIs, dice);
  const isHasty =
    sysctls[SCHEDULES_ERRORS] === 1 || services.some(({ service }) => service.protocol === "SCTP");
  const draft = new ScenarioDraft(services, dice).until(isHasty ? Math.min(talks, HASTY_TALKS) : talks);
  draft.steps.push({ do: "look" });
  const steps = withPauses(draft.steps);
  const pauses = steps.filter((step) => step.do === "change" && step.pause !== undefined).length;
  const hasStatistics = index % STATISTICS === 1 && pauses <= (isHasty ? 0 : PAUSES);
  const named = { name: `scenario ${index}`, seed, sysctls, talks: draft.talks };
  return hasStatistics ? { ...named, hasStatistics, steps } : { ...named, steps: draft.steps };
}

/** As `drawScenario`, where clients and servers are sockets. */
export function drawSocketScenario(seed: number, index: number, talks: number): Scenario {
  const dice = new Dice(seed * 1_000 + index);
  const sysctls = { ...drawSysctls(dice), [SCHEDULES_ERRORS]: 0 };
  const draft = new ScenarioDraft(drawServices(index, socketService, dice, true), dice, true).until(talks);
  draft.steps.push({ do: "look" });
  const name = `scenario ${index}, sockets`;
  return { name, seed, sysctls, hasSockets: true, talks: draft.talks, steps: draft.steps };
}

/** As `drawScenario`, with timeouts of seconds, and times in which nothing happens: few packets stand between two of them. */
export function drawTimedScenario(seed: number, index: number): Scenario {
  const dice = new Dice(seed * 1_000 + index);
  const sysctls = { ...drawSysctls(dice), [SCHEDULES_ERRORS]: 0 };
  const draft = new ScenarioDraft(drawServices(index, timedService, dice), dice);
  for (let wait = 0; wait < WAITS; wait++) {
    draft.until(draft.talks.length + TIMED_TALKS);
    draft.steps.push({ do: "look" }, { do: "wait", milliseconds: WAIT_MS }, { do: "look" });
  }
  draft.until(draft.talks.length + TIMED_TALKS).steps.push({ do: "look" });
  const { talks, steps } = draft;
  return { name: `scenario ${index}, timed`, seed, sysctls, timeouts: SHORT_TIMEOUTS, talks, steps };
}

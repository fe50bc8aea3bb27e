import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, Director, parseIptablesDump, type ServiceSettings, tcp, udp } from "../../src/index.js";
import { describePacket } from "../../src/packet/describe.js";
import { DirectorOracle, type Terms } from "../oracle/director.js";
import type { Sent, Sysctls } from "../oracle/ipvs.js";
import type { Real } from "../oracle/schedulers.js";
import { Tally } from "../tally.js";

const [TCP, UDP] = [6, 17];
/** What is sent to these bears the mark. */
const MARK = { mark: 7, family: 4 } as const;
const VIPS = [1, 2, 3, 4].map((number) => 0x0a600000 + number);
const RULES = "*mangle\n-A PREROUTING -d 10.96.0.0/24 -j MARK --set-mark 7\nCOMMIT\n";
const FIRST_REAL = 0x0af40001;

const SETTINGS: readonly ServiceSettings[] = [
  ...(["rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "dh", "lblc", "lblcr"] as const).map(
    (scheduler) => ({ scheduler }),
  ),
  { scheduler: "sh", flags: ["sh-fallback", "sh-port"] },
  { scheduler: "sh", flags: ["sh-port"] },
  { scheduler: "mh", flags: ["mh-fallback"] },
  { scheduler: "mh", flags: ["mh-port"] },
];

const MINUTE = 60_000;
const WAITS = [50, 50, 1_000, 3_500, 61_000, 2 * MINUTE, 16 * MINUTE, 25 * 60 * MINUTE];

const terms: fc.Arbitrary<Terms> = fc
  .record({
    weight: fc.constantFrom(0, 1, 1, 2, 3, 4, 100, 65_535),
    upper: fc.constantFrom(0, 0, 2, 4),
    lower: fc.constantFrom(0, 0, 2),
  })
  .map(({ weight, upper, lower }) => ({ weight, upper, lower: Math.min(lower, upper) }));
const which = fc.nat(40);

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      client: fc.nat(5),
      port: fc.integer({ min: 1024, max: 1040 }),
      vip: fc.nat(3),
      isTcp: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("ask" as const, "answer" as const),
      which,
      flags: fc.constantFrom("A", "A", "SA", "FA", "R", "S"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("add" as const), which, terms }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("edit" as const), which, terms }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("same" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("service" as const), which, persistence: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), after: fc.constantFrom(...WAITS) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const sysctls: fc.Arbitrary<Sysctls> = fc.record({
  expireNodest: fc.boolean(),
  expireQuiescent: fc.boolean(),
  reuseMode: fc.constantFrom(0, 1),
  isSecure: fc.constant(false),
  timeouts: fc.constant({ tcp: 0, fin: 0, udp: 0 }),
});

/** A director, and the lists that a person keeps of what is done to it. */
class Pair {
  readonly #director: Director;
  readonly #oracle: DirectorOracle;
  readonly #tally: Tally;
  readonly #batch: Batch;
  readonly #isTold: boolean;
  #limits = new Map<Real, Terms>();
  #settings: ServiceSettings;
  #now = 1_000;

  constructor(
    director: Director,
    settings: ServiceSettings,
    { sysctls, isTold }: { readonly sysctls: Sysctls; readonly isTold: boolean },
    tally: Tally,
  ) {
    this.#director = director;
    this.#batch = director.batch(1);
    this.#isTold = isTold;
    this.#settings = settings;
    this.#tally = tally;
    this.#oracle = new DirectorOracle(sysctls, nameOf(settings), serviceOf(settings));
    director.add({ ...MARK, ...settings });
    this.wait(0);
  }

  wait(after: number): void {
    this.#now += after;
    this.#oracle.sessions.advance(this.#now);
    this.#director.counters(MARK, this.#now);
  }

  take(one: Step): void {
    // What is over by the next packet is over before it is chosen whose that is.
    this.wait(1);
    if (one.kind === "wait") this.wait(one.after);
    else if (one.kind === "call") this.#call(one);
    else if ("flags" in one) this.#goOn(one);
    else if (one.kind === "service") this.#edit(one);
    else this.#change(one);
    this.compare();
  }

  #call({ client, port, vip, isTcp }: Extract<Step, { vip: number }>): void {
    const from = { address: `172.20.${client}.${client}`, port };
    const to = { address: `10.96.0.${1 + vip}`, port: 80 };
    this.#send({ protocol: isTcp ? TCP : UDP, from, to, flags: "S", chunk: 0 });
  }

  #goOn({ kind, which, flags }: Extract<Step, { flags: string }>): void {
    const open = this.#oracle.sessions.sessions.filter(({ isTemplate }) => !isTemplate);
    const session = open[which % Math.max(1, open.length)];
    if (session === undefined) return;
    const { protocol, client, virtual, real } = session;
    const [from, to] = kind === "ask" ? [client, virtual] : [real, client];
    this.#send({ protocol, from, to, flags, chunk: 0 });
  }

  #send(sent: Sent): void {
    const { protocol, from, to, flags } = sent;
    const ends = [from, to].map(({ address, port }) => `${address}:${port}`) as [string, string];
    const frame = protocol === TCP ? tcp(...ends, { flags }) : udp(...ends);
    const fate = this.#oracle.meet(sent);
    this.#tally.count(fate.kind);
    const got = this.#sendFrame(frame);
    const name = ({ address, port }: { address: string; port: number }) => `${address}:${port}`;
    const expected = {
      request: () => "session" in fate && `${name(from)} > ${name(fate.session.real)}`,
      answer: () => "session" in fate && `${name(fate.session.virtual)} > ${name(to)}`,
      refused: () => "nowhere",
      dropped: () => "nowhere",
      ignored: () => "nowhere",
    }[fate.kind]();
    expect(got, JSON.stringify(sent)).toBe(expected);
  }

  /** By the machine, or by the one that tells what it does: it is to do the same. */
  #sendFrame(frame: Uint8Array): string {
    const { engine } = this.#director;
    if (this.#isTold) return wayOf(engine.follow(frame, { in: "eth0", now: this.#now }));
    this.#batch.set(0, frame, this.#director.uplink);
    this.#director.run(this.#batch, this.#now);
    return wayOf({ verdict: this.#batch.verdict(0), frame: this.#batch.frame(0) });
  }

  #edit({ which, persistence }: Extract<Step, { persistence: boolean }>): void {
    const other = SETTINGS[which % SETTINGS.length] as ServiceSettings;
    const settings = {
      ...(which % 3 === 0 ? other : bare(this.#settings)),
      ...(persistence && { persistence: 90 }),
    };
    if (settings.scheduler !== this.#settings.scheduler) this.#oracle.list.bind(nameOf(settings), this.#now);
    this.#oracle.list.scheduler = nameOf(settings);
    this.#oracle.service = serviceOf(settings);
    this.#settings = settings;
    this.#director.edit({ ...MARK, ...settings });
  }

  #change(one: Extract<Step, { kind: "add" | "edit" | "same" | "remove" }>): void {
    const { list } = this.#oracle;
    if (one.kind === "add") {
      const [address, port] = [FIRST_REAL + (one.which % 9), one.which % 2 === 0 ? 8080 : 0];
      if (list.find(address, port) !== undefined) return;
      this.#oracle.add(address, port, one.terms);
      const added = list.find(address, port) as Real;
      this.#limits.set(added, one.terms);
      this.#director.addServer(MARK, realOf(added, one.terms));
      return;
    }
    const there = list.oldestFirst;
    const real = there[one.which % Math.max(1, there.length)];
    if (real === undefined) return;
    if (one.kind === "remove") {
      this.#oracle.remove(real);
      this.#director.removeServer(MARK, real);
      this.wait(0);
      return;
    }
    const terms = one.kind === "edit" ? one.terms : (this.#limits.get(real) as Terms);
    this.#limits.set(real, terms);
    this.#oracle.edit(real, terms);
    this.#director.editServer(MARK, realOf(real, terms));
  }

  compare(): void {
    const expected = this.#oracle.list.oldestFirst.map((real) => {
      const { weight, active, inactive, persistent } = this.#oracle.serverOf(real);
      return { address: real.address, port: real.port, weight, active, inactive, persistent };
    });
    const counters = this.#director.counters(MARK, this.#now);
    const got = counters.map(({ address, port, weight, active, inactive, persistent }) => {
      return { address, port, weight, active, inactive, persistent };
    });
    expect(got).toEqual(expected);
  }
}

function wayOf({ verdict, frame }: { readonly verdict: string; readonly frame: Uint8Array }): string {
  if (verdict !== "FORWARD") return "nowhere";
  const { src, srcPort, dst, dstPort } = describePacket(frame);
  return `${src}:${srcPort} > ${dst}:${dstPort}`;
}

const bare = ({ persistence: _, ...settings }: ServiceSettings): ServiceSettings => settings;
const nameOf = ({ scheduler, flags = [] }: ServiceSettings) => ({ name: scheduler, flags });
const serviceOf = ({ persistence }: ServiceSettings) => {
  return { port: 0, mark: MARK.mark, persistence, isOnePacket: false, network: (client: string) => client };
};

function realOf({ address, port }: Real, { weight, upper, lower }: Terms) {
  const limits = { ...(upper > 0 && { upperThreshold: upper }), ...(lower > 0 && { lowerThreshold: lower }) };
  return { address, port, weight, ...limits };
}

const named = (given: Sysctls) => ({
  "net.ipv4.vs.expire_nodest_conn": Number(given.expireNodest),
  "net.ipv4.vs.expire_quiescent_template": Number(given.expireQuiescent),
  "net.ipv4.vs.conn_reuse_mode": given.reuseMode,
});

describe("a director", () => {
  it.each(SETTINGS.map((settings) => [`${settings.scheduler} ${settings.flags ?? ""}`, settings] as const))(
    "of scheduler %s does what the lists of a kernel's source say, whatever is changed and however time passes",
    async (_, settings) => {
      const tally = new Tally();
      const rules = parseIptablesDump(RULES, "marks");
      const steps = fc.array(step, { minLength: 40, maxLength: 90 });
      const property = fc.asyncProperty(sysctls, fc.boolean(), steps, async (given, isTold, all) => {
        const options = { sysctls: named(given), rules, localAddresses: VIPS, connections: 500 };
        const director = await Director.create(options);
        const pair = new Pair(director, settings, { sysctls: given, isTold }, tally);
        for (const one of all) pair.take(one);
      });
      await fc.assert(property, { numRuns: 12 });
      tally.expectEach(["request", "answer", "refused"]);
    },
    120_000,
  );
});

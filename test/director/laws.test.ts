import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Director,
  type RealServer,
  SCHEDULERS,
  type ServiceMatch,
  type ServiceSettings,
} from "../../src/index.js";
import { Clients } from "./clients.js";

const VIP = 0x0a600001;
const SERVICE = "10.96.0.1:80";
const MATCH = { protocol: "UDP", address: VIP, port: 80 } as const;
const FIRST_REAL = 0x0af40001;

const real = (index: number, weight: number): RealServer => ({
  address: FIRST_REAL + index,
  port: 8080,
  weight,
});
const nameOf = (index: number) => `10.244.0.${index + 1}:8080`;

async function directorOf(
  settings: ServiceSettings,
  weights: readonly number[],
  match: ServiceMatch = MATCH,
): Promise<{ readonly director: Director; readonly clients: Clients }> {
  const director = await Director.create();
  director.add({ ...match, ...settings, servers: weights.map((weight, index) => real(index, weight)) });
  return { director, clients: new Clients(director) };
}

const addressOf = (number: number) =>
  `172.${16 + ((number >>> 16) & 15)}.${(number >>> 8) & 255}.${number & 255}`;

/** Different clients, by the last 20 bits of their addresses. */
const drawnClients = (count: number) =>
  fc.uniqueArray(fc.nat({ max: 0xfffff }), { minLength: count, maxLength: count });

/** Connections of a client are told by their ports. */
const PORTS = [20_001, 30_002, 40_003] as const;

const RUNS = { numRuns: 10 };
const SOME_WEIGHTS = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe("laws of schedulers", () => {
  it("wrr: every round has each server as often as its weight says", async () => {
    const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
    await fc.assert(
      fc.asyncProperty(SOME_WEIGHTS, fc.integer({ min: 1, max: 5 }), async (shares, times) => {
        const weights = shares.map((share) => share * times);
        const { clients } = await directorOf({ scheduler: "wrr" }, weights);
        const divisor = weights.reduce(gcd, 0);
        const round = weights.reduce((sum, weight) => sum + weight, 0) / divisor;
        for (let turn = 0; turn < 3; turn++) {
          const counts = weights.map(() => 0);
          for (let index = 0; index < round; index++) {
            const chosen = clients.say(`172.16.${turn}.${index}:9`, SERVICE);
            const at = weights.findIndex((_, server) => nameOf(server) === chosen);
            counts[at] = (counts[at] ?? 0) + 1;
          }
          expect(counts).toEqual(weights.map((weight) => weight / divisor));
        }
      }),
      RUNS,
    );
  });

  it.each(["sh", "mh"] as const)("%s: a client's connections go to one server", async (scheduler) => {
    await fc.assert(
      fc.asyncProperty(SOME_WEIGHTS, drawnClients(30), async (weights, numbers) => {
        const { clients } = await directorOf({ scheduler }, weights);
        for (const address of numbers.map(addressOf)) {
          const chosen = PORTS.map((port) => clients.say(`${address}:${port}`, SERVICE));
          expect(new Set(chosen).size, address).toBe(1);
          expect(chosen[0]).not.toBeNull();
        }
      }),
      RUNS,
    );
  });

  it("mh: where one server leaves, hardly a client moves but its own", async () => {
    const CLIENTS = 400;
    /** Of the others: the table is drawn again, and some of its slots change hands. */
    const DISTURBED = 0.08;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 8 }), drawnClients(CLIENTS), async (count, numbers) => {
        const weights = Array.from({ length: count }, () => 1);
        const { director, clients } = await directorOf({ scheduler: "mh" }, weights);
        const choices = (port: number) =>
          numbers.map((number) => clients.say(`${addressOf(number)}:${port}`, SERVICE));
        const before = choices(PORTS[0]);
        director.removeServer(MATCH, real(0, 1));
        const after = choices(PORTS[1]);
        const stayed = before
          .map((chosen, index) => [chosen, after[index]])
          .filter(([one]) => one !== nameOf(0));
        const moved = stayed.filter(([one, other]) => one !== other).length;
        expect(moved).toBeLessThanOrEqual(stayed.length * DISTURBED);
        expect(after).not.toContain(nameOf(0));
        // Its own share is what each server has.
        expect(CLIENTS - stayed.length).toBeLessThan((2 * CLIENTS) / count);
      }),
      RUNS,
    );
  });

  it("lc: of connections that stay open no server has two more than another", async () => {
    const match = { ...MATCH, protocol: "TCP" } as const;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), drawnClients(25), async (count, numbers) => {
        const weights = Array.from({ length: count }, () => 1);
        const { director, clients } = await directorOf({ scheduler: "lc" }, weights, match);
        for (const number of numbers) {
          clients.open(`${addressOf(number)}:9`, SERVICE);
          const active = director.counters(match).map((server) => server.active);
          expect(Math.max(...active) - Math.min(...active)).toBeLessThanOrEqual(1);
        }
      }),
      RUNS,
    );
  });
});

describe("laws of persistence", () => {
  const kinds = SCHEDULERS.filter((scheduler) => scheduler !== "twos");

  it("clients of one network go to one server, whatever the scheduler", async () => {
    const networks = fc.uniqueArray(fc.nat({ max: 0xfff }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        SOME_WEIGHTS,
        networks,
        async (scheduler, weights, numbers) => {
          const settings = { scheduler, persistence: 300, netmask: 0xffffff00 };
          const { clients } = await directorOf(settings, weights);
          for (const network of numbers) {
            const chosen = [1, 77, 200].map((host) =>
              clients.say(`${addressOf(network * 256 + host)}:9`, SERVICE),
            );
            expect(new Set(chosen).size, scheduler).toBe(1);
          }
        },
      ),
      RUNS,
    );
  });

  it("each network takes one turn of rr", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), async (count) => {
        const weights = Array.from({ length: count }, () => 1);
        const { clients } = await directorOf(
          { scheduler: "rr", persistence: 300, netmask: 0xffffff00 },
          weights,
        );
        const chosen = weights.map((_, network) => {
          return [1, 2].map((host) => clients.say(`${addressOf(network * 256 + host)}:9`, SERVICE))[1];
        });
        expect(new Set(chosen).size).toBe(count);
      }),
      { numRuns: 6 },
    );
  });

  it("a client is forgotten when its time is over, and not before", async () => {
    const { clients } = await directorOf({ scheduler: "rr", persistence: 300 }, [1, 1]);
    const first = clients.say("172.16.0.1:9", SERVICE);
    clients.now = 299_000;
    expect(clients.say("172.16.0.1:10", SERVICE)).toBe(first);
    // The second connection began the time anew, and both are over before it is.
    clients.now = 299_000 + 299_000;
    expect(clients.say("172.16.0.1:11", SERVICE)).toBe(first);
    clients.now += 301_000;
    expect(clients.say("172.16.0.1:12", SERVICE)).not.toBe(first);
  });
});

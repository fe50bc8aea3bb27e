import { describe, expect, it } from "vitest";
import { Director, type RealServer, type Scheduler, udp } from "../../src/index.js";
import { describePacket } from "../../src/packet/describe.js";
import { Clients } from "./clients.js";

const WEB = { protocol: "UDP", address: 0xc633640a, port: 80 } as const;
const OTHER = { ...WEB, port: 81 };

const real = (number: number): RealServer => ({ address: 0x0a000000 + number, port: 8080, weight: 1 });

async function directorOf(scheduler: Scheduler, count: number): Promise<readonly [Director, Clients]> {
  const director = await Director.create();
  const servers = Array.from({ length: count }, (_, index) => real(index + 1));
  director.add({ ...WEB, scheduler, servers });
  return [director, new Clients(director)];
}

/** The last octets of the real servers that clients of these ports come to. */
const taken = (clients: Clients, ports: readonly number[]) =>
  ports.map((port) => clients.say(`203.0.113.9:${port}`, "198.51.100.10:80")?.replace(/^.*\.|:.*$/g, ""));

describe("what a change means to a scheduler", () => {
  it("wrr begins its round again where a real server is edited to what it is", async () => {
    const [director, clients] = await directorOf("wrr", 3);
    expect(taken(clients, [1001, 1002])).toEqual(["3", "2"]);
    director.editServer(WEB, real(1));
    expect(taken(clients, [1003, 1004, 1005])).toEqual(["3", "2", "1"]);
  });

  it("rr goes on where a real server is edited to what it is", async () => {
    const [director, clients] = await directorOf("rr", 3);
    expect(taken(clients, [1001, 1002])).toEqual(["3", "2"]);
    director.editServer(WEB, real(1));
    expect(taken(clients, [1003, 1004])).toEqual(["1", "3"]);
  });

  it("wrr goes on where the virtual server is edited to what it is", async () => {
    const [director, clients] = await directorOf("wrr", 2);
    expect(taken(clients, [1001])).toEqual(["2"]);
    director.edit({ ...WEB, scheduler: "wrr" });
    expect(taken(clients, [1002])).toEqual(["1"]);
  });

  it.each(["lblc", "lblcr"] as const)(
    "%s: what tells a packet's way does what the machine does",
    async (scheduler) => {
      const chosen = async (isTold: boolean) => {
        const [director, clients] = await directorOf(scheduler, 0);
        director.addServer(WEB, { ...real(1), upperThreshold: 1 });
        taken(clients, [1001]);
        director.addServer(WEB, real(2));
        if (!isTold) return taken(clients, [1002])[0];
        const { frame } = director.engine.follow(udp("203.0.113.9:1002", "198.51.100.10:80"), { in: "eth0" });
        return describePacket(frame).dst?.replace(/^.*\./, "");
      };
      // lblc alone keeps to what it has noted, overloaded or not.
      const expected = scheduler === "lblc" ? "1" : "2";
      expect([await chosen(false), await chosen(true)]).toEqual([expected, expected]);
    },
  );

  /** Every half hour of a service addresses that were not called for a day are forgotten. */
  it.each([
    ["lblc", 29, "2"],
    ["lblc", 31, "1"],
    ["lblcr", 29, "2"],
    ["lblcr", 31, "1"],
  ] as const)(
    "%s looks through what it has noted by its service's time: a day and %i minutes",
    async (...row) => {
      const [scheduler, minutes, expected] = row;
      const [director, clients] = await directorOf("rr", 0);
      const MINUTE = 60_000;
      const start = 1510 * MINUTE;
      const ask = (port: number, after: number) => {
        clients.now = start + after * MINUTE;
        return taken(clients, [port])[0];
      };
      director.add({ ...OTHER, scheduler: "rr" });
      ask(1000, 0);
      director.remove(WEB);
      director.add({ ...WEB, scheduler, servers: [real(1), real(2)] });
      expect(ask(1001, 10)).toBe("2");
      // The newest now, where whoever is not noted goes.
      director.removeServer(WEB, real(1));
      director.addServer(WEB, real(1));
      expect(ask(1002, 24 * 60 + minutes)).toBe(expected);
    },
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import * as server from "../../assembly/abi/server.js";
import { tcp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import { BareNode } from "../bare-node.js";
import { Tally } from "../tally.js";

const VIP = "10.96.0.10";

type Server = readonly [address: string, port: number, weight: number];

async function nodeWith(servers: readonly Server[]): Promise<BareNode> {
  return (await BareNode.make({ connections: 256 }))
    .route("0.0.0.0/0", { kind: "direct", out: 2 })
    .route(`${VIP}/32`, { kind: "local" })
    .service(0, [VIP, 6, 80], servers);
}

/** Where so many new connections went, by server; "none" where they were refused. */
function picks(node: BareNode, count: number, firstPort = 40_000): string[] {
  return Array.from({ length: count }, (_, index) => {
    const { verdict, reason, frame } = node.one(tcp(`10.0.0.1:${firstPort + index}`, `${VIP}:80`));
    if (verdict === "REJECT") return reason === "NO_DESTINATION" ? "none" : reason;
    return / > ([0-9.]+)\.(\d+): /.exec(printPacket(frame))?.slice(1).join(":") ?? verdict;
  });
}

/** ip_vs_rr by inspection: after a server the next older one that has weight, after the oldest the newest. */
class RoundRobin {
  #servers: readonly Server[] = [];
  /** How many servers are older than the one last picked. */
  #older = 0;

  take(servers: readonly Server[]): this {
    this.#servers = servers;
    this.#older = Math.min(this.#older, servers.length);
    return this;
  }

  pick(): string {
    const order = [
      ...this.#servers.slice(0, this.#older).reverse(),
      ...this.#servers.slice(this.#older).reverse(),
    ];
    const [address, port] = order.find(([, , weight]) => weight > 0) ?? [];
    if (address === undefined) return "none";
    this.#older = this.#servers.findIndex((server) => server[0] === address);
    return `${address}:${port}`;
  }
}

const servers = fc
  .oneof(
    { weight: 4, arbitrary: fc.array(fc.constantFrom(0, 1, 1, 7), { maxLength: 9 }) },
    { weight: 1, arbitrary: fc.array(fc.constant(0), { maxLength: 9 }) },
  )
  .map((weights) => weights.map((weight, index): Server => [`10.244.1.${index + 2}`, 8080 + index, weight]));

describe("ring", () => {
  it("picks the newest first and goes on round robin, past servers of weight 0", async () => {
    expect(
      picks(
        await nodeWith([
          ["10.244.1.2", 80, 1],
          ["10.244.1.3", 80, 0],
          ["10.244.1.4", 80, 9],
        ]),
        4,
      ),
    ).toEqual(["10.244.1.4:80", "10.244.1.2:80", "10.244.1.4:80", "10.244.1.2:80"]);
  });

  it("picks what a list walked by hand picks, and goes on from there when the servers change", async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(servers, servers, fc.nat(20), async (before, after, count) => {
      const node = await nodeWith(before);
      const list = new RoundRobin().take(before);
      expect(picks(node, count)).toEqual(Array.from({ length: count }, () => list.pick()));
      node.service(0, [VIP, 6, 80], after);
      list.take(after);
      const rest = picks(node, 20, 50_000);
      expect(rest).toEqual(Array.from({ length: 20 }, () => list.pick()));
      tally.count(rest.includes("none") ? "refused" : "picked");
    });
    await fc.assert(property, { numRuns: 80 });
    tally.expectEach(["refused", "picked"]);
  });

  it("keeps the positions of virtual servers apart", async () => {
    const node = await nodeWith([
      ["10.244.1.2", 80, 1],
      ["10.244.1.3", 80, 1],
    ]);
    node.service(1, [VIP, 17, 80], [["10.244.1.9", 53, 1]]);
    expect(picks(node, 1)).toEqual(["10.244.1.3:80"]);
    expect(picks(node, 2, 50)).toEqual(["10.244.1.2:80", "10.244.1.3:80"]);
  });

  it("refuses schedulers that it does not have, and numbers out of range", async () => {
    const node = await nodeWith([]);
    const { machine, address } = node.image;
    const set = (scheduler: number, size = 0, count = 0, number = 0) =>
      node.image.withWords([number, count, scheduler, 0, 0, 0, 80, 0], (at) =>
        machine.serverSet(address, at, at, size),
      );
    const [port, fallback] = [server.SCHEDULER_FLAG_PORT, server.SCHEDULER_FLAG_FALLBACK];
    const refused: readonly (readonly [number, number?, number?])[] = [
      [server.SCHEDULER_TWOS + 1],
      [server.SCHEDULER_LC, 256],
      [server.SCHEDULER_NQ | fallback],
      [server.SCHEDULER_RR | port],
      [server.SCHEDULER_WRR, 256],
      [server.SCHEDULER_DH | fallback],
      [server.SCHEDULER_MAGLEV | port],
      [server.SCHEDULER_MH | (1 << 10)],
      // Slots that are no power of two, and for Maglev no prime either: a permutation would not reach them all.
      [server.SCHEDULER_SH, 251],
      [server.SCHEDULER_MH, 4095],
      [server.SCHEDULER_MH, 251 * 251],
      [server.SCHEDULER_MH, 1],
      [server.SCHEDULER_MH, 1 << 21],
      // More servers than slots, and than numbers.
      [server.SCHEDULER_MH, 251, 252],
      [server.SCHEDULER_SH, 256, 65535],
      [server.SCHEDULER_RR, 0, (1 << 20) + 1],
    ];
    for (const row of refused) expect(set(...row), String(row)).toBe(STATUS_BAD_ENTRY);
    expect(set(0, 0, 0, 1 << 22)).toBe(STATUS_BAD_ENTRY);
    expect(set(server.SCHEDULER_MH | port | fallback, 251)).toBe(STATUS_OK);
  });

  it("gives back the room of the servers and slots that it had", async () => {
    const node = await nodeWith([]);
    const many = Array.from({ length: 100 }, (_, index): Server => [`10.244.1.${index + 1}`, 80, 1]);
    const shapes = [
      {},
      { scheduler: server.SCHEDULER_MH },
      { scheduler: server.SCHEDULER_SH, size: 512 },
      { scheduler: server.SCHEDULER_MAGLEV, size: 251 },
      { scheduler: server.SCHEDULER_WRR },
    ];
    const change = (times: number) => {
      for (let at = 0; at < times; at++)
        node.service(0, [VIP, 6, 80], many.slice(at % 101), shapes[at % shapes.length]);
      return node.image.top;
    };
    const top = change(505);
    expect(change(1010)).toBe(top);
    node.service(0, [VIP, 6, 80], []);
    // The heads of the virtual servers, and what is known of those that left: 64 octets each, and their index.
    expect(node.image.octets(PART_SERVERS)).toBe(1024 + 256 * (64 + 4));
  });

  it("changes nothing where the image has no room", async () => {
    const node = await BareNode.make({ capacity: 1 << 16 });
    node.route("0.0.0.0/0", { kind: "direct" }).route(`${VIP}/32`, { kind: "local" });
    node.service(0, [VIP, 6, 80], [["10.244.1.2", 80, 1]], { scheduler: server.SCHEDULER_MH, size: 251 });
    const before = node.image.octets(PART_SERVERS);
    const big = { scheduler: server.SCHEDULER_MH, size: 65537 };
    expect(() => node.service(0, [VIP, 6, 80], [["10.244.1.3", 80, 1]], big)).toThrow(`${STATUS_NO_SPACE}`);
    expect(node.image.octets(PART_SERVERS)).toBe(before);
    expect(picks(node, 1)).toEqual(["10.244.1.2:80"]);
  });
});

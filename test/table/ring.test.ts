import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUS_BAD_ENTRY } from "../../assembly/abi/image.js";
import { tcp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import { BareNode } from "../bare-node.js";

const VIP = "10.96.0.10";

type Server = readonly [address: string, port: number, weight: number];

async function nodeWith(servers: readonly Server[]): Promise<BareNode> {
  return (await BareNode.make({ connections: 256 }))
    .route("0.0.0.0/0", { kind: "direct", out: 2 })
    .route(`${VIP}/32`, { kind: "local" })
    .service(0, [VIP, 6, 80], servers);
}

/** Where so many new connections went, by server; "none" where they were refused. */
function picks(node: BareNode, count: number, firstPort = 1): string[] {
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
  .array(fc.constantFrom(0, 1, 1, 7), { maxLength: 9 })
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
    let refused = 0;
    const property = fc.asyncProperty(servers, servers, fc.nat(20), async (before, after, count) => {
      const node = await nodeWith(before);
      const list = new RoundRobin().take(before);
      expect(picks(node, count)).toEqual(Array.from({ length: count }, () => list.pick()));
      node.service(0, [VIP, 6, 80], after);
      list.take(after);
      const rest = picks(node, 20, 1000);
      expect(rest).toEqual(Array.from({ length: 20 }, () => list.pick()));
      if (rest.includes("none")) refused++;
    });
    await fc.assert(property, { numRuns: 50 });
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(40);
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
    expect(machine.serverSet(address, 0, 1, 0, 0)).toBe(STATUS_BAD_ENTRY);
    expect(machine.serverSet(address, 1 << 22, 0, 0, 0)).toBe(STATUS_BAD_ENTRY);
  });

  it("gives back the room of the servers that it had", async () => {
    const node = await nodeWith([]);
    const many = Array.from({ length: 100 }, (_, index): Server => [`10.244.1.${index + 1}`, 80, 1]);
    node.service(0, [VIP, 6, 80], many);
    const change = (times: number) => {
      for (let at = 0; at < times; at++) node.service(0, [VIP, 6, 80], many.slice(at % 100));
      return node.image.top;
    };
    const top = change(200);
    expect(change(1000)).toBe(top);
  });
});

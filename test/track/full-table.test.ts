import { describe, expect, it } from "vitest";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { BareNode } from "../bare-node.js";
import { routerOf } from "./router.js";

const ROOM = 256;

function clientOf(index: number): string {
  return `10.0.${index >> 8}.${index & 255}:5000`;
}

function establish(node: BareNode, index: number, now = 0): void {
  const [client, server] = [clientOf(index), "192.0.2.1:80"];
  node.one(tcp(client, server), 1, now);
  node.one(tcp(server, client, { flags: "SA" }), 1, now);
  node.one(tcp(client, server, { flags: "A" }), 1, now);
}

const reasonOf = ({ verdict, reason }: { readonly verdict: string; readonly reason: string }) =>
  `${verdict} ${reason}`;

describe("a full table", () => {
  it("drops what would need another connection, even where that would be INVALID, and loses none", async () => {
    const node = await routerOf({ connections: ROOM });
    for (let index = 0; index < ROOM; index++) establish(node, index);
    expect(node.connections().every(({ isAssured }) => isAssured)).toBe(true);
    expect(reasonOf(node.one(udp(clientOf(999), "192.0.2.1:53")))).toBe("DROP FLOW_TABLE_FULL");
    expect(reasonOf(node.one(icmpEcho("10.0.9.1", "192.0.2.1")))).toBe("DROP FLOW_TABLE_FULL");
    expect(reasonOf(node.one(tcp(clientOf(999), "192.0.2.1:80", { flags: "R" })))).toBe(
      "DROP FLOW_TABLE_FULL",
    );
    // An answer to nothing has a tuple, too. What is known has its own room.
    expect(reasonOf(node.one(icmpEcho("10.0.9.1", "192.0.2.1", { reply: true })))).toBe(
      "DROP FLOW_TABLE_FULL",
    );
    expect(reasonOf(node.one(tcp(clientOf(7), "192.0.2.1:80", { flags: "PA" })))).toBe("FORWARD NONE");
    expect(node.connections().length).toBe(ROOM);
  });

  it("evicts connections that are not assured, and only those", async () => {
    const node = await routerOf({ connections: ROOM });
    for (let index = 0; index < ROOM / 2; index++) establish(node, index);
    let refused = 0;
    for (let index = 0; index < 4 * ROOM; index++) {
      const result = node.one(udp(clientOf(1000 + index), "192.0.2.1:53"));
      if (result.verdict !== "FORWARD") refused++;
      const list = node.connections();
      expect(list.length).toBeLessThanOrEqual(ROOM);
      expect(list.filter(({ isAssured }) => isAssured).length).toBe(ROOM / 2);
    }
    // Where eight buckets hold none of them, the packet goes.
    expect(refused).toBeLessThan(ROOM / 8);
  });

  it("takes the room of what has expired first", async () => {
    const node = await routerOf({ connections: 4 });
    for (let index = 0; index < 4; index++) node.one(udp(clientOf(index), "192.0.2.1:53"), 1, index * 10_000);
    node.one(udp(clientOf(9), "192.0.2.1:53"), 1, 30_000);
    expect(node.connections(30_000).map(({ original }) => original.src)).toEqual(
      expect.arrayContaining([1, 2, 3, 9].map((last) => 0x0a000000 + last)),
    );
  });

  it("has room for half as many of IPv6", async () => {
    const node = await routerOf({ connections: 8 });
    for (let index = 0; index < 20; index++) node.one(udp(`[fd00::${index}]:5000`, "[fd01::1]:53"));
    expect(node.connections().length).toBeLessThanOrEqual(4);
    expect(node.connections().length).toBeGreaterThan(0);
  });
});

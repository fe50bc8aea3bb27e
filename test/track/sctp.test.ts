import { describe, expect, it } from "vitest";
import { sctp } from "../../src/packet/build.js";
import type { BareNode } from "../bare-node.js";
import { routerOf } from "./router.js";

const [CLIENT, SERVER] = ["10.0.0.1:5000", "10.0.0.2:80"];
/** What each end asks for: the tag that packets to it carry. */
const [OF_CLIENT, OF_SERVER] = [0x11111111, 0x22222222];

function initOf(tag: number): Uint8Array {
  const octets = new Uint8Array(16);
  new DataView(octets.buffer).setUint32(0, tag);
  return octets;
}

type Chunk = NonNullable<Parameters<typeof sctp>[2]>["chunk"];

function client(node: BareNode, chunk: Chunk, tag: number, payload = initOf(OF_CLIENT), now = 0): boolean {
  return node.one(sctp(CLIENT, SERVER, { chunk, tag, payload } as object), 1, now).verdict === "FORWARD";
}

function server(node: BareNode, chunk: Chunk, tag: number, payload = initOf(OF_SERVER), now = 0): boolean {
  return node.one(sctp(SERVER, CLIENT, { chunk, tag, payload } as object), 1, now).verdict === "FORWARD";
}

const stateOf = (node: BareNode, now = 0) => node.connections(now)[0];

describe("SCTP", () => {
  it("goes from INIT to SHUTDOWN COMPLETE through netfilter's states", async () => {
    const node = await routerOf();
    const way = [
      [client, "INIT", 0, "CLOSED", 10, false],
      [server, "INIT ACK", OF_CLIENT, "COOKIE_WAIT", 3, false],
      [client, "COOKIE ECHO", OF_SERVER, "COOKIE_ECHOED", 3, false],
      [server, "COOKIE ACK", OF_CLIENT, "ESTABLISHED", 210, true],
      [client, "DATA", OF_SERVER, "ESTABLISHED", 210, true],
      [server, "SACK", OF_CLIENT, "ESTABLISHED", 210, true],
      [client, "SHUTDOWN", OF_SERVER, "SHUTDOWN_SENT", 3, true],
      [server, "SHUTDOWN ACK", OF_CLIENT, "SHUTDOWN_ACK_SENT", 3, true],
      [client, "SHUTDOWN COMPLETE", OF_SERVER, "CLOSED", 10, true],
    ] as const;
    for (const [send, chunk, tag, state, seconds, isAssured] of way) {
      expect([chunk, send(node, chunk, tag)]).toEqual([chunk, true]);
      expect(stateOf(node)).toMatchObject({ state, timeout: seconds * 1000, isAssured });
    }
  });

  it("is INVALID with another tag than the one that was asked for", async () => {
    const node = await routerOf();
    client(node, "INIT", 0);
    expect(server(node, "INIT ACK", OF_CLIENT + 1)).toBe(false);
    server(node, "INIT ACK", OF_CLIENT);
    expect(client(node, "COOKIE ECHO", OF_CLIENT)).toBe(false);
    client(node, "COOKIE ECHO", OF_SERVER);
    server(node, "COOKIE ACK", OF_CLIENT);
    expect(client(node, "DATA", OF_CLIENT)).toBe(false);
    expect(client(node, "ABORT", OF_CLIENT)).toBe(false);
    expect(stateOf(node)).toMatchObject({ state: "ESTABLISHED" });
    expect(client(node, "ABORT", OF_SERVER)).toBe(true);
    expect(stateOf(node)).toMatchObject({ state: "CLOSED" });
  });

  it.each(["DATA", "COOKIE ACK", "ABORT", "SHUTDOWN COMPLETE", "SACK"] as const)(
    "%s opens nothing",
    async (chunk) => {
      const node = await routerOf();
      expect(client(node, chunk, 1)).toBe(false);
      expect(node.connections()).toEqual([]);
    },
  );

  it("is not kept alive by an INIT that is sent again", async () => {
    const node = await routerOf();
    client(node, "INIT", 0);
    expect(client(node, "INIT", 0, initOf(OF_CLIENT), 9000)).toBe(true);
    expect(stateOf(node, 9000)).toMatchObject({ timeout: 1000 });
  });

  it("is known by heartbeats of another path", async () => {
    const node = await routerOf();
    expect(client(node, "HEARTBEAT", OF_SERVER)).toBe(true);
    expect(stateOf(node)).toMatchObject({ state: "HEARTBEAT_SENT", timeout: 30_000 });
    expect(server(node, "HEARTBEAT ACK", OF_CLIENT)).toBe(true);
    expect(stateOf(node)).toMatchObject({ state: "ESTABLISHED", isAssured: true });
    expect(client(node, "DATA", OF_SERVER)).toBe(true);
  });
});

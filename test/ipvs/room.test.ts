import { describe, expect, it } from "vitest";
import { STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import * as setting from "../../assembly/abi/setting.js";
import { wordsOf6 } from "../../src/engine/entries/words.js";
import { tcp, udp } from "../../src/packet/build.js";
import { ip6 } from "../bare-node.js";
import { IpvsNode } from "./ipvs-node.js";

const VIP = "10.96.0.10";
const VIP6 = "fd00::10";
const [TCP, UDP] = [6, 17];
const SERVERS = [
  { address: "10.244.1.1", port: 8080, weight: 1 },
  { address: "10.244.1.2", port: 8080, weight: 1 },
];

async function makeNode(sessions = 100, destinations = 4): Promise<IpvsNode> {
  return (await IpvsNode.make({ connections: 50, sessions, destinations }))
    .set(0, { port: 80, persistence: 60 }, SERVERS)
    .listen(0, VIP, TCP, 80)
    .listen(0, VIP, UDP, 80);
}

/** Sessions and counters, as text. */
function told(node: IpvsNode): string {
  return JSON.stringify([node.sessions, node.counters], (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

describe("IPVS' part of a state", () => {
  it("goes on as it was in a place with more room", async () => {
    const node = await makeNode();
    for (let client = 0; client < 20; client++) {
      node.one(tcp(`192.0.2.1:${1000 + client}`, `${VIP}:80`), client);
      node.one(udp(`192.0.2.${client}:1000`, `${VIP}:80`), client);
    }
    const before = told(node);
    const { machine, memory, state } = node.image;
    const length = machine.stateLength(50, 1000, 0, 30, 100, 5000, 1) >>> 0;
    const place = memory.take(length);
    memory.octets(place, node.image.stateLength).set(memory.octets(state, node.image.stateLength));
    expect(machine.stateReach(place, 1000, 30, 100, 5000, 1)).toBe(STATUS_OK);
    Object.assign(node.image, { state: place });
    expect([machine.stateServers(place), machine.stateClients(place), machine.stateSessions(place)]).toEqual([
      1000, 30, 100,
    ]);
    expect([machine.stateDestinations(place), machine.stateCaches(place), node.image.stateLength]).toEqual([
      5000,
      1,
      length,
    ]);
    expect(told(node)).toBe(before);
    expect(node.one(tcp(`192.0.2.1:1000`, `${VIP}:80`, { flags: "A" }), 30).verdict).toBe("FORWARD");
    expect(
      node.sessions.find(({ client, protocol }) => protocol === TCP && client.port === 1000)?.state,
    ).toBe("ESTABLISHED");
    node.wait(10 ** 9);
    expect(node.count).toBe(0);
  });

  it("is asked for where an image has more destinations than it has room for", async () => {
    const node = await makeNode(100, 2);
    node.one(tcp("192.0.2.1:1000", `${VIP}:80`), 0);
    node.set(1, { port: 81 }, SERVERS);
    const { machine, address, state } = node.image;
    expect(machine.imageDestinations(address)).toBe(4);
    expect(machine.run(address, state, 0, 0, 0)).toBe(STATUS_NO_SPACE);
    expect(machine.direct(address, state, 0, 0, 0)).toBe(STATUS_NO_SPACE);
  });

  it("drops first packets when it is full, and takes others as connections end", async () => {
    const node = await makeNode(3);
    const send = (client: number, now: number) =>
      node.one(udp(`192.0.2.1:${1000 + client}`, `${VIP}:80`), now);
    expect([0, 1].map((client) => send(client, client).verdict)).toEqual(["FORWARD", "FORWARD"]);
    expect(send(2, 2)).toMatchObject({ verdict: "DROP", reason: "FLOW_TABLE_FULL" });
    expect(send(0, 2).verdict).toBe("FORWARD");
    expect(send(2, 300_001).verdict).toBe("FORWARD");
  });

  it("is what it was before a packet that was only tried", async () => {
    for (const known of [0, 3]) {
      const node = await makeNode();
      for (let client = 0; client < known; client++) node.one(tcp(`192.0.2.1:${client + 1}`, `${VIP}:80`), 0);
      const { machine, memory, state } = node.image;
      const length = node.image.stateLength;
      const original = memory.take(length);
      memory.octets(original, length).set(memory.octets(state, length));
      const before = told(node);
      for (let round = 0; round < 3; round++) {
        node.one(tcp("198.51.100.1:1000", `${VIP}:80`), 10);
        node.one(udp("192.0.2.1:1", `${VIP}:80`), 20);
        machine.sessionsRestore(node.image.address, state, original);
        expect(told(node)).toBe(before);
      }
    }
  });

  it("is what it became, where its copy is made so anew", async () => {
    const node = await makeNode();
    const { machine, memory, state, address } = node.image;
    const length = node.image.stateLength;
    const copy = memory.take(length);
    const octets = (at: number) => memory.octets(at, length);
    octets(copy).set(octets(state));
    for (let round = 0; round < 8; round++) {
      const [sends, waits] = [round % 4 < 2, round % 4 !== 1];
      if (sends) node.one(udp(`192.0.2.1:${1000 + round}`, `${VIP}:80`), round * 400_000);
      if (waits) node.wait(round * 400_000 + 390_000);
      machine.stateRenew(copy, state);
      expect(Buffer.compare(octets(copy), octets(state))).toBe(0);
      expect(machine.sessionsCount(copy) > 0).toBe(!waits);
      machine.sessionsRestore(address, copy, state);
    }
  });

  it("takes conntrack's entry with a connection that ends, where vs/conntrack is set", async () => {
    for (const conntrack of [0, 1]) {
      const node = (await IpvsNode.make({ connections: 50 }))
        .settings({ [setting.SETTING_VS_CONNTRACK]: conntrack, [setting.SETTING_VS_TIMEOUT_UDP]: 10 })
        .set(0, { port: 80 }, [{ address: "fd01::1", port: 8080, weight: 1 }])
        .listen(0, VIP6, UDP, 80);
      const { machine, state } = node.image;
      const words = (address: string) => wordsOf6(ip6(address));
      const ports = 0x03e80050;
      const tuples = [
        ...[...words("2001:db8::1"), ...words(VIP6), ports, UDP],
        ...[...words("fd01::1"), ...words("2001:db8::1"), 0x1f9003e8, UDP],
      ];
      expect(node.image.withWords(tuples, (at) => machine.flow6Open(state, at, 0, 10 ** 6))).toBeGreaterThan(
        0,
      );
      node.one(udp("[2001:db8::1]:1000", `[${VIP6}]:80`), 0);
      node.wait(9999);
      expect([node.count, machine.flowsCount(state)]).toEqual([1, 1]);
      node.wait(10_000);
      expect([node.count, machine.flowsCount(state)]).toEqual([0, 1 - conntrack]);
    }
  });
});

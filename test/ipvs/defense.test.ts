import { describe, expect, it } from "vitest";
import * as setting from "../../assembly/abi/setting.js";
import { tcp, udp } from "../../src/packet/build.js";
import { IpvsNode, type VirtualServer } from "./ipvs-node.js";

const VIP = "10.96.0.10";
const [TCP, UDP] = [6, 17];
const SECOND = 1000;

async function makeNode(
  values: Readonly<Record<number, number>>,
  service: VirtualServer = { port: 80 },
): Promise<IpvsNode> {
  return (await IpvsNode.make({ connections: 4000 }))
    .settings(values)
    .set(0, service, [{ address: "10.244.1.1", port: 80, weight: 1 }])
    .listen(0, VIP, TCP, 80)
    .listen(0, VIP, UDP, 80);
}

const client = (index: number) => `192.0.2.1:${1000 + index}`;

describe("IPVS' defences", () => {
  it("drop_entry 3 drops a part of what is half open every second, and nothing that was established and speaks", async () => {
    const node = await makeNode({ [setting.SETTING_VS_DROP_ENTRY]: 3 });
    const [half, whole] = [1000, 200];
    for (let i = 0; i < half + whole; i++) node.one(tcp(client(i), `${VIP}:80`), 0);
    for (let i = half; i < half + whole; i++) node.one(tcp(client(i), `${VIP}:80`, { flags: "A" }), 0);
    node.wait(20 * SECOND);
    const left = node.sessions.filter(({ state }) => state === "SYN_RECV").length;
    // Twenty looks into a 32nd each: about 0.53 are left.
    expect(left).toBeGreaterThan(0.4 * half);
    expect(left).toBeLessThan(0.7 * half);
    expect(node.sessions.filter(({ state }) => state === "ESTABLISHED")).toHaveLength(whole);
    const [destination] = node.counters.destinations;
    expect([destination?.active, destination?.inactive]).toEqual([left + whole, 0]);
  });

  it.each([0, 1, 2])("drop_entry %i drops nothing, since there is memory", async (level) => {
    const node = await makeNode({ [setting.SETTING_VS_DROP_ENTRY]: level });
    for (let i = 0; i < 100; i++) node.one(tcp(client(i), `${VIP}:80`), 0);
    node.wait(59 * SECOND);
    expect(node.count).toBe(100);
  });

  it("drop_entry 3 takes a template that was never answered with its half-open connections", async () => {
    const node = await makeNode(
      { [setting.SETTING_VS_DROP_ENTRY]: 3 },
      { port: 80, persistence: 10_000, netmask: 0 },
    );
    for (let i = 0; i < 20; i++) node.one(tcp(client(i), `${VIP}:80`), 0);
    for (let second = 1; second <= 59; second++) node.wait(second * SECOND);
    node.wait(1000 * SECOND);
    expect(node.count).toBe(0);
    expect(node.counters.destinations[0]).toMatchObject({ active: 0, inactive: 0, persistent: 0 });
  });

  it("drop_packet 3 drops the first of ten packets that would be scheduled, by am_droprate", async () => {
    const node = await makeNode({ [setting.SETTING_VS_DROP_PACKET]: 3 });
    const verdicts = Array.from({ length: 30 }, (_, i) => node.one(udp(client(i), `${VIP}:80`), 0).verdict);
    expect(verdicts.map((verdict, i) => (verdict === "DROP" ? i : -1)).filter((i) => i >= 0)).toEqual([
      0, 10, 20,
    ]);
  });
});

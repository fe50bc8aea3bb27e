import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as setting from "../../assembly/abi/setting.js";
import { udp } from "../../src/packet/build.js";
import { describePacket } from "../../src/packet/describe.js";
import { IpvsNode } from "./ipvs-node.js";

const UDP = 17;
const SERVICES = 6;
const FAMILIES = [
  { vip: "10.96.0.10", client: "192.0.2.1", server: "10.244.1.1" },
  { vip: "fd00::10", client: "2001:db8::1", server: "fd01::1" },
] as const;

const end = (address: string, port: number) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

describe("answers that several of IPVS' connections may be meant by", () => {
  it("belong to the newest of them that is still there", async () => {
    const steps = fc.array(
      fc.record({
        service: fc.nat(SERVICES - 1),
        seconds: fc.integer({ min: 1, max: 60 }),
        after: fc.nat(15),
      }),
      {
        minLength: 5,
        maxLength: 40,
      },
    );
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FAMILIES), steps, async ({ vip, client, server }, list) => {
        const node = await IpvsNode.make({ connections: 64 });
        for (let number = 0; number < SERVICES; number++)
          node
            .set(number, { port: 80 + number }, [{ address: server, port: 8080, weight: 1 }])
            .listen(number, vip, UDP, 80 + number);
        // Oldest first.
        let open: { readonly service: number; expires: number }[] = [];
        let [now, last] = [0, -1];
        for (const { service, seconds, after } of list) {
          const wait = (milliseconds: number) => {
            now += milliseconds;
            open = open.filter(({ expires }) => expires > now);
          };
          wait(after * 1000);
          node.settings({ [setting.SETTING_VS_TIMEOUT_UDP]: seconds });
          node.one(udp(end(client, 1000), end(vip, 80 + service)), now);
          const known = open.find((one) => one.service === service);
          if (known === undefined) open.push({ service, expires: now + seconds * 1000 });
          else known.expires = now + seconds * 1000;
          wait(500);
          const newest = open.at(-1);
          const { frame, verdict } = node.one(udp(end(server, 8080), end(client, 1000)), now);
          expect([verdict, describePacket(frame).srcPort]).toEqual(["FORWARD", 80 + (newest?.service ?? 0)]);
          if (newest !== undefined) newest.expires = now + seconds * 1000;
          if (newest?.service !== last && known !== undefined) changes++;
          last = newest?.service ?? -1;
        }
      }),
      { numRuns: 60 },
    );
    expect(changes).toBeGreaterThan(10);
  });
});

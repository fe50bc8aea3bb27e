import fc from "fast-check";
import type { Family, Ip } from "../../src/net/ip.js";
import { serverKey } from "../../src/ruleset/identity.js";
import {
  flagsOf,
  type Ipvs,
  type RealServer,
  SCHEDULERS,
  type Scheduler,
  type ServiceMatch,
  type ServiceSettings,
  type Tunnel,
  type VirtualServer,
} from "../../src/ruleset/ipvs.js";

/** A kernel refuses others for a real server. */
const host4 = fc.oneof(
  fc.integer({ min: 0x0a000001, max: 0x0affffff }),
  fc.integer({ min: 0xc0a80001, max: 0xc0a8ffff }),
);
/** Of words so near to each other that ipvsadm's order of them is one. */
const host6 = fc
  .tuple(fc.bigInt({ min: 0n, max: 0x7fffffffn }), fc.bigInt({ min: 1n, max: 0x7fffffffn }))
  .map(([high, low]) => (0xfd00n << 112n) | (high << 64n) | low);

const hostOf = (family: Family): fc.Arbitrary<Ip> => (family === 4 ? host4 : host6);
const port = fc.integer({ min: 1, max: 65535 });

const tunnel: fc.Arbitrary<Tunnel> = fc.oneof(
  fc.constant({ tunnel: "ipip" as const }),
  fc.constantFrom<Tunnel>({ tunnel: "gre" }, { tunnel: "gre", checksum: "csum" }),
  fc.record(
    {
      tunnel: fc.constant("gue" as const),
      port,
      checksum: fc.constantFrom("csum" as const, "remcsum" as const),
    },
    { requiredKeys: ["tunnel", "port"] },
  ),
);

const thresholds = fc
  .tuple(fc.integer({ min: 1, max: 0x7fffffff }), fc.option(fc.integer({ min: 1, max: 0x7fffffff })))
  .map(([upper, lower]) =>
    lower === null
      ? { upperThreshold: upper }
      : { upperThreshold: Math.max(upper, lower), lowerThreshold: Math.min(upper, lower) },
  );

/** A real server as a virtual server of that port takes it: what is not rewritten keeps the port. */
function drawnReal(family: Family, asked: number | undefined): fc.Arbitrary<RealServer> {
  const weight = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 65535 }));
  const forwarded = fc.oneof(
    { weight: 3, arbitrary: fc.record({ address: hostOf(family) }) },
    fc.record({ address: hostOf(family), forwarding: fc.constant("direct" as const) }),
    // Tunnels lead to either family.
    fc.record({ address: fc.oneof(host4, host6), forwarding: tunnel }),
  );
  return fc
    .tuple(forwarded, port, weight, fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, thresholds))
    .map(([to, own, load, limits]) => ({
      ...to,
      port: "forwarding" in to ? (asked ?? own) : own,
      weight: load,
      ...limits,
    }));
}

const realKey = ({ address, port: at }: RealServer) => `${typeof address} ${address} ${at}`;

function drawnSettings(scheduler: Scheduler, family: Family): fc.Arbitrary<ServiceSettings> {
  const netmask = family === 4 ? fc.nat(0xfffffffe) : fc.integer({ min: 1, max: 127 });
  const persistence = fc.oneof(
    fc.constant({}),
    fc.record({ persistence: fc.integer({ min: 1, max: 2_678_400 }) }),
    fc.record({ persistence: fc.constant(360), netmask }),
  );
  return fc.tuple(persistence, fc.subarray([...flagsOf(scheduler)])).map(([kept, flags]) => ({
    scheduler,
    ...kept,
    ...(flags.length === 0 ? {} : { flags }),
  }));
}

function drawnMatch(family: Family): fc.Arbitrary<ServiceMatch> {
  const protocol = fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ protocol, address: hostOf(family), port: fc.oneof(port, fc.constant(0)) }),
    },
    fc.record({ mark: fc.integer({ min: 1, max: 0x7fffffff }), family: fc.constant(family) }),
  );
}

/** What a kernel takes: port 0 with persistence alone, one-packet scheduling with UDP and marks. */
function fitted(
  match: ServiceMatch,
  settings: ServiceSettings,
  onePacket: boolean,
): ServiceMatch & ServiceSettings {
  const kept = match.port === 0 && settings.persistence === undefined ? { ...match, port: 80 } : match;
  const mayBe = match.mark !== undefined || match.protocol === "UDP";
  return { ...kept, ...settings, ...(onePacket && mayBe ? { onePacket: true as const } : {}) };
}

const drawnServer: fc.Arbitrary<VirtualServer> = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.constantFrom(...SCHEDULERS))
  .chain(([family, scheduler]) =>
    fc.tuple(drawnMatch(family), drawnSettings(scheduler, family), fc.boolean(), fc.constant(family)),
  )
  .chain(([match, settings, onePacket, family]) => {
    const service = fitted(match, settings, onePacket);
    return fc
      .uniqueArray(drawnReal(family, service.port), { maxLength: 5, selector: realKey })
      .map((servers) => ({ ...service, servers, origin: "" }));
  });

/** Virtual servers that a kernel takes as they are. */
export const drawnIpvs = (maxLength: number): fc.Arbitrary<Ipvs> =>
  fc.uniqueArray(drawnServer, { maxLength, selector: serverKey }).map((servers) => ({ servers }));

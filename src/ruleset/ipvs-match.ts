import { expectArgument, isObject } from "../arguments.js";
import type { Ip } from "../net/ip.js";
import { type RealServer, SCHEDULERS, type Scheduler, type ServiceMatch } from "./ipvs.js";

const PROTOCOLS: readonly unknown[] = ["TCP", "UDP", "SCTP"];
const ADDRESS_MAX = (1n << 128n) - 1n;

const quoted = (value: unknown) => (value === undefined ? "nothing" : `«${String(value)}»`);

export function isAddress(value: unknown): boolean {
  if (typeof value === "bigint") return value >= 0n && value <= ADDRESS_MAX;
  return typeof value === "number" && value >>> 0 === value;
}

/** TypeError where callers without types give another thing than an address, `198.51.100.10` in text above all. */
function checkAddress(address: Ip, whose: string): void {
  if (isAddress(address)) return;
  throw new TypeError(
    `the address of a ${whose} server: ${quoted(address)} is none: give what parseIp reads.`,
  );
}

/** The same of what names a virtual server. */
export function checkNamed(service: ServiceMatch): void {
  expectArgument(
    isObject(service),
    service,
    "a virtual server",
    'its protocol, address and port, such as { protocol: "TCP", address: parseIp("192.0.2.10"), port: 80 }, or its mark and family',
  );
  if (service.mark !== undefined) {
    if (service.family === 4 || service.family === 6) return;
    throw new TypeError(
      `the family of firewall mark ${service.mark}: ${quoted(service.family)} is none: give 4 or 6.`,
    );
  }
  if (!PROTOCOLS.includes(service.protocol)) {
    throw new TypeError(
      `the protocol of a virtual server: ${quoted(service.protocol)} is none: give ${PROTOCOLS.join(", ")}, or a firewall mark.`,
    );
  }
  checkAddress(service.address, "virtual");
}

/** The same of what names a real server. */
export function checkReal(server: Pick<RealServer, "address">): void {
  expectArgument(
    isObject(server),
    server,
    "a real server",
    'its address and port, such as { address: parseIp("10.0.0.1"), port: 8080, weight: 1 }',
  );
  checkAddress(server.address, "real");
}

export function checkScheduler(scheduler: Scheduler, name: string): void {
  if (SCHEDULERS.includes(scheduler)) return;
  throw new TypeError(
    `the scheduler of virtual server ${name}: ${quoted(scheduler)} is none: there are ${SCHEDULERS.join(", ")}.`,
  );
}
